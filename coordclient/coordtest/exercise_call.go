//nolint:thelper // the clauses of the contract are tests, not helpers of tests
package coordtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seed42aab489/belfry/coordclient"
)

var callTests = []contract{
	{"an answer comes back", testCallAnswer},
	{"unknown members and verbs are told apart", testCallUnknown},
	{"a handler's error is carried with its code", testCallError},
	{"a panic in a handler is its caller's error", testCallPanic},
	{"large messages pass and larger ones are refused", testCallLarge},
	{"the caller's context ends the handler's", testCallCancel},
	{"many calls run at once, within the bound", testCallMany},
	{"a broadcast reaches every member, the sender too", testBroadcast},
}

func ask(t *testing.T, s System, verb, request string) (string, error) {
	t.Helper()
	answer, err := s.Port.SendReceive(t.Context(), s.id(), verb, []byte(request))
	return string(answer), err
}

func echo(_ context.Context, request []byte) ([]byte, error) { return request, nil }

func testCallAnswer(t *testing.T, s System) {
	s.Host.Handle("echo", echo)
	for _, text := range []string{"hello", "", "\x00\xff"} {
		if got, err := ask(t, s, "echo", text); err != nil || got != text {
			t.Errorf("echo %q = %q, %v", text, got, err)
		}
	}
	s.Host.Handle("echo", func(context.Context, []byte) ([]byte, error) { return []byte("replaced"), nil })
	if got, err := ask(t, s, "echo", "x"); err != nil || got != "replaced" {
		t.Errorf("a replaced handler answered %q, %v", got, err)
	}
}

func testCallUnknown(t *testing.T, s System) {
	if _, err := ask(t, s, "nothing", ""); !errors.Is(err, coordclient.ErrNoSuchVerb) {
		t.Errorf("unknown verb: %v, want ErrNoSuchVerb", err)
	}
	s.Host.Handle("echo", echo)
	s.Host.Handle("echo", nil)
	if _, err := ask(t, s, "echo", ""); !errors.Is(err, coordclient.ErrNoSuchVerb) {
		t.Errorf("removed verb: %v, want ErrNoSuchVerb", err)
	}
	for _, id := range []coordclient.MemberID{"", "nobody.00", coordclient.MemberID(s.id().Node())} {
		if _, err := s.Port.SendReceive(t.Context(), id, "echo", nil); !errors.Is(err, coordclient.ErrNotFound) {
			t.Errorf("ask %q: %v, want ErrNotFound", id, err)
		}
	}
}

func testCallError(t *testing.T, s System) {
	s.Host.Handle("plain", func(context.Context, []byte) ([]byte, error) {
		return []byte("dropped"), fmt.Errorf("deep: %w", coordclient.ErrNotFound)
	})
	s.Host.Handle("coded", func(context.Context, []byte) ([]byte, error) {
		return nil, fmt.Errorf("outer: %w", &coordclient.RemoteError{Code: "no_such_task", Message: "there is no task x"})
	})
	for verb, want := range map[string]coordclient.RemoteError{
		"plain": {Message: "deep: not found"},
		"coded": {Code: "no_such_task", Message: "outer: there is no task x"},
	} {
		got, err := ask(t, s, verb, "")
		var remote *coordclient.RemoteError
		if !errors.As(err, &remote) || *remote != want || got != "" {
			t.Errorf("%s: %q, %#v; want %#v", verb, got, err, want)
		}
		if errors.Is(err, coordclient.ErrNotFound) {
			t.Errorf("%s: a handler's error passed for one of the port: %v", verb, err)
		}
	}
}

func testCallPanic(t *testing.T, s System) {
	s.Host.Handle("panic", func(context.Context, []byte) ([]byte, error) { panic("planted") })
	_, err := ask(t, s, "panic", "")
	var remote *coordclient.RemoteError
	if !errors.As(err, &remote) || remote.Code != "panic" {
		t.Errorf("a panic: %v, want a *RemoteError with the code panic", err)
	}
}

