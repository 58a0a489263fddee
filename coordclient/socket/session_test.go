package socket_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/coordclient/socket"
)

const patience = 2 * time.Minute

// until waits for a state of the session.
func until(t *testing.T, s coordclient.Session, want coordclient.State) {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		state, changed := s.State()
		if state == want {
			return
		}
		select {
		case <-changed:
		case <-timer.C:
			t.Fatalf("state %s, want %s", state, want)
		}
	}
}

func closed(t *testing.T, c <-chan struct{}, what string) {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-c:
	case <-timer.C:
		t.Fatalf("%s: the channel did not close", what)
	}
}

func TestReconnects(t *testing.T) {
	t.Parallel()
	path := tempSocket(t)
	m := coordtest.NewMemory()
	defer m.Close()
	stop := serve(t, path, m)
	c := dial(t, path)
	if err := c.Commit(t.Context(), coordclient.Create("/x", nil)); err != nil {
		t.Fatal(err)
	}
	for round := range int64(3) {
		until(t, c, coordclient.Healthy)
		_, watch, err := c.Get(t.Context(), "/x")
		if err != nil {
			t.Fatal(err)
		}
		stop()
		until(t, c, coordclient.Suspended)
		closed(t, watch, "a watch when the host goes")
		_, _, err = c.Get(t.Context(), "/x")
		says(t, err, coordclient.ErrUnavailable, path)
		if err := m.Commit(t.Context(), coordclient.Set("/x", nil, round)); err != nil {
			t.Fatal(err)
		}
		stop = serve(t, path, m)
		until(t, c, coordclient.Healthy)
		if e, _, err := c.Get(t.Context(), "/x"); err != nil || e.Version != round+1 {
			t.Fatalf("after the host came back: version %d, %v; want %d", e.Version, err, round+1)
		}
	}
}

// TestHostState: a companion of a host that lost its own session knows it.
func TestHostState(t *testing.T) {
	t.Parallel()
	path := tempSocket(t)
	m := coordtest.NewMemory()
	defer m.Close()
	serve(t, path, m)
	c := dial(t, path)
	until(t, c, coordclient.Healthy)
	m.Cut()
	until(t, c, coordclient.Suspended)
	_, err := c.List(t.Context(), "/")
	says(t, err, coordclient.ErrUnavailable, "host")
	m.Heal()
	until(t, c, coordclient.Healthy)
	if _, err := c.List(t.Context(), "/"); err != nil {
		t.Error(err)
	}
	m.Expire()
	until(t, c, coordclient.Suspended)
}

// TestLostAnswers: what was under way when the host died may have happened;
// what only reads did not.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	path := tempSocket(t)
	m := coordtest.NewMemory()
	defer m.Close()
	asked := make(chan struct{}, 1)
	slow := coordtest.NewFaulty(m)
	slow.Plan(func(c coordtest.Call) coordtest.Fault {
		asked <- struct{}{}
		return coordtest.Fault{Delay: time.Hour}
	})
	stop := serve(t, path, slow)
	c := dial(t, path)
	for name, ask := range map[string]struct {
		call func() error
		want error
	}{
		"commit": {func() error { return c.Commit(context.Background(), coordclient.Create("/x", nil)) }, coordclient.ErrUnknownOutcome},
		"send": {func() error {
			_, err := c.SendReceive(context.Background(), m.ID(), "v", nil)
			return err
		}, coordclient.ErrUnknownOutcome},
		"broadcast": {func() error { return c.Broadcast(context.Background(), "v", nil) }, coordclient.ErrUnknownOutcome},
		"get": {func() error {
			_, _, err := c.Get(context.Background(), "/x")
			return err
		}, coordclient.ErrUnavailable},
		"list": {func() error {
			_, err := c.List(context.Background(), "/")
			return err
		}, coordclient.ErrUnavailable},
	} {
		failed := make(chan error, 1)
		for begun := false; !begun; {
			until(t, c, coordclient.Healthy)
			go func() { failed <- ask.call() }() // ends with the call
			select {
			case <-asked:
				begun = true
			case <-failed: // the former host's end was not noticed yet
			}
		}
		stop()
		// The host's own call was cancelled; its answer, if it still came, says
		// that nothing was done.
		if err := <-failed; !errors.Is(err, ask.want) && !errors.Is(err, coordclient.ErrUnavailable) {
			t.Errorf("%s: %v, want %v", name, err, ask.want)
		}
		stop = serve(t, path, slow)
	}
}

