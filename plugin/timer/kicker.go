package timer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/invoke/web"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Kick is the JSON body that a kicker posts to its receiver.
type Kick struct {
	Name     string         `json:"name"`     // of the timer
	Resource string         `json:"resource"` // its name
	Data     map[string]any `json:"data"`     // of the timer
	Event    string         `json:"event"`
	// FireID, Scheduled and Attempt are those of the firing; empty at start.
	FireID    string     `json:"fire_id,omitempty"`
	Scheduled *time.Time `json:"scheduled,omitempty"`
	Attempt   int        `json:"attempt,omitempty"`
	// ETag and Hash are those of a resource that changed.
	ETag string `json:"etag,omitempty"`
	Hash string `json:"hash,omitempty"`
}

// kickOf is the kick of an event by a handler.
func kickOf(r *run, h *Handler) Kick {
	k := Kick{Name: r.event.text(TaskName), Resource: h.Resource, Data: r.event.own(), Event: r.event.Name}
	if k.Resource == "" {
		k.Resource = r.event.text("resource")
	}
	if r.call != nil {
		at := r.call.Scheduled.UTC()
		k.FireID, k.Scheduled, k.Attempt = string(r.call.FireID), &at, r.call.Attempt
	}
	return k
}

// kickTimer posts every event.
func (s *Service) kickTimer(ctx context.Context, r *run, h *Handler) error {
	k := kickOf(r, h)
	key := ""
	if k.FireID != "" {
		key = k.FireID + "/" + h.Name
	}
	return s.post(ctx, h, key, k)
}

// kickResource looks at what it watches, and posts if that is not what it saw
// last.
func (s *Service) kickResource(ctx context.Context, r *run, h *Handler) error {
	last, known := r.seen[h.Name]
	now, changed, err := s.look(ctx, h, last)
	if err != nil {
		return fmt.Errorf("watch %s: %w", task.Shown(h.Watch), err)
	}
	if !changed && known {
		return nil
	}
	now.Kicks = last.Kicks
	if known || h.First {
		now.Kicks++
		k := kickOf(r, h)
		k.ETag, k.Hash = now.ETag, now.Hash
		if err := s.post(ctx, h, now.key(r.call.Info.UID, h), k); err != nil {
			return err
		}
	}
	r.learn.seen[h.Name] = now
	return nil
}

// key tells this change of a resource from any other, also from one that comes
// after it was told and the answer was lost.
func (s seen) key(uid string, h *Handler) string {
	sum := sha256.Sum256([]byte(s.ETag + "\x00" + s.Hash))
	return fmt.Sprintf("%s/%s/%d-%s", uid, h.Name, s.Kicks, hex.EncodeToString(sum[:6]))
}

// look reads a resource: by its ETag where it has one, else by the hash of its
// content.
func (s *Service) look(ctx context.Context, h *Handler, last seen) (now seen, changed bool, err error) {
	q := web.Request{Method: http.MethodGet, URL: h.Watch, Headers: h.Headers}
	if last.ETag != "" {
		q.Headers = append(q.Headers[:len(q.Headers):len(q.Headers)], task.Header{Name: "If-None-Match", Value: last.ETag})
	}
	a, err := s.d.Web.Do(ctx, q)
	switch {
	case err != nil:
		return seen{}, false, err
	case a.Status == http.StatusNotModified && last.ETag != "":
		return last, false, nil
	case a.Status < 200 || a.Status > 299:
		return seen{}, false, asks(a, s.d.Now())
	}
	now.ETag = a.Header.Get("ETag")
	if len(now.ETag) > maxETag {
		now.ETag = ""
	}
	if now.ETag == "" && !a.Whole {
		return seen{}, false, fmt.Errorf("it has no ETag and more than %d bytes, so nobody can tell whether it changed", len(a.Body))
	}
	if a.Whole {
		sum := sha256.Sum256(a.Body)
		now.Hash = hex.EncodeToString(sum[:])
	}
	if now.ETag != "" && last.ETag != "" {
		return now, now.ETag != last.ETag, nil
	}
	return now, now.Hash != last.Hash, nil
}

// maxETag bounds an ETag that is remembered, in bytes.
const maxETag = 256

// post sends a kick. The receiver has taken it if it answers 2xx; whatever else
// it answers, it may ask by Retry-After for a delay.
func (s *Service) post(ctx context.Context, h *Handler, key string, k Kick) error {
	body, err := json.Marshal(k)
	if err != nil {
		return fmt.Errorf("kick: %w", err)
	}
	a, err := s.d.Web.Do(ctx, web.Request{
		Method: http.MethodPost, URL: h.Receiver, Headers: h.Headers, Key: key, ContentType: "application/json", Body: body,
	})
	switch {
	case err != nil:
		return fmt.Errorf("receiver %w", err)
	case a.Status < 200 || a.Status > 299:
		return asks(a, s.d.Now())
	}
	return nil
}

// asks is the error of an answer, with the delay that it asks for.
func asks(a web.Response, now time.Time) error {
	err := a.Unexpected()
	after := strings.TrimSpace(a.Header.Get("Retry-After"))
	if seconds, bad := strconv.Atoi(after); bad == nil && seconds >= 0 {
		return Delayed(err, time.Duration(min(seconds, int(maxAsked/time.Second)))*time.Second)
	}
	if at, bad := http.ParseTime(after); bad == nil {
		return Delayed(err, at.Sub(now))
	}
	return err
}