func testCallLarge(t *testing.T, s System) {
	s.Host.Handle("echo", echo)
	s.Host.Handle("more", func(context.Context, []byte) ([]byte, error) {
		return make([]byte, coordclient.MaxMessage+1), nil
	})
	large := bytes.Repeat([]byte("large..."), coordclient.MaxMessage/8)
	got, err := s.Port.SendReceive(t.Context(), s.id(), "echo", large)
	if err != nil || !bytes.Equal(got, large) {
		t.Errorf("echo of %d bytes: %d bytes, %v", len(large), len(got), err)
	}
	if _, err := s.Port.SendReceive(t.Context(), s.id(), "echo", append(large, 'x')); !errors.Is(err, coordclient.ErrTooLarge) {
		t.Errorf("a request above MaxMessage: %v, want ErrTooLarge", err)
	}
	if _, err := ask(t, s, "more", ""); !errors.Is(err, coordclient.ErrTooLarge) {
		t.Errorf("an answer above MaxMessage: %v, want ErrTooLarge", err)
	}
	if err := s.Port.Broadcast(t.Context(), "echo", append(large, 'x')); !errors.Is(err, coordclient.ErrTooLarge) {
		t.Errorf("a broadcast above MaxMessage: %v, want ErrTooLarge", err)
	}
}

func testCallCancel(t *testing.T, s System) {
	started, ended := make(chan struct{}), make(chan struct{})
	s.Host.Handle("hang", func(ctx context.Context, _ []byte) ([]byte, error) {
		close(started)
		<-ctx.Done()
		close(ended)
		return nil, ctx.Err()
	})
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() { // ends when ctx does
		_, err := s.Port.SendReceive(ctx, s.id(), "hang", nil)
		failed <- err
	}()
	closes(t, started, "the handler starts")
	cancel()
	closes(t, ended, "the handler ends")
	if err := <-failed; !errors.Is(err, coordclient.ErrUnknownOutcome) || !errors.Is(err, context.Canceled) {
		t.Errorf("a call given up: %v; want ErrUnknownOutcome and context.Canceled", err)
	}
	if _, err := s.Port.SendReceive(ctx, s.id(), "hang", nil); !errors.Is(err, coordclient.ErrUnavailable) {
		t.Errorf("a call with an ended context: %v, want ErrUnavailable", err)
	}
}

func testCallMany(t *testing.T, s System) {
	const calls = 4 * coordclient.MaxHandlers
	var running, most atomic.Int64
	full := make(chan struct{})
	var once sync.Once
	s.Host.Handle("slow", func(ctx context.Context, request []byte) ([]byte, error) {
		n := running.Add(1)
		defer running.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		if n == coordclient.MaxHandlers {
			once.Do(func() { close(full) })
		}
		select {
		case <-full: // until as many run as may
			return request, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	})
	errs := make(chan error, calls)
	for i := range calls {
		want := fmt.Sprint(i)
		go func() { // ends with its call
			got, err := s.Port.SendReceive(t.Context(), s.id(), "slow", []byte(want))
			if err == nil && string(got) != want {
				err = fmt.Errorf("call %s was answered %s", want, got)
			}
			errs <- err
		}()
	}
	for range calls {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if m := most.Load(); m != coordclient.MaxHandlers {
		t.Errorf("%d handlers ran at once, want %d", m, coordclient.MaxHandlers)
	}
}

func testBroadcast(t *testing.T, s System) {
	heard := make(chan string, 4)
	listen := func(who string) coordclient.HandlerFunc {
		return func(_ context.Context, message []byte) ([]byte, error) {
			heard <- who + " " + string(message)
			return nil, errors.New("dropped")
		}
	}
	s.Host.Handle("news", listen("first"))
	want := map[string]bool{"first hello": true}
	if s.Join != nil {
		s.Join(t, "other").Handle("news", listen("other"))
		want["other hello"] = true
	}
	if err := s.Port.Broadcast(t.Context(), "news", []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if err := s.Port.Broadcast(t.Context(), "nobody listens", nil); err != nil {
		t.Errorf("a broadcast that nobody answers: %v", err)
	}
	for range len(want) {
		if got := <-heard; !want[got] {
			t.Errorf("heard %q, want one of %v", got, want)
		} else {
			delete(want, got)
		}
	}
}
