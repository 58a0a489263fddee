package zk

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	library "github.com/go-zookeeper/zk"

	"github.com/seed42aab489/belfry/coordclient"
)

func TestPaths(t *testing.T) {
	t.Parallel()
	p := paths{"/r"}
	for key, want := range map[string]string{
		"/a":                   "/r/keys/a",
		"/a/b/c":               "/r/keys/a+/b+/c",
		"/a+/b+":               "/r/keys/a%2b+/b%2b",
		"/100%":                "/r/keys/100%25",
		"/%2f":                 "/r/keys/%252f",
		"/ä/日本":                "/r/keys/ä+/日本",
		"/\U0001F514":          "/r/keys/%f0%9f%94%94",
		"/\ue000\ufff0\uffff.": "/r/keys/%ee%80%80%ef%bf%b0%ef%bf%bf.",
		"/members":             "/r/keys/members",
	} {
		if err := coordclient.CheckKey(key); err != nil {
			t.Fatal(err)
		}
		if got := p.entry(key); got != want {
			t.Errorf("entry of %q = %q, want %q", key, got, want)
		}
		last := key[strings.LastIndexByte(key, '/')+1:]
		if back := unescape(escape(last)); back != last {
			t.Errorf("%q came back as %q", last, back)
		}
	}
	if got := p.dir("/"); got != "/r/keys" {
		t.Errorf("the root's directory is %s", got)
	}
	for _, foreign := range []string{"%", "%4", "%zz", "a%"} {
		if got := unescape(foreign); got != foreign {
			t.Errorf("unescape(%q) = %q", foreign, got)
		}
	}
}

func FuzzEscape(f *testing.F) {
	f.Add("a", "a+")
	f.Add("%", "%25")
	f.Add("\U0001F514", "\ud7ff")
	f.Fuzz(func(t *testing.T, a, b string) {
		if coordclient.CheckKey("/"+a) != nil || coordclient.CheckKey("/"+b) != nil || strings.Contains(a+b, "/") {
			return // no key, so nothing of escape's
		}
		if (escape(a) == escape(b)) != (a == b) {
			t.Fatalf("%q and %q become %q and %q", a, b, escape(a), escape(b))
		}
		if unescape(escape(a)) != a || strings.Contains(escape(a), dirMark) {
			t.Fatalf("%q becomes %q", a, escape(a))
		}
	})
}

