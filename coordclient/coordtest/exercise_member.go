//nolint:thelper // the clauses of the contract are tests, not helpers of tests
package coordtest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
)

var memberTests = []contract{
	{"the member lists itself with its value", testMemberSelf},
	{"a published value is seen and wakes", testMemberPublish},
	{"only a member's own session passes its check", testMemberCheck},
	{"a restart is a new incarnation and the former one is no member", testMemberReopen},
	{"another member comes and goes", testMemberOther},
	{"an expired member is fenced", testMemberExpired},
}

var sessionTests = []contract{
	{"a session is healthy, and lost once closed", testSessionClose},
}

func members(t *testing.T, p coordclient.Members) ([]coordclient.Member, <-chan struct{}) {
	t.Helper()
	list, c, err := p.Members(t.Context())
	if err != nil {
		t.Fatalf("members: %v", err)
	}
	if c == nil {
		t.Fatal("members: no channel")
	}
	return list, c
}

func testMemberSelf(t *testing.T, s System) {
	list, _ := members(t, s.Port)
	if len(list) != 1 || list[0].ID != s.id() {
		t.Fatalf("members = %v, want %s alone", list, s.id())
	}
	node, incarnation, ok := strings.Cut(string(s.id()), ".")
	if !ok || node != s.id().Node() || len(incarnation) != 32 || strings.Trim(incarnation, "0123456789abcdef") != "" {
		t.Errorf("member id %s: want a node and 128 bits in hexadecimal", s.id())
	}
	if age := time.Since(list[0].Joined); age < -5*time.Second || age > time.Hour {
		t.Errorf("joined %s ago", age)
	}
}

func testMemberPublish(t *testing.T, s System) {
	_, c := members(t, s.Port)
	if err := s.Host.Publish(t.Context(), []byte(`{"load":1}`)); err != nil {
		t.Fatal(err)
	}
	closes(t, c, "publish")
	list, _ := members(t, s.Port)
	if got := string(list[0].Value); got != `{"load":1}` || list[0].ID != s.id() {
		t.Errorf("value of %s = %s", list[0].ID, got)
	}
	if err := s.Host.Publish(t.Context(), make([]byte, coordclient.MaxValue+1)); !errors.Is(err, coordclient.ErrTooLarge) {
		t.Errorf("publish above MaxValue: %v, want ErrTooLarge", err)
	}
}

func testMemberCheck(t *testing.T, s System) {
	commit(t, s.Host, coordclient.CheckMember(s.id()), coordclient.Create("/bound", nil))
	former := coordclient.MemberID(s.id().Node() + "." + strings.Repeat("0", 31) + "f")
	for _, id := range []coordclient.MemberID{former, "stranger.00", coordclient.MemberID(s.id().Node()), "", "/"} {
		refuse(t, s.Host, 1, coordclient.ErrNotMember, coordclient.Create("/unbound", nil), coordclient.CheckMember(id))
		refuse(t, s.Port, 0, coordclient.ErrNotMember, coordclient.CheckMember(id))
	}
	if s.Companion {
		refuse(t, s.Port, 1, coordclient.ErrNotMember, coordclient.Create("/unbound", nil), coordclient.CheckMember(s.id()))
		refuse(t, s.Port, 0, coordclient.ErrExists, coordclient.Create("/bound", nil), coordclient.CheckMember(s.id()))
	}
	checkGone(t, s.Port, "/unbound")
	check(t, s.Port, "/bound", "", 0)
}

func testMemberReopen(t *testing.T, s System) {
	if s.Reopen == nil {
		t.Skip("this store does not outlive its process")
	}
	former := s.id()
	s = s.Reopen(t)
	if s.id() == former || s.id().Node() != former.Node() {
		t.Fatalf("after %s came %s; want the same node in a new incarnation", former, s.id())
	}
	refuse(t, s.Host, 0, coordclient.ErrNotMember, coordclient.CheckMember(former))
	list, _ := members(t, s.Port)
	if len(list) != 1 || list[0].ID != s.id() {
		t.Errorf("members = %v, want %s alone", list, s.id())
	}
}

