package timer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/plugin/invoke/web"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Operations calls operations of data services of the host. Safe for concurrent
// use.
type Operations interface {
	CallOperation(ctx context.Context, service, operation string) error
}

// Code runs code that is built into the host. Safe for concurrent use.
type Code interface {
	RunCode(ctx context.Context, name string, e Event) error
}

// Deps are what a Service needs.
type Deps struct {
	Config Config
	Memory Memory
	// Web makes the requests of kickers, where the host may call.
	Web        *web.HTTP
	Operations Operations
	Code       Code
	// Schedule makes the timers of the configuration tasks. It is called again,
	// with pauses, until it succeeds.
	Schedule func(ctx context.Context, timers []Timer) error
	Now      func() time.Time
	Log      *slog.Logger
}

// Service gives events to handlers. Make it with New. Safe for concurrent use.
type Service struct {
	d        Deps
	launch   func()        // the timer service, once
	launched chan struct{} // closes then
	life     context.Context
	end      context.CancelFunc
	work     sync.WaitGroup
}

// New makes a Service. It starts nothing.
func New(d Deps) *Service {
	s := &Service{d: d, launched: make(chan struct{})}
	s.launch = sync.OnceFunc(s.launchNow)
	s.life, s.end = context.WithCancel(context.Background())
	return s
}

// Offered tells whether the event start launches the timer service here.
func (s *Service) Offered() bool {
	return slices.ContainsFunc(s.handlersOf(started()), func(h *Handler) bool { return h.Handler == HandlerService })
}

func started() Event { return Event{Name: EventStart, Data: map[string]any{}} }

// The pauses between attempts to make tasks of the configured timers, and what
// the handlers of the start event may take together.
const (
	minPause  = 200 * time.Millisecond
	maxPause  = 30 * time.Second
	startTime = time.Minute
)

// Start raises the event start. It does not wait for its handlers, whose faults
// are logged: a host is not stopped by a handler.
func (s *Service) Start() {
	e := started()
	if n := len(s.d.Config.Timers); n > 0 && !s.Offered() {
		s.d.Log.Warn("timers of the configuration do not fire here: it has no handler "+HandlerService+" of the event "+EventStart, "timers", n)
	}
	s.work.Go(func() { // ends with life, or when the handlers have
		ctx, cancel := context.WithTimeout(s.life, startTime)
		defer cancel()
		for _, h := range s.handlersOf(e) {
			if h.Handler == HandlerService {
				s.launch()
				continue
			}
			if err := s.handle(ctx, &run{event: e}, h); err != nil {
				s.d.Log.Error("handler of the start event", "handler", h.Name, "err", err)
			}
		}
	})
}

// launchNow starts the timer service.
func (s *Service) launchNow() {
	s.d.Log.Info("timer service launched", "timers", len(s.d.Config.Timers))
	close(s.launched)
	if len(s.d.Config.Timers) == 0 {
		return
	}
	s.work.Go(func() { // ends with life, or when the timers are there
		for pause := minPause; ; pause = min(2*pause, maxPause) {
			err := s.d.Schedule(s.life, s.d.Config.Timers)
			if err == nil || s.life.Err() != nil {
				return
			}
			if pause >= maxPause/8 {
				s.d.Log.Warn("timers of the configuration are not scheduled yet", "err", err, "again_in", pause)
			}
			select {
			case <-time.After(pause):
			case <-s.life.Done():
			}
		}
	})
}

// Stop ends what Start began. Runs are ended by whoever began them.
func (s *Service) Stop() {
	s.end()
	s.work.Wait()
}

func (s *Service) handlersOf(e Event) []*Handler {
	var all []*Handler
	for i := range s.d.Config.Handlers {
		h := &s.d.Config.Handlers[i]
		if slices.Contains(h.Events, e.Name) && !slices.ContainsFunc(h.Conditions, func(c Condition) bool { return !c.Holds(e) }) {
			all = append(all, h)
		}
	}
	return all
}

// run is one event on its way through the handlers.
type run struct {
	event Event
	call  *task.Call // nil: not of a timer
	seen  map[string]seen
	learn lesson
}

// awaitLaunch waits until the timer service is launched: a timer may be due before
// the host is ready, as after a restart.
func (s *Service) awaitLaunch(ctx context.Context) error {
	if !s.Offered() {
		return errors.New("no timer service is launched on this host")
	}
	select {
	case <-s.launched:
		return nil
	case <-ctx.Done():
	case <-s.life.Done():
	}
	return errors.New("the timer service is not launched yet on this host")
}

