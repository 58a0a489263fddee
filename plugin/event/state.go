package event

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Bounds of a trigger's state.
const (
	recentFirings  = 256 // firings of which hits were accepted
	recentRequests = 64  // and plain requests
	maxDigest      = 50  // rings that a digest tells of; more are counted
	maxEntry       = 1 << 10
)

// state is what a trigger remembers. The zero value is one that never rang. It
// is pure: accept and tick change it and tell what rings.
type state struct {
	Format int `json:"format"`
	// Disarmed: edge only; it rang and was not re-armed since.
	Disarmed bool `json:"disarmed,omitempty"`
	// Since is the first of the observations without interruption that held, of a
	// trigger with a hold; zero: the last one did not.
	Since time.Time `json:"since,omitzero"`
	// Elapsed: it has held long enough.
	Elapsed bool `json:"elapsed,omitempty"`
	// Waiting is what to ring at Since + hold, under the id of the first hit.
	Waiting   *hit   `json:"waiting,omitempty"`
	WaitingID string `json:"waiting_id,omitempty"`
	// Quiet: silent until then. Muted counts what did not ring meanwhile.
	Quiet  time.Time `json:"quiet,omitzero"`
	Muted  int       `json:"muted,omitempty"`
	Digest *digest   `json:"digest,omitempty"`
	// Last is the latest time of an observation; time never goes back before it.
	Last     time.Time `json:"last,omitzero"`
	Firings  []taken   `json:"firings,omitempty"`
	Requests []taken   `json:"requests,omitempty"`
}

// taken tells how many of the hits of a request on this trigger were accepted:
// they come in their order, always the same.
type taken struct {
	ID string `json:"id"`
	N  int    `json:"n"`
}

// digest gathers rings into one message.
type digest struct {
	ID      string    `json:"id"` // of its first ring
	Due     time.Time `json:"due"`
	Entries []entry   `json:"entries"`
	More    int       `json:"more,omitempty"`
	Last    *hit      `json:"last"`
}

type entry struct {
	At      time.Time `json:"at"`
	Subject string    `json:"subject"`
	Text    string    `json:"text"`
}

// ring is a message to be raised, for each subscription of its hit.
type ring struct {
	id    string
	hit   *hit
	muted int     // rings that a cool-down kept silent before it
	of    *digest // nil: of the hit alone
}

func decodeState(data []byte) (*state, error) {
	s := &state{Format: 1}
	if len(data) == 0 {
		return s, nil
	}
	if err := json.Unmarshal(data, s); err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	if s.Format != 1 {
		return nil, fmt.Errorf("state: format %d is not known", s.Format)
	}
	if d := s.Digest; d != nil && (d.Last == nil || len(d.Entries) == 0) {
		return nil, fmt.Errorf("state: a digest of nothing")
	}
	return s, nil
}

// recent is the list that a hit's request is remembered in, and its bound.
func (s *state) recent(h *hit) (list *[]taken, bound int) {
	if h.FireID != "" {
		return &s.Firings, recentFirings
	}
	return &s.Requests, recentRequests
}

// seen tells whether the nth hit of a request was accepted before.
func (s *state) seen(h *hit, nth int) bool {
	list, _ := s.recent(h)
	id := h.id(0)
	return slices.ContainsFunc(*list, func(t taken) bool { return t.ID == id && t.N > nth })
}

func (s *state) remember(h *hit, nth int) {
	list, bound := s.recent(h)
	id := h.id(0)
	*list = slices.DeleteFunc(*list, func(t taken) bool { return t.ID == id })
	*list = append(*list, taken{id, nth + 1})
	*list = (*list)[max(0, len(*list)-bound):]
}

// accept takes the nth hit of a request and tells what rings, and whether the
// state is to be stored: not if the hit was seen before, or says nothing new.
func (s *state) accept(h *hit, nth int) (rings []ring, changed bool) {
	if s.seen(h, nth) {
		return nil, false
	}
	t, id := later(h.At, s.Last), h.id(nth)
	if !h.Held {
		return s.acceptNot(h, nth)
	}
	s.remember(h, nth)
	waiting := s.Waiting != nil
	if waiting && !t.Before(s.Since.Add(h.Policy.Hold)) {
		s.Waiting = h // it is due by this very hit: let it ring with its values
	}
	rings = s.tick(t)
	s.Last = t
	if h.Rearmed {
		s.Disarmed = false
	}
	switch {
	case waiting && s.Waiting == nil: // rung just now
	case h.Policy.Edge && s.Disarmed:
	case h.Policy.Hold == 0 || s.Elapsed:
		rings = append(rings, s.ring(h, id, t)...)
	default:
		if s.Since.IsZero() {
			s.Since, s.WaitingID = t, id
		}
		s.Waiting = h
	}
	return rings, true
}

// acceptNot takes a hit whose condition does not hold. One that is older than
// what was accepted says nothing of the present: it may be a replay that was of
// no consequence the first time, and was not remembered.
func (s *state) acceptNot(h *hit, nth int) (rings []ring, changed bool) {
	if h.At.Before(s.Last) {
		return nil, false
	}
	rings = s.tick(h.At)
	rearm := s.Disarmed && (h.Rearmed || !h.Policy.Rearm)
	if len(rings) == 0 && !rearm && s.Since.IsZero() {
		return nil, false
	}
	if rearm {
		s.Disarmed = false
	}
	s.Since, s.Elapsed, s.Waiting, s.WaitingID = time.Time{}, false, nil, ""
	s.Last = h.At
	s.remember(h, nth)
	return rings, true
}

// tick rings what is due by itself at now.
func (s *state) tick(now time.Time) []ring {
	var rings []ring
	if h := s.Waiting; h != nil {
		if due := s.Since.Add(h.Policy.Hold); !now.Before(due) {
			s.Waiting, s.Elapsed = nil, true
			if due.Before(s.Last) {
				due = s.Last
			}
			rings = s.ring(h, s.WaitingID, due)
		}
	}
	if d := s.Digest; d != nil && !now.Before(d.Due) {
		s.Digest = nil
		rings = append(rings, ring{id: identify("digest", d.ID), hit: d.Last, of: d})
	}
	return rings
}

// due is when tick is next needed; zero: never.
func (s *state) due() time.Time {
	var due time.Time
	if s.Waiting != nil {
		due = s.Since.Add(s.Waiting.Policy.Hold)
	}
	if s.Digest != nil && (due.IsZero() || s.Digest.Due.Before(due)) {
		due = s.Digest.Due
	}
	return due
}

// ring rings at t, or keeps silent, or adds to the digest.
func (s *state) ring(h *hit, id string, t time.Time) []ring {
	if t.Before(s.Quiet) {
		s.Muted++
		return nil
	}
	r := ring{id: id, hit: h, muted: s.Muted}
	s.Muted, s.Quiet = 0, time.Time{}
	s.Disarmed = h.Policy.Edge
	if h.Policy.CoolDown > 0 {
		s.Quiet = t.Add(h.Policy.CoolDown)
	}
	if h.Policy.Digest == 0 {
		return []ring{r}
	}
	if s.Digest == nil {
		s.Digest = &digest{ID: id, Due: t.Add(h.Policy.Digest)}
	}
	s.Digest.add(h, r.muted)
	return nil
}

func (d *digest) add(h *hit, muted int) {
	d.Last = h
	if len(d.Entries) >= maxDigest {
		d.More++
		return
	}
	text := h.Text
	if muted > 0 {
		text = mutedText(muted) + "\n" + text
	}
	d.Entries = append(d.Entries, entry{At: h.At, Subject: h.Subject, Text: clip(text, maxEntry)})
}
