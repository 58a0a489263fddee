package store

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/plugin/task"
)

func TestReplyIsStoredOnce(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, p port) {
		s := opened(t, p, Options{})
		info, err := s.Create(t.Context(), named("x"))
		if err != nil {
			t.Fatal(err)
		}
		id := task.ScheduledID(info.UID, time.UnixMilli(5))
		b, _ := BucketOf(info.UID)
		send := func(r task.Reply) error { return s.Reply(t.Context(), info.Key, id, r) }
		// As hard as JSON can make it.
		value := strings.Repeat("\x01", task.MaxReplyValue)
		first := task.Reply{OK: true, Value: value}
		for range 3 {
			if err := send(first); err != nil {
				t.Fatal(err)
			}
		}
		if err := send(task.Reply{Value: "no"}); !errors.Is(err, ErrReplied) {
			t.Errorf("another reply: %v", err)
		}
		if err := send(task.Reply{Value: value + "x"}); !errors.Is(err, coordclient.ErrTooLarge) {
			t.Errorf("too long: %v", err)
		}
		all, err := s.Requests(t.Context(), b)
		if err != nil || len(all) != 1 || all[0].FireID != id || *all[0].Reply != first || all[0].Asked.IsZero() {
			t.Errorf("%d requests, %v", len(all), err)
		}
	})
}

func TestReplyWhoseAnswerWasLost(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]coordtest.Fault{
		"done":     {LoseReply: true},
		"not done": {Drop: true, LoseReply: true},
		"late":     {Late: 5 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := 0
				s, err := losing(t, fault, 2, func(s *Store) error {
					info, err := s.Create(t.Context(), named("x"))
					if err != nil {
						return err
					}
					b, _ = BucketOf(info.UID)
					return s.Reply(t.Context(), info.Key, task.ScheduledID(info.UID, time.UnixMilli(5)), task.Reply{OK: true})
				})
				if err != nil {
					t.Fatal(err)
				}
				if all, err := s.Requests(t.Context(), b); err != nil || len(all) != 1 {
					t.Errorf("%v, %v", all, err)
				}
			})
		})
	}
}

func TestReplySecretIsOne(t *testing.T) {
	t.Parallel()
	c := coordtest.NewCluster(nil)
	var secrets [8][]byte
	done := make(chan error)
	for i := range secrets {
		s := New(c.Join("n", nil), Options{})
		go func() { // ends with the call
			var err error
			secrets[i], err = s.ReplySecret(t.Context())
			done <- err
		}()
	}
	for range secrets {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range secrets {
		if len(s) != secretLength || !bytes.Equal(s, secrets[0]) {
			t.Errorf("%x and %x", s, secrets[0])
		}
	}
}
