package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/parallel"
	"github.com/seed42aab489/belfry/plugin/place"
	"github.com/seed42aab489/belfry/plugin/store"
)

// survey is what is known of a bucket's load.
type survey struct {
	load place.Load
	edit int64 // of the definitions that it was measured from
	kept bool  // in the store, with the roll of these definitions
}

// recall makes sure that something is known of every bucket: from a leader
// before, if it kept it, else from its definitions.
func (r *reign) recall(ctx context.Context, holders []store.Holder) error {
	known := len(r.loads)
	if known == len(holders) {
		return nil
	}
	loads := make([]survey, len(holders))
	copy(loads, r.loads)
	err := parallel.Each(ctx, len(holders)-known, func(ctx context.Context, i int) error {
		b := known + i
		kept, ok, err := r.d.Store.Survey(ctx, b)
		if err != nil {
			return err
		}
		var s place.Survey
		if ok && json.Unmarshal(kept.Data, &s) == nil && s.Resolver == r.described(b) {
			loads[b] = survey{load: s.Load, edit: kept.Edit, kept: kept.Rolled}
			return nil
		}
		loads[b], _, err = r.measure(ctx, b, holders[b].Edit)
		return err
	})
	if err != nil {
		return err
	}
	r.loads = loads
	return nil
}

// measure reads a bucket's definitions. They are at least as new as edit.
func (r *reign) measure(ctx context.Context, b int, edit int64) (survey, store.Roll, error) {
	roll, err := r.d.Store.Roll(ctx, b)
	if err != nil {
		return survey{}, roll, err
	}
	resolver, _ := r.resolverFor(b)
	return survey{load: r.meter.Load(roll.Definitions, resolver, r.d.Now()), edit: edit}, roll, nil
}

// described names the resolver of a bucket with its settings.
func (r *reign) described(b int) string {
	resolver, _ := r.resolverFor(b)
	return describe(resolver)
}

// learn finds out what need not be known at once: in case a watch stayed silent,
// which services there are, and what buckets hold. It is broken off when there is
// something to decide: who leaves cannot wait. True: there is something new to
// decide by.
func (r *reign) learn(ctx context.Context, holders []store.Holder) (learnt bool, err error) {
	within, cancel := r.untilCalled(ctx)
	defer cancel()
	if time.Since(r.readAt) >= renewServices {
		err = r.rereadServices(within)
	}
	if err == nil {
		learnt, err = r.survey(within, holders)
	}
	if ctx.Err() == nil && within.Err() != nil {
		err = nil // it was broken off, and goes on in the next round
	}
	return learnt, err
}

// survey brings what is known of buckets up to their edits. A few edits are added
// at once to what was known; a bucket is measured again, and what was found kept,
// as far as the allowance of reads goes.
func (r *reign) survey(ctx context.Context, holders []store.Holder) (bool, error) {
	learnt := false
	r.allow(time.Now())
	first := r.next
	for n := 0; n < len(holders) && ctx.Err() == nil; n++ {
		b := (first + n) % len(holders) // each has its turn
		l := &r.loads[b]
		if l.kept && l.edit == holders[b].Edit {
			continue
		}
		if r.allowance > 0 {
			if err := r.remeasure(ctx, b, holders[b].Edit); err != nil {
				return learnt, err
			}
			r.allowance -= l.load.Tasks + perSurvey
			r.next, learnt = (b+1)%len(holders), true
			continue
		}
		amended, err := r.amend(ctx, b, holders[b].Edit)
		if err != nil {
			return learnt, err
		}
		learnt = learnt || amended
	}
	return learnt, nil
}

// allow adds to the allowance what has come together since it was last asked. It
// may be overdrawn by one bucket, so that large ones are measured too.
func (r *reign) allow(now time.Time) {
	earned := int(min(now.Sub(r.allowed).Seconds()*surveyRate, maxSurvey))
	r.allowance, r.allowed = min(r.allowance+earned, maxSurvey), now
}

// remeasure measures a bucket and keeps what it found.
func (r *reign) remeasure(ctx context.Context, b int, edit int64) error {
	s, roll, err := r.measure(ctx, b, edit)
	if err != nil {
		return err
	}
	data, err := json.Marshal(place.Survey{Resolver: r.described(b), Load: s.load})
	if err != nil {
		return fmt.Errorf("survey of bucket %d: %w", b, err)
	}
	err = r.d.Store.PutSurvey(ctx, r.lead, b, store.Survey{Edit: s.edit, Data: data}, roll)
	if err != nil && !errors.Is(err, coordclient.ErrTooLarge) {
		return err
	}
	s.kept = true
	r.loads[b] = s
	return nil
}

// amend adds to what is known of a bucket what was edited since. False: nothing
// was, or too much: that is found when the bucket is measured.
func (r *reign) amend(ctx context.Context, b int, edit int64) (bool, error) {
	l := &r.loads[b]
	if l.edit == edit {
		return false, nil
	}
	edited, last, ok, err := r.d.Store.Edited(ctx, b, l.edit)
	if err != nil {
		return false, err
	}
	l.kept = false
	if !ok {
		return false, nil
	}
	resolver, _ := r.resolverFor(b)
	l.load, l.edit = r.meter.Amend(l.load, edited, resolver, r.d.Now()), last
	return true, nil
}
