package app

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestTeardownRunsInReverseAndJoinsErrors(t *testing.T) {
	t.Parallel()
	var order []string
	boom := errors.New("boom")
	td := teardown{log: slog.New(slog.DiscardHandler)}
	for _, name := range []string{"a", "b", "c"} {
		td.add(name, func(context.Context) error {
			order = append(order, name)
			if name == "b" {
				return boom
			}
			return nil
		})
	}
	if err := td.run(t.Context()); !errors.Is(err, boom) {
		t.Errorf("got %v", err)
	}
	if want := []string{"c", "b", "a"}; !slices.Equal(order, want) {
		t.Errorf("order %v, want %v", order, want)
	}
	if err := td.run(t.Context()); err != nil || len(order) != 3 {
		t.Errorf("the second run did something: %v, %v", err, order)
	}
}

func TestTeardownIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		ran := false
		td := teardown{log: slog.New(slog.DiscardHandler)}
		td.add("first", func(context.Context) error { ran = true; return nil })
		td.add("stuck", func(context.Context) error { <-release; return nil })
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		if err := td.run(ctx); err == nil || !ran {
			t.Errorf("err %v, the step below the stuck one ran: %v", err, ran)
		}
		if took := time.Since(began); took > time.Minute+3*time.Second {
			t.Errorf("took %s", took)
		}
		close(release)
	})
}
