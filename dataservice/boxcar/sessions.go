package boxcar

import (
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/dataservice"
)

// Limits bound the sessions. A zero field means its default.
type Limits struct {
	Sessions int           // open at once; default 1,000
	Requests int           // of one session; default 1,000
	Bytes    int64         // of the values of all sessions; default 64 MiB
	MaxAge   time.Duration // of a session since it began; default 5 minutes
}

// The defaults of Limits.
const (
	DefaultSessions = 1000
	DefaultRequests = 1000
	DefaultBytes    = 64 << 20
	DefaultMaxAge   = 5 * time.Minute
)

func (l Limits) withDefaults() Limits {
	if l.Sessions <= 0 {
		l.Sessions = DefaultSessions
	}
	if l.Requests <= 0 {
		l.Requests = DefaultRequests
	}
	if l.Bytes <= 0 {
		l.Bytes = DefaultBytes
	}
	if l.MaxAge <= 0 {
		l.MaxAge = DefaultMaxAge
	}
	return l
}

// Key names a session: the client's name for it, of one service and, where
// somebody is known, for one caller.
type Key struct {
	ID, Service, Caller string
}

// Sessions are the open sessions of a host. Safe for concurrent use. Errors are
// *dataservice.Fault.
type Sessions struct {
	limits Limits
	now    func() time.Time

	mu    sync.Mutex
	open  map[Key]*session
	bytes int64
}

type session struct {
	began    time.Time
	requests []dataservice.Request
	bytes    int64
}

// New makes a set without sessions.
func New(l Limits, now func() time.Time) *Sessions {
	return &Sessions{limits: l.withDefaults(), now: now, open: map[Key]*session{}}
}

// Begin opens a session with a name that nobody can guess.
func (s *Sessions) Begin(service, caller string) (Key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	if len(s.open) >= s.limits.Sessions {
		return Key{}, &dataservice.Fault{
			Code: dataservice.UnknownError, Kind: dataservice.FaultBusy, Message: fmt.Sprintf("more than %d boxcarring sessions are open", s.limits.Sessions),
		}
	}
	k := Key{ID: rand.Text(), Service: service, Caller: caller}
	s.open[k] = &session{began: s.now()}
	return k, nil
}

// Has tells whether a session is open.
func (s *Sessions) Has(k Key) bool {
	if k.ID == "" {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	return s.open[k] != nil
}

// Add keeps requests for the end of their session. If they are too many or too
// large the session is gone: a box is never executed in part.
func (s *Sessions) Add(k Key, requests ...dataservice.Request) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	b := s.open[k]
	if b == nil {
		return none()
	}
	var size int64
	for i := range requests {
		size += sizeOf(&requests[i])
	}
	if len(b.requests)+len(requests) > s.limits.Requests || s.bytes+size > s.limits.Bytes {
		s.remove(k)
		return &dataservice.Fault{
			Code: dataservice.UnknownError, Kind: dataservice.FaultLimit,
			Message: fmt.Sprintf("the boxcarring session is given up: more than %d requests in it, or %d bytes in all sessions", s.limits.Requests, s.limits.Bytes),
		}
	}
	b.requests = append(b.requests, requests...)
	b.bytes += size
	s.bytes += size
	return nil
}

// End closes a session and gives its requests, in their order.
func (s *Sessions) End(k Key) ([]dataservice.Request, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	b := s.open[k]
	if b == nil {
		return nil, none()
	}
	s.remove(k)
	return b.requests, nil
}

// remove forgets a session. The lock is held.
func (s *Sessions) remove(k Key) {
	if b := s.open[k]; b != nil {
		s.bytes -= b.bytes
		delete(s.open, k)
	}
}

// expire forgets what is too old. The lock is held.
func (s *Sessions) expire() {
	before := s.now().Add(-s.limits.MaxAge)
	for k, b := range s.open {
		if b.began.Before(before) {
			s.remove(k)
		}
	}
}

func none() error {
	return &dataservice.Fault{
		Code: dataservice.UnknownError, Kind: dataservice.FaultInput, Message: "there is no boxcarring session: begin_boxcar opens one, for a while, and answers with a cookie",
	}
}

// perValue is about what a value takes beside its text.
const perValue = 64

// sizeOf is about what a request takes.
func sizeOf(r *dataservice.Request) int64 {
	n := int64(4 * perValue)
	for name, values := range r.Values {
		n += int64(len(name)) + perValue
		for _, v := range values {
			n += int64(len(v)) + perValue
		}
	}
	return n
}