func testMemberOther(t *testing.T, s System) {
	if s.Join == nil {
		t.Skip("this group has one member")
	}
	_, c := members(t, s.Port)
	other := s.Join(t, "other")
	closes(t, c, "join")
	list, c := members(t, s.Port)
	if len(list) != 2 || list[0].ID != s.id() || list[1].ID != other.ID() {
		t.Fatalf("members = %v, want %s and %s, oldest first", list, s.id(), other.ID())
	}
	refuse(t, s.Host, 0, coordclient.ErrNotMember, coordclient.CheckMember(other.ID()))
	commit(t, other, coordclient.CheckMember(other.ID()), coordclient.Create("/other", nil))
	if s.Expire == nil {
		t.Skip("members cannot be expired here")
	}
	s.Expire(t, other)
	closes(t, c, "expiry")
	list, _ = members(t, s.Port)
	if len(list) != 1 || list[0].ID != s.id() {
		t.Errorf("members = %v, want %s alone", list, s.id())
	}
	check(t, s.Port, "/other", "", 0)
}

func testMemberExpired(t *testing.T, s System) {
	if s.Join == nil || s.Expire == nil {
		t.Skip("members cannot be expired here")
	}
	other := s.Join(t, "other")
	commit(t, s.Port, coordclient.Create("/f", nil))
	if err := other.Sync(t.Context(), "/f"); err != nil {
		t.Fatal(err)
	}
	c := watch(t, other, "/f")
	_, turned := other.State()
	s.Expire(t, other)
	closes(t, turned, "state")
	closes(t, c, "watch of a lost session")
	if state, _ := other.State(); state != coordclient.Lost {
		t.Errorf("state %s, want lost", state)
	}
	err := other.Commit(t.Context(), coordclient.CheckMember(other.ID()), coordclient.Create("/fenced", nil))
	if !errors.Is(err, coordclient.ErrUnavailable) && !errors.Is(err, coordclient.ErrNotMember) {
		t.Errorf("commit of an expired member: %v", err)
	}
	checkGone(t, s.Port, "/fenced")
	if _, err := s.Port.SendReceive(t.Context(), other.ID(), "v", nil); !errors.Is(err, coordclient.ErrNotFound) {
		t.Errorf("ask an expired member: %v, want ErrNotFound", err)
	}
}

func testSessionClose(t *testing.T, s System) {
	commit(t, s.Port, coordclient.Create("/s", nil))
	state, turned := s.Port.State()
	if state != coordclient.Healthy {
		t.Fatalf("state %s after a commit, want healthy", state)
	}
	select {
	case <-turned:
		t.Error("the channel closed without a change of the state")
	default:
	}
	c := watch(t, s.Port, "/s")
	_, mc := members(t, s.Port)
	s.Close(t)
	closes(t, turned, "state")
	closes(t, c, "watch")
	closes(t, mc, "members")
	if state, _ := s.Port.State(); state != coordclient.Lost {
		t.Errorf("state %s after Close, want lost", state)
	}
	checkClosed(t, s)
}

func checkClosed(t *testing.T, s System) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	unavailable := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, coordclient.ErrUnavailable) {
			t.Errorf("%s after Close: %v, want ErrUnavailable", what, err)
		}
	}
	unavailable("commit", s.Port.Commit(ctx, coordclient.Create("/closed", nil)))
	_, _, err := s.Port.Get(ctx, "/s")
	unavailable("get", err)
	_, err = s.Port.List(ctx, "/")
	unavailable("list", err)
	unavailable("sync", s.Port.Sync(ctx, "/"))
	_, _, err = s.Port.Members(ctx)
	unavailable("members", err)
	_, err = s.Port.SendReceive(ctx, s.id(), "v", nil)
	unavailable("ask", err)
	unavailable("broadcast", s.Port.Broadcast(ctx, "v", nil))
}
