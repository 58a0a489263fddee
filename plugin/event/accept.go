package event

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/seed42aab489/belfry/plugin/task"
)

// maxTries bounds the attempts at one commit that others keep changing.
const maxTries = 20

// Bounds of the hits that one commit takes, as if each were as large in the
// outbox, for each subscription, as it is itself.
const (
	maxCommitBytes    = 224 << 10
	maxCommitMessages = 256
)

// accepted is the nth hit of its request on a trigger.
type accepted struct {
	hit       *hit
	nth, size int
}

// Accept makes the hits of a request durable: for each trigger its state and
// its messages in one commit, or few where there are many. Hits that were
// accepted before change nothing, so after an error the same may be given again.
// The hits of one request are to be given together and in their order, by which
// several of one trigger are told apart. A hit that cannot be read is an error;
// the others are accepted.
//
// While the store is away, hits of a request without a firing are kept in memory
// and accepted when it is back, by the goroutine that Start started; they are no
// error then. There is room for 8 MiB of them.
func (t *Triggers) Accept(ctx context.Context, hits [][]byte) error {
	if _, n := t.backlog.first(); n > 0 && t.postpone(hits, ErrUnavailable) {
		return nil // behind those that wait, since the order tells edges
	}
	err := t.accept(ctx, hits)
	if err != nil && t.postpone(hits, err) {
		return nil
	}
	return err
}

func (t *Triggers) accept(ctx context.Context, hits [][]byte) error {
	var errs []error
	var order []Ref
	byRef := map[Ref][]accepted{}
	nth := map[string]int{}
	for _, data := range hits {
		h, err := decodeHit(data)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if byRef[h.Ref] == nil {
			order = append(order, h.Ref)
		}
		first := h.id(0)
		byRef[h.Ref] = append(byRef[h.Ref], accepted{h, nth[first], len(data)})
		nth[first]++
	}
	for _, ref := range order {
		for left := byRef[ref]; len(left) > 0; {
			n := fitting(left)
			if err := t.change(ctx, ref, acceptAll(left[:n])); err != nil {
				errs = append(errs, err)
				break // the later ones would be accepted before these
			}
			left = left[n:]
		}
	}
	return errors.Join(errs...)
}

// fitting is how many of the hits go into one commit, at least one.
func fitting(hits []accepted) int {
	bytes, messages := 0, 0
	for i, a := range hits {
		bytes += a.size * max(1, len(a.hit.To))
		messages += len(a.hit.To)
		if i > 0 && (bytes > maxCommitBytes || messages > maxCommitMessages) {
			return i
		}
	}
	return len(hits)
}

func acceptAll(hits []accepted) func(*state) ([]ring, bool) {
	return func(s *state) (rings []ring, changed bool) {
		for _, a := range hits {
			r, c := s.accept(a.hit, a.nth)
			rings, changed = append(rings, r...), changed || c
		}
		return rings, changed
	}
}

// change reads a trigger's state, decides and commits, again and again until
// nobody else came between.
func (t *Triggers) change(ctx context.Context, ref Ref, decide func(*state) ([]ring, bool)) error {
	unlock, err := t.locks.lock(ctx, ref)
	if err != nil {
		return fmt.Errorf("event trigger %s: %w", ref, err)
	}
	defer unlock()
	for try := 1; ; try++ {
		s, err := t.tryChange(ctx, ref, decide)
		if err == nil {
			t.timers.set(ref, s.due())
			return nil
		}
		again := errors.Is(err, ErrConflict) || errors.Is(err, ErrUnknownOutcome)
		if !again || try == maxTries || ctx.Err() != nil {
			return fmt.Errorf("event trigger %s: %w", ref, err)
		}
	}
}

func (t *Triggers) tryChange(ctx context.Context, ref Ref, decide func(*state) ([]ring, bool)) (*state, error) {
	data, version, err := t.c.States.Get(ctx, ref)
	if err != nil {
		return nil, err
	}
	s, err := decodeState(data)
	if err != nil {
		return nil, err
	}
	rings, changed := decide(s)
	if !changed {
		return s, nil
	}
	after, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	messages, err := t.messages(ref, rings, MaxAccept-len(after))
	if err != nil {
		return nil, err
	}
	return s, t.c.States.Accept(ctx, ref, version, after, messages)
}

// messages makes those of the rings. What does not fit loses its attachment.
func (t *Triggers) messages(ref Ref, rings []ring, room int) ([]task.Message, error) {
	var all []task.Message
	for _, r := range rings {
		for _, to := range r.hit.To {
			all = append(all, r.message(to))
		}
		if r.of != nil && r.of.More > 0 {
			t.c.Reporter.Report(Report{
				At: t.c.Now(), Level: "warn", Code: CodeTruncated, Object: ref.String(),
				Text: fmt.Sprintf("a digest tells of %d events and counts %d more", len(r.of.Entries), r.of.More),
			})
		}
	}
	encoded, err := json.Marshal(all)
	if err != nil {
		return nil, err
	}
	if len(encoded) > room {
		for i := range all {
			if all[i].Event != nil {
				all[i].Event = nil
				all[i].Text += "\nThe event was too large to be attached.\n"
			}
		}
	}
	return all, nil
}

func (r ring) message(to string) task.Message {
	m := r.hit.message(r.id, to)
	if r.of != nil {
		m.Subject, m.Text = digestText(r.of, min(max(maxTexts/max(1, len(r.hit.To)), minText), MaxText))
	}
	if r.muted > 0 {
		m.Text = mutedText(r.muted) + "\n\n" + m.Text
	}
	return m
}

// locks lets one goroutine at a time change a trigger, so that hits of one host
// wait for each other instead of meeting in conflicts.
type locks struct {
	mu   *sync.Mutex // guards held
	held map[Ref]*refLock
}

type refLock struct {
	turn  chan struct{}
	users int
}

func newLocks() locks { return locks{mu: &sync.Mutex{}, held: map[Ref]*refLock{}} }

func (l locks) lock(ctx context.Context, ref Ref) (unlock func(), err error) {
	l.mu.Lock()
	k := l.held[ref]
	if k == nil {
		k = &refLock{turn: make(chan struct{}, 1)}
		l.held[ref] = k
	}
	k.users++
	l.mu.Unlock()
	leave := func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if k.users--; k.users == 0 {
			delete(l.held, ref)
		}
	}
	select {
	case k.turn <- struct{}{}:
		return func() { <-k.turn; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}
