package zk

import (
	"errors"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
)

// TestHealth plays what happens to a session with T = 12 s, at given seconds.
func TestHealth(t *testing.T) {
	t.Parallel()
	const T = 12 * time.Second
	type step struct {
		at   float64 // seconds
		do   string  // "", connect, disconnect, ack, end
		sent float64 // of an ack
		want coordclient.State
	}
	const healthy, suspended, lost = coordclient.Healthy, coordclient.Suspended, coordclient.Lost
	for name, steps := range map[string][]step{
		"a write makes it healthy":       {{0, "connect", 0, suspended}, {0.2, "ack", 0.1, healthy}, {3, "ack", 2.9, healthy}},
		"no write, not healthy":          {{0, "connect", 0, suspended}, {1, "", 0, suspended}},
		"a write of before does not":     {{0, "ack", 0, suspended}, {1, "connect", 0, suspended}, {1.1, "ack", 0.9, suspended}, {1.2, "ack", 1.1, healthy}},
		"disconnected":                   {{0, "connect", 0, suspended}, {0, "ack", 0, healthy}, {1, "disconnect", 0, suspended}, {1.5, "connect", 0, suspended}, {2, "ack", 1.6, healthy}},
		"an answer after the connection": {{0, "connect", 0, suspended}, {0, "ack", 0, healthy}, {1, "disconnect", 0, suspended}, {1.1, "ack", 0.9, suspended}},
		"a late answer":                  {{0, "connect", 0, suspended}, {0, "ack", 0, healthy}, {2, "", 0, healthy}, {4, "ack", 0.9, suspended}, {4.5, "ack", 4.1, healthy}},
		"a stall":                        {{0, "connect", 0, suspended}, {0, "ack", 0, healthy}, {3.1, "", 0, suspended}, {3.3, "ack", 3, suspended}, {3.5, "ack", 3.2, healthy}},
		"silence, then loss":             {{0, "connect", 0, suspended}, {0, "ack", 0, healthy}, {3, "", 0, healthy}, {6, "", 0, healthy}, {6.1, "", 0, suspended}, {7.9, "", 0, suspended}, {8, "", 0, lost}},
		"loss counts from the sending":   {{0, "connect", 0, suspended}, {1, "ack", 0.5, healthy}, {3, "", 0, healthy}, {5, "", 0, healthy}, {7, "", 0, suspended}, {8.4, "", 0, suspended}, {8.5, "", 0, lost}},
		"lost while disconnected":        {{0, "connect", 0, suspended}, {0, "ack", 0, healthy}, {1, "disconnect", 0, suspended}, {8, "", 0, lost}},
		"lost after a long stall":        {{0, "connect", 0, suspended}, {0, "ack", 0, healthy}, {100, "", 0, lost}},
		"an answer does not bring back":  {{0, "connect", 0, suspended}, {0, "ack", 0, healthy}, {8.1, "ack", 8, lost}, {8.2, "connect", 0, lost}, {8.3, "ack", 8.2, lost}, {8.4, "disconnect", 0, lost}},
		"ended":                          {{0, "connect", 0, suspended}, {0, "ack", 0, healthy}, {1, "end", 0, lost}, {1.1, "ack", 1, lost}},
		"never connected is not lost":    {{0, "", 0, suspended}, {2, "", 0, suspended}, {50, "", 0, suspended}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			at := func(seconds float64) time.Time { return start.Add(time.Duration(seconds * float64(time.Second))) }
			h := newHealth(T, start)
			told := 0
			h.onLost = func(error) { told++ }
			was, changed, _ := h.look(start)
			for _, s := range steps {
				switch s.do {
				case "connect":
					h.connect(at(s.at))
				case "disconnect":
					h.disconnect(at(s.at), errCut)
				case "ack":
					h.acked(at(s.sent), at(s.at))
				case "end":
					h.end(errExpired)
				}
				got, next, cause := h.look(at(s.at))
				if got != s.want {
					t.Fatalf("at %v, after %q: %s (%v), want %s", s.at, s.do, got, cause, s.want)
				}
				if (cause == nil) != (got == healthy) {
					t.Errorf("at %v: %s because of %v", s.at, got, cause)
				}
				if got != was && !isClosed(changed) {
					t.Errorf("at %v: from %s to %s, and nobody was told", s.at, was, got)
				}
				was, changed = got, next
			}
			if (was == lost) != isClosed(h.lost) || (was == lost) != (told == 1) {
				t.Errorf("%s, lost is closed: %t, told %d times", was, isClosed(h.lost), told)
			}
			if err := h.usable(at(steps[len(steps)-1].at)); was == lost && !errors.Is(err, coordclient.ErrUnavailable) {
				t.Errorf("lost and usable: %v", err)
			}
		})
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// A machine that slept is seen by the wall clock alone.
func TestHealthSleep(t *testing.T) {
	t.Parallel()
	now := time.Now()
	h := newHealth(12*time.Second, now)
	h.connect(now)
	h.acked(now, now)
	h.ticked = h.ticked.Round(0).Add(-time.Minute) // no monotonic reading: as the wall clock sees it
	if state, _, err := h.look(now.Add(time.Millisecond)); state != coordclient.Suspended || !errors.Is(err, errStalled) {
		t.Errorf("after a sleep: %s, %v", state, err)
	}
}