// TestCancelCrosses: the end of a companion's context ends the host's.
func TestCancelCrosses(t *testing.T) {
	t.Parallel()
	path := tempSocket(t)
	m := coordtest.NewMemory()
	defer m.Close()
	blocked := blocking{Port: m, begun: make(chan struct{}, 1), ended: make(chan struct{}, 1)}
	serve(t, path, blocked)
	c := dial(t, path)
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() { failed <- c.Commit(ctx, coordclient.Create("/x", nil)) }() // ends with ctx
	<-blocked.begun
	cancel()
	<-blocked.ended
	says(t, <-failed, coordclient.ErrUnknownOutcome)
	if _, err := c.List(t.Context(), "/"); err != nil {
		t.Errorf("the connection after a call was given up: %v", err)
	}
}

// blocking is a port whose commits wait for the end of their context.
type blocking struct {
	socket.Port
	begun, ended chan struct{}
}

func (b blocking) Commit(ctx context.Context, _ ...coordclient.Op) error {
	b.begun <- struct{}{}
	<-ctx.Done()
	b.ended <- struct{}{}
	return ctx.Err()
}

// TestLargeAndSmall: small answers are not held up by large ones, and large
// ones come whole, many at once.
func TestLargeAndSmall(t *testing.T) {
	t.Parallel()
	path := tempSocket(t)
	m := coordtest.NewMemory()
	defer m.Close()
	m.Handle("echo", func(_ context.Context, request []byte) ([]byte, error) { return request, nil })
	serve(t, path, m)
	c := dial(t, path)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() { // ends with its call
			large := bytes.Repeat([]byte{byte(i)}, coordclient.MaxMessage-i)
			got, err := c.SendReceive(t.Context(), m.ID(), "echo", large)
			if err != nil || !bytes.Equal(got, large) {
				t.Errorf("%d of %d bytes came back, %v", len(got), len(large), err)
			}
		})
		wg.Go(func() { // ends with its last call
			for n := range 100 {
				want := fmt.Sprint(i, n)
				if got, err := c.SendReceive(t.Context(), m.ID(), "echo", []byte(want)); err != nil || string(got) != want {
					t.Errorf("%s came back as %s, %v", want, got, err)
				}
			}
		})
	}
	wg.Wait()
}

// TestManyWatches: reading ten thousand entries again and again leaves no
// growing number of watches, and each still tells.
func TestManyWatches(t *testing.T) {
	t.Parallel()
	path := tempSocket(t)
	m := coordtest.NewMemory()
	defer m.Close()
	serve(t, path, m)
	c := dial(t, path)
	const keys = 2000
	for i := range keys {
		if err := m.Commit(t.Context(), coordclient.Create(fmt.Sprintf("/w/%d", i), nil)); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		channels := make([]<-chan struct{}, keys)
		for i := range channels {
			e, watch, err := c.Get(t.Context(), fmt.Sprintf("/w/%d", i))
			if err != nil {
				t.Fatal(err)
			}
			channels[i] = watch
			if i%100 == 0 {
				if err := m.Commit(t.Context(), coordclient.Set(e.Key, nil, e.Version)); err != nil {
					t.Fatal(err)
				}
			}
		}
		for i := 0; i < keys; i += 100 {
			closed(t, channels[i], fmt.Sprintf("watch %d", i))
		}
	}
}

func TestServeEnds(t *testing.T) {
	t.Parallel()
	path := tempSocket(t)
	m := coordtest.NewMemory()
	defer m.Close()
	ln, err := socket.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	_ = ln.Close()
	says(t, socket.Serve(t.Context(), ln, m, socket.ServeOptions{}), nil, path)

	stop := serve(t, path, m)
	started := make(chan struct{})
	m.Handle("hang", func(ctx context.Context, _ []byte) ([]byte, error) {
		close(started)
		<-ctx.Done()
		return nil, ctx.Err()
	})
	c := dial(t, path)
	failed := make(chan error, 1)
	go func() { // ends when the host stops
		_, err := c.SendReceive(context.Background(), m.ID(), "hang", nil)
		failed <- err
	}()
	<-started
	stop()
	// The handler's own answer may just have come through.
	var remote *coordclient.RemoteError
	if err := <-failed; !errors.Is(err, coordclient.ErrUnknownOutcome) && !errors.As(err, &remote) {
		t.Errorf("a call when the host stops: %v", err)
	}
}
