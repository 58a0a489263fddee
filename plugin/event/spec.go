package event

import (
	"fmt"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// TriggerSpec is an event trigger as a descriptor states it. The policy's zero
// value is the original's behaviour: it rings every time the condition holds.
type TriggerSpec struct {
	// Line and Column of the element, from 1. Zero: unknown.
	Line, Column int
	ID           string
	// Language of the conditions: "XPath" (or empty) or "CEL", see package cond.
	Language      string
	Expression    string
	Topic         string
	Subscriptions []string

	Edge     bool
	Hold     string // a duration: "30s", "5m"; bare numbers are milliseconds
	CoolDown string // a duration
	Rearm    string // edge only: a condition in the same language
	Digest   string // a duration
	Subject  string // text/template of the subject; empty: DefaultSubject
	Body     string // text/template of the text; empty: the standard text
}

// Observation is what a query was given, or what it returned.
type Observation struct {
	Service, Query, Trigger string
	// Input: Document holds the parameters; otherwise the result.
	Input    bool
	Document []byte
	// Request identifies the request: the fire id of a firing, else random.
	Request string
	// FireID is empty for a request that is not a firing.
	FireID task.FireID
	// Task is the task of the firing, where it is known.
	Task *task.Key
	At   time.Time
}

// Bounds of what a trigger may say and of what is made of it.
const (
	MaxSubscriptions = 16
	MaxPolicy        = 31 * 24 * time.Hour // of hold, cool-down and digest
	MaxSubject       = 200                 // characters
	MaxText          = 16 << 10            // bytes
	maxEvents        = 128 << 10           // bytes of the XML event, over all subscriptions
	maxTexts         = 64 << 10            // bytes of the text, over all subscriptions
	minText          = 4 << 10
)

// policy is how a trigger's conditions become messages.
type policy struct {
	Edge     bool          `json:"edge,omitempty"`
	Rearm    bool          `json:"rearm,omitempty"` // by a condition of its own
	Hold     time.Duration `json:"hold,omitempty"`
	CoolDown time.Duration `json:"cool_down,omitempty"`
	Digest   time.Duration `json:"digest,omitempty"`
}

// remembers tells whether observations for which the condition does not hold
// matter.
func (p policy) remembers() bool { return p.Edge || p.Hold > 0 }

func (s TriggerSpec) policy() (policy, error) {
	p := policy{Edge: s.Edge, Rearm: s.Rearm != ""}
	if p.Rearm && !p.Edge {
		return p, fmt.Errorf("a re-arm condition needs edge")
	}
	for _, d := range []struct {
		name, text string
		to         *time.Duration
	}{{"hold", s.Hold, &p.Hold}, {"cool-down", s.CoolDown, &p.CoolDown}, {"digest", s.Digest, &p.Digest}} {
		if d.text == "" {
			continue
		}
		var v task.Duration
		if err := v.UnmarshalText([]byte(d.text)); err != nil {
			return p, fmt.Errorf("%s: %w", d.name, err)
		}
		if v < 0 || time.Duration(v) > MaxPolicy {
			return p, fmt.Errorf("%s: %s is not between 0 and %s", d.name, d.text, MaxPolicy)
		}
		*d.to = time.Duration(v)
	}
	return p, nil
}
