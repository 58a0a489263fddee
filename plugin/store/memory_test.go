package store

import (
	"bytes"
	"errors"
	"testing"

	"github.com/seed42aab489/belfry/coordclient"
)

func TestMemories(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, p port) {
		t.Helper()
		ctx := t.Context()
		s := opened(t, p, Options{})
		uid := created(t, s, "watch").UID
		if data, version, err := s.Recall(ctx, uid); err != nil || data != nil || version != -1 {
			t.Fatalf("%q at %d, %v", data, version, err)
		}
		if err := s.Remember(ctx, uid, []byte("one"), -1); err != nil {
			t.Fatal(err)
		}
		if err := s.Remember(ctx, uid, []byte("late"), -1); !errors.Is(err, coordclient.ErrConflict) {
			t.Errorf("twice: %v", err)
		}
		data, version, err := s.Recall(ctx, uid)
		if err != nil || string(data) != "one" {
			t.Fatalf("%q at %d, %v", data, version, err)
		}
		if err := s.Remember(ctx, uid, []byte("two"), version); err != nil {
			t.Fatal(err)
		}
		if err := s.Remember(ctx, uid, []byte("late"), version); !errors.Is(err, coordclient.ErrConflict) {
			t.Errorf("at an old version: %v", err)
		}
		if err := s.Remember(ctx, uid, bytes.Repeat([]byte("a"), MaxMemory+1), version+1); !errors.Is(err, coordclient.ErrTooLarge) {
			t.Errorf("too large: %v", err)
		}
		if err := s.Remember(ctx, "3-gone", []byte("x"), -1); err != nil {
			t.Fatal(err)
		}
		if err := s.ForgetGone(ctx); err != nil {
			t.Fatal(err)
		}
		if data, _, err := s.Recall(ctx, uid); err != nil || string(data) != "two" {
			t.Errorf("of a task that is there: %q, %v", data, err)
		}
		if _, version, err := s.Recall(ctx, "3-gone"); err != nil || version != -1 {
			t.Errorf("of a task that is gone: at %d, %v", version, err)
		}
	})
}
