package plugin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/event"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
)

// states keeps the states of event triggers in the store.
type states struct{ s *store.Store }

func (s states) Get(ctx context.Context, ref event.Ref) ([]byte, int64, error) {
	data, version, err := s.s.TriggerState(ctx, ref.Service, ref.Trigger)
	return data, version, eventError(err)
}

func (s states) Accept(ctx context.Context, ref event.Ref, version int64, data []byte, messages []task.Message) error {
	return eventError(s.s.Accept(ctx, store.TriggerCommit{
		Service: ref.Service, Trigger: ref.Trigger, Version: version, State: data, Messages: messages,
	}))
}

// outbox is the store's, as the dispatcher asks for it: the messages in the
// buckets that this member owns.
type outbox struct {
	s     *store.Store
	owned func() map[int]bool
}

func (o outbox) Pending(ctx context.Context, limit int) ([]event.Pending, <-chan struct{}, error) {
	mine := o.owned()
	list, changed, err := o.s.Outbox(ctx, func(b int) bool { return mine[b] })
	if err != nil {
		return nil, nil, eventError(err)
	}
	slices.SortStableFunc(list, func(a, b store.Message) int {
		return cmp.Or(cmp.Compare(rank(a.Dead), rank(b.Dead)), a.Next.Compare(b.Next))
	})
	return fair(list, limit), changed, nil
}

// fair gives the first of a list, but of one receiver no more than an eighth of
// the limit before others have had their turn: a flood to one does not keep what
// is for others waiting, followers of tasks among them.
func fair(list []store.Message, limit int) []event.Pending {
	pending := make([]event.Pending, 0, min(limit, len(list)))
	taken, later := make(map[string]int), []store.Message(nil)
	for _, m := range list {
		if taken[m.To]++; taken[m.To] > max(1, limit/8) {
			later = append(later, m)
		} else if len(pending) < limit {
			pending = append(pending, event.Pending(m))
		}
	}
	for _, m := range later[:min(limit-len(pending), len(later))] {
		pending = append(pending, event.Pending(m))
	}
	return pending
}

func rank(dead bool) int {
	if dead {
		return 1
	}
	return 0
}

func (o outbox) Update(ctx context.Context, p event.Pending) error {
	return eventError(o.s.UpdateMessage(ctx, store.Message(p)))
}

func (o outbox) Done(ctx context.Context, p event.Pending) error {
	return eventError(o.s.RemoveMessage(ctx, store.Message(p)))
}

// eventError gives the store's errors the names that package event knows.
func eventError(err error) error {
	for _, known := range [...]struct{ port, event error }{
		{coordclient.ErrConflict, event.ErrConflict},
		{coordclient.ErrNotFound, event.ErrConflict},
		{coordclient.ErrUnavailable, event.ErrUnavailable},
		{coordclient.ErrUnknownOutcome, event.ErrUnknownOutcome},
	} {
		if errors.Is(err, known.port) {
			return fmt.Errorf("%w: %w", known.event, err)
		}
	}
	return err
}
