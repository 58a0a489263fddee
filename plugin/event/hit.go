package event

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// hit is what Observe hands over to Accept, by way of the host: all that the
// acceptance needs, so that it can be replayed where the trigger is no longer
// deployed.
type hit struct {
	Format int `json:"format"`
	Ref
	Query   string      `json:"query,omitempty"`
	Request string      `json:"request"`
	FireID  task.FireID `json:"fire_id,omitempty"`
	Task    *task.Key   `json:"task,omitempty"`
	Topic   string      `json:"topic,omitempty"`
	At      time.Time   `json:"at"`
	Held    bool        `json:"held,omitempty"`
	Rearmed bool        `json:"rearmed,omitempty"` // the re-arm condition holds
	Policy  policy      `json:"policy"`
	// What follows only of a hit that held.
	To      []string `json:"to,omitempty"`
	Subject string   `json:"subject,omitempty"`
	Text    string   `json:"text,omitempty"`
	Event   []byte   `json:"event,omitempty"`
}

// hitFormat changes when an older program would misread a hit.
const hitFormat = 1

// maxHit bounds a hit in bytes.
const maxHit = MaxAccept

func (h *hit) encode() ([]byte, error) { return json.Marshal(h) }

func decodeHit(data []byte) (*hit, error) {
	if len(data) > maxHit {
		return nil, fmt.Errorf("hit: %d bytes, at most %d", len(data), maxHit)
	}
	h := &hit{}
	dec := json.NewDecoder(strings.NewReader(string(data)))
	if err := dec.Decode(h); err != nil {
		return nil, fmt.Errorf("hit: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("hit: more than one value")
	}
	switch {
	case h.Format != hitFormat:
		return nil, fmt.Errorf("hit: format %d is not known", h.Format)
	case h.Service == "" || h.Trigger == "" || h.Request == "":
		return nil, errors.New("hit: service, trigger and request are needed")
	case h.At.IsZero():
		return nil, errors.New("hit: no time")
	case h.Policy.Hold < 0 || h.Policy.CoolDown < 0 || h.Policy.Digest < 0:
		return nil, errors.New("hit: a negative duration")
	case len(h.To) > MaxSubscriptions:
		return nil, errors.New("hit: too many subscriptions")
	}
	return h, nil
}

// id names the nth hit of a request on a trigger, for ever.
func (h *hit) id(nth int) string {
	parts := []string{h.Request, h.Service, h.Trigger}
	if h.FireID != "" {
		parts[0] = string(h.FireID)
	}
	if nth > 0 {
		parts = append(parts, fmt.Sprint(nth))
	}
	return identify(parts...)
}

// identify hashes parts, so that no two lists give the same.
func identify(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// message is the hit for one subscription.
func (h *hit) message(id, to string) task.Message {
	return task.Message{
		ID: identify(id, to), To: to, Raised: h.At.UTC(), Subject: h.Subject, Text: h.Text, Event: h.Event,
		Source: task.MessageSource{
			Kind: "event", Service: h.Service, Query: h.Query, Trigger: h.Trigger, Topic: h.Topic,
			Task: h.Task, FireID: h.FireID,
		},
	}
}
