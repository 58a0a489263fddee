package firecheck

import (
	"slices"
	"time"

	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/task"
)

// The places of a history at which a mutation can be done.

// plainClaim is the claim of an instant.
func plainClaim(r bucket.Record) bool { return r.Kind == bucket.Claim && r.Manual == "" }

func finalOK(r bucket.Record) bool {
	return r.Kind == bucket.Settle && r.Final && r.Outcome == task.OK && r.Manual == ""
}

// claims: an instant is claimed that was not deferred, and its task is known.
func claims(h history, i int) bool {
	k := find(h[i], plainClaim)
	if k < 0 {
		return false
	}
	r := h[i].Batch.Records[k]
	return !slices.ContainsFunc(h[:i], func(e Event) bool {
		return find(e, func(d bucket.Record) bool { return d.Kind == bucket.Defer && d.UID == r.UID && d.At == r.At }) >= 0
	}) && lastIndex(h[:i], func(e Event) bool { return e.What == Defined && e.Info.UID == r.UID }) >= 0
}

// followed: an instant is claimed, and the task's next decision is a claim too.
func followed(h history, i int) bool {
	if !claims(h, i) {
		return false
	}
	r := h[i].Batch.Records[find(h[i], plainClaim)]
	before := slices.ContainsFunc(h[:i], func(e Event) bool {
		return find(e, func(d bucket.Record) bool { return d.UID == r.UID && plainClaim(d) }) >= 0
	})
	for _, e := range h[i+1:] {
		if e.What == Defined && e.Info.UID == r.UID {
			return false
		}
		k := find(e, func(d bucket.Record) bool {
			return d.UID == r.UID && d.Kind != bucket.Settle && d.Kind != bucket.Reclaim
		})
		if k >= 0 {
			return before && plainClaim(e.Batch.Records[k])
		}
	}
	return false
}

// continued: a batch has one before and one after it in its bucket.
func continued(h history, i int) bool {
	same := func(e Event) bool {
		return e.What == Committed && e.Bucket == h[i].Bucket && e.Batch.Seq != h[i].Batch.Seq
	}
	return h[i].What == Committed && slices.ContainsFunc(h[:i], same) && slices.ContainsFunc(h[i+1:], func(e Event) bool {
		return same(e) && e.Batch.Seq > h[i].Batch.Seq
	})
}

// settlesOK: a firing ended well that never waited for a reply, a while before the
// end, and its task is neither forgotten nor ever paused.
func settlesOK(h history, i int) bool {
	k := find(h[i], finalOK)
	if k < 0 {
		return false
	}
	r := h[i].Batch.Records[k]
	return h[len(h)-1].At.Sub(time.UnixMilli(r.At)) > 5*time.Second && !slices.ContainsFunc(h, func(e Event) bool {
		return e.What == Defined && e.Info.UID == r.UID && (e.Info.Deleted || e.Info.Paused) ||
			find(e, func(w bucket.Record) bool { return w.Outcome == task.Waiting && w.FireID() == r.FireID() }) >= 0
	})
}

func began(h history, i int) bool { return h[i].What == Began }

// beganScheduled: a run of an instant's firing, not one by hand, which has no time
// to be early for.
func beganScheduled(h history, i int) bool {
	_, scheduled := scheduledAt(h[i].Fire)
	return began(h, i) && scheduled
}

// firstRun: the first run of an instant's firing, which nothing had put off.
func firstRun(h history, i int) bool {
	e := h[i]
	_, scheduled := scheduledAt(e.Fire)
	if e.What != Began || !scheduled || lastIndex(h[:i], func(b Event) bool { return b.What == Began && b.Fire == e.Fire }) >= 0 {
		return false
	}
	return !slices.ContainsFunc(h[:i], func(b Event) bool {
		return find(b, func(r bucket.Record) bool { return r.Kind == bucket.Defer && r.FireID() == e.Fire }) >= 0
	})
}

// settledRun: a run of a firing that ended well.
func settledRun(h history, i int) bool {
	return h[i].What == Began && slices.ContainsFunc(h, func(e Event) bool {
		return find(e, func(r bucket.Record) bool {
			return r.Kind == bucket.Settle && r.Final && r.FireID() == h[i].Fire
		}) >= 0
	})
}

func effectOf(d task.Delivery) func(history, int) bool {
	return func(h history, i int) bool {
		return h[i].What == Effected && slices.ContainsFunc(h[:i], func(e Event) bool {
			return find(e, func(r bucket.Record) bool {
				return r.Kind == bucket.Claim && r.Delivery == d && r.FireID() == h[i].Fire
			}) >= 0
		})
	}
}

// soleEffect: the only effect of a firing that ended well.
func soleEffect(h history, i int) bool {
	if h[i].What != Effected {
		return false
	}
	effects := 0
	for _, e := range h {
		if e.What == Effected && e.Fire == h[i].Fire {
			effects++
		}
	}
	return effects == 1 && slices.ContainsFunc(h, func(e Event) bool {
		return find(e, func(r bucket.Record) bool { return finalOK(r) && r.FireID() == h[i].Fire }) >= 0
	})
}

func instantOf(e Event) time.Time {
	at, _ := scheduledAt(e.Fire)
	return time.UnixMilli(at)
}
