package timer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// ErrMoved says that a memory is not at the version that was read.
var ErrMoved = errors.New("another run has written it")

// Memory keeps what is remembered of tasks, by uid. Safe for concurrent use.
type Memory interface {
	// Recall reads; no data and version -1 if there is none.
	Recall(ctx context.Context, uid string) (data []byte, version int64, err error)
	// Remember writes at the version that was read. Error: ErrMoved.
	Remember(ctx context.Context, uid string, data []byte, version int64) error
}

// memory is what is remembered of a timer.
type memory struct {
	Failures int       `json:"failures,omitempty"` // in a row
	Until    time.Time `json:"until,omitzero"`     // nothing before
	// Fire is the firing that failed last, Done its handlers that did not.
	Fire task.FireID `json:"fire,omitempty"`
	Done []string    `json:"done,omitempty"`
	// Seen is what resource kickers saw last, by handler.
	Seen map[string]seen `json:"seen,omitempty"`
}

// seen is a state of a watched resource.
type seen struct {
	ETag  string `json:"etag,omitempty"`
	Hash  string `json:"hash,omitempty"` // SHA-256 of the content
	Kicks int64  `json:"kicks"`          // changes that were told
}

func (s *Service) recall(ctx context.Context, uid string) (memory, int64, error) {
	data, version, err := s.d.Memory.Recall(ctx, uid)
	if err != nil {
		return memory{}, 0, fmt.Errorf("memory of the timer: %w", err)
	}
	var m memory
	if len(data) > 0 {
		if err := json.Unmarshal(data, &m); err != nil {
			s.d.Log.Error("memory of a timer cannot be read and is begun anew", "uid", uid, "err", err)
			m = memory{}
		}
	}
	return m, version, nil
}

// lesson is what a run changes in a timer's memory.
type lesson struct {
	fire   task.FireID
	done   []string
	seen   map[string]seen
	failed bool
	until  func(failures int) time.Time // of a failure
}

func (l *lesson) into(m *memory) {
	for name, s := range l.seen {
		if m.Seen == nil {
			m.Seen = map[string]seen{}
		}
		if s.Kicks >= m.Seen[name].Kicks { // never back, when runs overlap
			m.Seen[name] = s
		}
	}
	if !l.failed {
		m.Failures, m.Until, m.Fire, m.Done = 0, time.Time{}, "", nil
		return
	}
	m.Failures++
	m.Until, m.Fire, m.Done = l.until(m.Failures), l.fire, l.done
}

// maxRewrites bounds how often a memory is read again because it moved.
const maxRewrites = 10

// remember writes what a run has learnt, if that changes anything.
func (s *Service) remember(ctx context.Context, uid string, m memory, version int64, l *lesson) error {
	for range maxRewrites {
		before, err := json.Marshal(m)
		if err != nil {
			return err
		}
		l.into(&m)
		after, err := json.Marshal(m)
		if err != nil || slices.Equal(before, after) {
			return err
		}
		err = s.d.Memory.Remember(ctx, uid, after, version)
		if !errors.Is(err, ErrMoved) {
			return err
		}
		if m, version, err = s.recall(ctx, uid); err != nil {
			return err
		}
	}
	return fmt.Errorf("memory of the timer: %w %d times", ErrMoved, maxRewrites)
}
