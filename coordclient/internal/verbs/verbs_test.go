package verbs_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/internal/verbs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hang waits for the end of its context.
func hang(ctx context.Context, _ []byte) ([]byte, error) {
	<-ctx.Done()
	return nil, context.Cause(ctx)
}

func TestCloseEndsHandlers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := verbs.New()
		table.Handle("hang", hang)
		failed := make(chan error, 1)
		go func() { // ends with Close
			_, err := table.Call(t.Context(), "hang", nil)
			failed <- err
		}()
		if err := table.Tell("hang", nil); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		table.Close()
		var remote *coordclient.RemoteError
		if err := <-failed; !errors.Is(err, coordclient.ErrUnknownOutcome) && !errors.As(err, &remote) {
			t.Errorf("a call when the table closes: %v", err)
		}
		if _, err := table.Call(t.Context(), "hang", nil); !errors.Is(err, coordclient.ErrUnavailable) {
			t.Errorf("a call after Close: %v, want ErrUnavailable", err)
		}
		if err := table.Tell("hang", nil); err != nil {
			t.Errorf("a broadcast after Close: %v", err)
		}
		table.Close()
	})
}

// TestBroadcastsAreBounded: messages for handlers that do not end are refused
// at some number.
func TestBroadcastsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := verbs.New()
		defer table.Close()
		table.Handle("hang", hang)
		for n := range verbs.MaxTold {
			if err := table.Tell("hang", nil); err != nil {
				t.Fatalf("broadcast %d: %v", n, err)
			}
		}
		if err := table.Tell("hang", nil); !errors.Is(err, coordclient.ErrUnavailable) {
			t.Errorf("one more: %v, want ErrUnavailable", err)
		}
	})
}

// TestBusy: a call that finds no free handler waits for one, or for its end.
func TestBusy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := verbs.New()
		defer table.Close()
		table.Handle("hang", hang)
		table.Handle("echo", func(_ context.Context, request []byte) ([]byte, error) { return request, nil })
		busy, free := context.WithCancel(t.Context())
		for range coordclient.MaxHandlers {
			go func() { _, _ = table.Call(busy, "hang", nil) }() // ends with busy
		}
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		failed := make(chan error, 1)
		go func() { // ends with ctx
			_, err := table.Call(ctx, "echo", nil)
			failed <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-failed; !errors.Is(err, coordclient.ErrUnavailable) || !errors.Is(err, context.Canceled) {
			t.Errorf("a call given up while it waits: %v; want ErrUnavailable and context.Canceled", err)
		}
		answered := make(chan string, 1)
		go func() { // ends with its call
			answer, err := table.Call(t.Context(), "echo", []byte("hello"))
			if err != nil {
				t.Error(err)
			}
			answered <- string(answer)
		}()
		synctest.Wait()
		free()
		if got := <-answered; got != "hello" {
			t.Errorf("the call that waited was answered %q", got)
		}
	})
}
