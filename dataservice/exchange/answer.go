package exchange

import (
	"bytes"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// answer holds what is written back until there is more than limit bytes of it,
// or it is finished. Until then nothing has been said, and a fault can be.
type answer struct {
	w        http.ResponseWriter
	media    string
	limit    int
	deadline time.Time // of a client that takes a long answer slowly
	held     *bytes.Buffer
	// begun: the status is out.
	begun bool
	// broken: the client does not take what is written.
	broken bool
	bytes  int64
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func newAnswer(w http.ResponseWriter, media string, limit int, deadline time.Time) *answer {
	return &answer{w: w, media: media, limit: limit, deadline: deadline, held: buffers.Get().(*bytes.Buffer)}
}

// release gives the buffer back. The answer is not used afterwards.
func (a *answer) release() {
	a.held.Reset()
	buffers.Put(a.held)
	a.held = nil
}

// Write keeps p, or begins to answer if that would be too much.
func (a *answer) Write(p []byte) (int, error) {
	a.bytes += int64(len(p))
	if !a.begun {
		if a.held.Len()+len(p) <= a.limit {
			return a.held.Write(p)
		}
		if err := a.begin(); err != nil {
			return 0, err
		}
	}
	return a.send(p)
}

func (a *answer) send(p []byte) (int, error) {
	n, err := a.w.Write(p)
	a.broken = a.broken || err != nil
	return n, err
}

// begin says 200 and what is held.
func (a *answer) begin() error {
	a.begun = true
	// The deadline outlives the request, hence stop. What cannot set one is not a
	// connection.
	_ = http.NewResponseController(a.w).SetWriteDeadline(a.deadline)
	Secure(a.w.Header())
	a.w.Header().Set("Content-Type", a.media)
	a.w.WriteHeader(http.StatusOK)
	_, err := a.send(a.held.Bytes())
	a.held.Reset()
	return err
}

// stop drains a begun answer within its deadline and lifts that.
func (a *answer) stop() error {
	control := http.NewResponseController(a.w)
	err := control.Flush()
	_ = control.SetWriteDeadline(time.Time{})
	return err
}

// finish says what is held, with its length; or 202 if nothing was to be said.
func (a *answer) finish(empty bool) error {
	if a.begun {
		return a.stop()
	}
	Secure(a.w.Header())
	if empty && a.held.Len() == 0 {
		a.w.WriteHeader(http.StatusAccepted)
		return nil
	}
	a.w.Header().Set("Content-Type", a.media)
	a.w.Header().Set("Content-Length", strconv.Itoa(a.held.Len()))
	a.w.WriteHeader(http.StatusOK)
	_, err := a.send(a.held.Bytes())
	return err
}