func TestOptions(t *testing.T) {
	t.Parallel()
	good := Options{Servers: []string{"zk1", "zk2:99", "[::1]:7", "::1"}, Node: "n"}
	o, err := good.withDefaults(true)
	if err != nil || strings.Join(o.Servers, " ") != "zk1:2181 zk2:99 [::1]:7 [::1]:2181" {
		t.Errorf("servers %v, %v", o.Servers, err)
	}
	if o.Root != DefaultRoot || o.SessionTimeout != coordclient.DefaultSessionTimeout {
		t.Errorf("defaults: %+v", o)
	}
	for name, spoil := range map[string]func(*Options){
		"no server":        func(o *Options) { o.Servers = nil },
		"a bad port":       func(o *Options) { o.Servers = []string{"a:x"} },
		"port 0":           func(o *Options) { o.Servers = []string{"a:0"} },
		"no host":          func(o *Options) { o.Servers = []string{":1"} },
		"two in one":       func(o *Options) { o.Servers = []string{"a,b"} },
		"a relative root":  func(o *Options) { o.Root = "belfry" },
		"an open root":     func(o *Options) { o.Root = "/" },
		"ZooKeeper's root": func(o *Options) { o.Root = "/zookeeper/x" },
		"a short time-out": func(o *Options) { o.SessionTimeout = time.Millisecond },
		"a long time-out":  func(o *Options) { o.SessionTimeout = 25 * time.Hour },
		"no node":          func(o *Options) { o.Node = "" },
		"a node in parts":  func(o *Options) { o.Node = "a/b" },
		"a large value":    func(o *Options) { o.Value = make([]byte, coordclient.MaxValue+1) },
		"no password":      func(o *Options) { o.Digest.User = "u" },
		"a user in parts":  func(o *Options) { o.Digest = Digest{"u:v", "p"} },
	} {
		o := good
		spoil(&o)
		if _, err := o.withDefaults(true); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if _, err := (Options{Servers: []string{"a"}}).withDefaults(false); err != nil {
		t.Errorf("a companion needs no node: %v", err)
	}
}

func TestDigestHidesItsPassword(t *testing.T) {
	t.Parallel()
	d := Digest{"user", "s3cret"}
	for _, text := range []string{d.String(), d.GoString(), d.LogValue().String()} {
		if strings.Contains(text, "s3cret") || !strings.Contains(text, "user") {
			t.Errorf("it says %s", text)
		}
	}
}

func TestHostsRememberFailures(t *testing.T) {
	t.Parallel()
	h := newHosts([]string{"a:1", "b:1", "c:1"}, nil)
	first, _ := h.Next() // fails
	second, _ := h.Next()
	h.Connected()
	third, _ := h.Next() // the connection to the second was lost
	h.Connected()
	again, _ := h.Next()
	if third == first || third == second || first == second {
		t.Errorf("tried %s, %s, %s: want each once", first, second, third)
	}
	if again != second {
		t.Errorf("then %s, want %s: %s failed lately", again, second, first)
	}
	h.Connected()
	h.blame()
	if next, _ := h.Next(); next != third {
		t.Errorf("after %s was of no use came %s, want %s", second, next, third)
	}
}

func TestHostsOrderIsRandom(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for range 200 {
		first, _ := newHosts([]string{"a:1", "b:1", "c:1"}, nil).Next()
		seen[first] = true
	}
	if len(seen) != 3 {
		t.Errorf("the first was only ever one of %v", seen)
	}
}

func TestHostsEndWithTheSession(t *testing.T) {
	t.Parallel()
	over := make(chan struct{})
	close(over)
	h := newHosts([]string{"a:1"}, over)
	for range 100 { // without a pause
		if _, retry := h.Next(); !retry {
			t.Fatal("the library will not look whether it was closed")
		}
	}
}

// shake lets a link read an answer to the handshake.
func shake(t *testing.T, l *line, session int64, timeout time.Duration) error {
	t.Helper()
	server, client := net.Pipe()
	defer server.Close()
	it := l.over(client, client)
	it.deadline = time.Now().Add(time.Minute)
	answer := []byte{0, 0, 0, 37, 0, 0, 0, 0}
	ms := uint32(timeout.Milliseconds())
	answer = append(answer, byte(ms>>24), byte(ms>>16), byte(ms>>8), byte(ms))
	for shift := 56; shift >= 0; shift -= 8 {
		answer = append(answer, byte(session>>shift))
	}
	answer = append(append(answer, 0, 0, 0, 16), make([]byte, 17)...)
	go func() { _, _ = server.Write(answer) }() // ends when it is read, or the pipe closed
	got := make([]byte, len(answer))
	n, err := it.Read(got[:4])
	for n < len(answer) && err == nil {
		var m int
		m, err = it.Read(got[n:])
		n += m
	}
	if err == nil && !bytes.Equal(got, answer) {
		t.Error("the answer was changed on its way")
	}
	return err
}

func TestLinkKeepsToOneSession(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		second int64
		want   error
	}{"the same": {7, nil}, "another": {8, errForeign}, "expired": {0, errExpired}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := &line{health: newHealth(time.Minute, time.Now())}
			if err := shake(t, l, 7, 3*time.Second); err != nil {
				t.Fatal(err)
			}
			if l.health.t() != 3*time.Second || l.grant.Load().session != 7 {
				t.Errorf("granted %s to session %d", l.health.t(), l.grant.Load().session)
			}
			if err := shake(t, l, c.second, 3*time.Second); !errors.Is(err, c.want) {
				t.Errorf("the second answer: %v, want %v", err, c.want)
			}
			if isClosed(l.health.lost) != (c.want != nil) {
				t.Errorf("lost: %t", isClosed(l.health.lost))
			}
		})
	}
}

func TestSealedLineSendsNothing(t *testing.T) {
	t.Parallel()
	l := &line{health: newHealth(time.Minute, time.Now())}
	server, client := net.Pipe()
	defer server.Close()
	it := l.over(client, client)
	l.link.Store(it)
	l.seal()
	if _, err := it.Write([]byte("late")); !errors.Is(err, errClosed) {
		t.Errorf("write: %v", err)
	}
	if _, err := l.dial("tcp", "127.0.0.1:1", 0); !errors.Is(err, errClosed) {
		t.Errorf("dial: %v", err)
	}
}

