//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// pulse measures how long this machine holds up a program that does almost nothing:
// it waits, and writes a byte to the disk. What is late by no more than some of that
// is no fault of the hosts.
type pulse struct {
	mu    sync.Mutex
	beats []beat // guarded by mu
}

type beat struct {
	at time.Time
	by time.Duration // late
}

// feel feels the pulse until the end of the test.
func feel(t *testing.T) *pulse {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "pulse"))
	if err != nil {
		t.Fatal(err)
	}
	p := &pulse{}
	var feeling sync.WaitGroup
	feeling.Go(func() { // ends with the test
		const every = 100 * time.Millisecond
		for t.Context().Err() == nil {
			due := time.Now().Add(every)
			during(t, every)
			if _, err := f.WriteAt([]byte{'x'}, 0); err != nil {
				t.Error(err)
				return
			}
			if err := f.Sync(); err != nil {
				t.Error(err)
				return
			}
			p.mu.Lock()
			p.beats = append(p.beats, beat{due, time.Since(due)})
			p.mu.Unlock()
		}
	})
	t.Cleanup(func() {
		feeling.Wait() // the test's context is over by now
		_ = f.Close()
	})
	return p
}

// worst is the longest delay from a time on.
func (p *pulse) worst(from time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	var most time.Duration
	for _, b := range p.beats {
		if !b.at.Before(from) {
			most = max(most, b.by)
		}
	}
	return most
}