// Invoke raises the event of a due timer: one attempt at its firing. It waits for
// the timer service within ctx.
func (s *Service) Invoke(ctx context.Context, call task.Call) task.Result {
	unsent := func(err error) task.Result {
		return task.Result{Outcome: task.Failed, Error: err.Error(), NotSent: true}
	}
	if err := s.awaitLaunch(ctx); err != nil {
		return unsent(err)
	}
	m, version, err := s.recall(ctx, call.Info.UID)
	if err != nil {
		return unsent(err)
	}
	if now := s.d.Now(); now.Before(m.Until) && m.Fire != call.FireID && !call.FireID.Manual() {
		return task.Result{Outcome: task.Skipped, Error: fmt.Sprintf(
			"delayed until %s after %d failures in a row", m.Until.UTC().Format(time.RFC3339), m.Failures)}
	}
	event, err := eventOf(&call)
	if err != nil {
		return unsent(err)
	}
	r := &run{event: event, call: &call, seen: m.Seen, learn: lesson{fire: call.FireID, seen: map[string]seen{}}}
	var done []string
	if m.Fire == call.FireID {
		done = m.Done
	}
	called, refused, err := s.through(ctx, r, done)
	if remembered := s.remember(ctx, call.Info.UID, m, version, &r.learn); remembered != nil {
		err, refused = errors.Join(err, remembered), false
	}
	if err != nil {
		result := task.Result{Outcome: task.Failed, Error: strings.ReplaceAll(err.Error(), "\n", "; "), Refused: refused}
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			result.Outcome = task.TimedOut
		}
		return result
	}
	return task.Result{Outcome: task.OK, Rows: int64(called)}
}

// through gives the event to the handlers that are for it and have not had it,
// and gathers what is to be remembered. Refused tells that the host's rules are
// all that stood in the way.
func (s *Service) through(ctx context.Context, r *run, done []string) (called int, refused bool, err error) {
	var failures []error
	var asked time.Duration
	for _, h := range s.handlersOf(r.event) {
		called++
		if slices.Contains(done, h.Name) {
			r.learn.done = append(r.learn.done, h.Name)
			continue
		}
		if err := s.handle(ctx, r, h); err != nil {
			failures = append(failures, fmt.Errorf("handler %s: %w", h.Name, err))
			asked = max(asked, h.Delay, delayOf(err))
			continue
		}
		r.learn.done = append(r.learn.done, h.Name)
	}
	r.learn.failed = len(failures) > 0
	r.learn.until = func(n int) time.Time {
		delay := max(asked, grown(r.call.Info.Do.Timer, n))
		if delay <= 0 {
			return time.Time{}
		}
		return s.d.Now().Add(delay)
	}
	return called, !slices.ContainsFunc(failures, func(err error) bool { return !task.Refused(err) }), errors.Join(failures...)
}

// grown is the delay that a timer has after so many failures in a row.
func grown(t *task.TimerEvent, failures int) time.Duration {
	delay, limit := time.Duration(t.Backoff), time.Duration(t.MaxBackoff)
	if limit <= 0 {
		limit = max(task.MaxBackoff, delay)
	}
	for i := 1; i < failures && delay < limit; i++ {
		delay *= 2
	}
	return min(delay, limit)
}

// delayed is an error whose cause asks for a delay.
type delayed struct {
	error
	after time.Duration
}

func (d delayed) Unwrap() error { return d.error }

// Delayed says that the next event should not come before after.
func Delayed(err error, after time.Duration) error { return delayed{err, after} }

func delayOf(err error) time.Duration {
	if d, ok := errors.AsType[delayed](err); ok {
		return min(max(d.after, 0), maxAsked)
	}
	return 0
}

// maxAsked bounds the delay that a handler can ask for.
const maxAsked = 24 * time.Hour

// handle calls one handler. A panic of it is its failure.
func (s *Service) handle(ctx context.Context, r *run, h *Handler) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	switch h.Handler {
	case HandlerTimerKicker:
		return s.kickTimer(ctx, r, h)
	case HandlerResourceKicker:
		return s.kickResource(ctx, r, h)
	case HandlerOperation:
		return s.d.Operations.CallOperation(ctx, h.Service, h.Operation)
	case HandlerCode:
		return s.d.Code.RunCode(ctx, h.Code, r.event)
	default:
		return fmt.Errorf("%q is no handler of the event %s", h.Handler, r.event.Name)
	}
}