// A request that is not sent gives its slot back.
func TestUnsentRequestsKeepNoSlot(t *testing.T) {
	t.Parallel()
	c := &Client{health: newHealth(time.Minute, time.Now()), slots: make(chan struct{}, maxInFlight)}
	for range 2 * maxInFlight {
		_, err := ask(t.Context(), c, func() (int, error) { t.Error("it was sent"); return 0, nil })
		if !errors.Is(err, coordclient.ErrUnavailable) {
			t.Fatal(err)
		}
	}
	if len(c.slots) != 0 {
		t.Errorf("%d slots are taken", len(c.slots))
	}
}

func TestGivenUpRequestsAreUnknown(t *testing.T) {
	t.Parallel()
	now := time.Now()
	c := &Client{health: newHealth(time.Minute, now), slots: make(chan struct{}, 1)}
	c.health.connect(now)
	ctx, cancel := context.WithCancel(t.Context())
	hold := make(chan struct{})
	defer close(hold)
	_, err := ask(ctx, c, func() (int, error) { cancel(); <-hold; return 0, nil })
	if werr := writeError(err); !errors.Is(werr, coordclient.ErrUnknownOutcome) || errors.Is(werr, coordclient.ErrUnavailable) || !errors.Is(werr, context.Canceled) {
		t.Errorf("a write given up: %v", werr)
	}
	if rerr := readError(err); !errors.Is(rerr, coordclient.ErrUnavailable) || errors.Is(rerr, coordclient.ErrUnknownOutcome) || !errors.Is(rerr, context.Canceled) {
		t.Errorf("a read given up: %v", rerr)
	}
	full, stop := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer stop()
	if _, err := ask(full, c, func() (int, error) { return 0, nil }); !errors.Is(err, coordclient.ErrUnavailable) {
		t.Errorf("no slot: %v, want ErrUnavailable", err)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err         error
		read, write error
	}{
		{library.ErrNoNode, coordclient.ErrNotFound, coordclient.ErrUnknownOutcome},
		{library.ErrConnectionClosed, coordclient.ErrUnavailable, coordclient.ErrUnknownOutcome},
		{library.ErrClosing, coordclient.ErrUnavailable, coordclient.ErrUnknownOutcome},
		{library.ErrSessionExpired, coordclient.ErrUnavailable, coordclient.ErrUnknownOutcome},
		{library.ErrSessionMoved, coordclient.ErrUnavailable, coordclient.ErrUnknownOutcome},
		{library.ErrNoServer, coordclient.ErrUnavailable, coordclient.ErrUnavailable},
		{library.ErrNoAuth, coordclient.ErrUnavailable, coordclient.ErrUnavailable},
		{library.ErrShortBuffer, coordclient.ErrUnavailable, coordclient.ErrTooLarge},
	} {
		if err := readError(c.err); !errors.Is(err, c.read) {
			t.Errorf("reading: %v becomes %v, want %v", c.err, err, c.read)
		}
		if err := writeError(c.err); !errors.Is(err, c.write) {
			t.Errorf("writing: %v becomes %v, want %v", c.err, err, c.write)
		}
	}
}

func TestMessages(t *testing.T) {
	t.Parallel()
	h := head{Verb: "a\n\"b\"", Reply: true, Pieces: 3}
	got, body, err := decodeHead(h.encode([]byte("x\ny")))
	if err != nil || got != h || string(body) != "x\ny" {
		t.Errorf("%+v, %q, %v", got, body, err)
	}
	for _, bad := range []string{"", "{}", "x\n", `{"pieces":-1}` + "\n", `{"pieces":1000}` + "\n"} {
		if _, _, err := decodeHead([]byte(bad)); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
	remote := &coordclient.RemoteError{Code: "c", Message: "m"}
	for _, c := range []struct{ err, want error }{
		{nil, nil},
		{coordclient.ErrNoSuchVerb, coordclient.ErrNoSuchVerb},
		{coordclient.ErrTooLarge, coordclient.ErrTooLarge},
		{coordclient.ErrUnavailable, coordclient.ErrUnavailable},
		{errCut, coordclient.ErrUnknownOutcome},
	} {
		if err := replyOf(c.err).err(); !errors.Is(err, c.want) {
			t.Errorf("%v came back as %v", c.err, err)
		}
	}
	var back *coordclient.RemoteError
	if err := replyOf(remote).err(); !errors.As(err, &back) || *back != *remote {
		t.Errorf("%v came back as %v", remote, err)
	}
}
