package result

import (
	"fmt"
	"io"
)

// LimitError says that a bound was exceeded, and by which setting it is moved.
type LimitError struct {
	What  string // "bytes", "rows", "nested calls", …
	Limit int64
	// Setting that holds the bound; may be empty.
	Setting string
}

// Error names bound and setting.
func (e *LimitError) Error() string {
	if e.Setting == "" {
		return fmt.Sprintf("more than %d %s", e.Limit, e.What)
	}
	return fmt.Sprintf("more than %d %s (%s)", e.Limit, e.What, e.Setting)
}

// flushAt is how much is gathered before it is written out.
const flushAt = 16 << 10

// out gathers bytes and writes them in large pieces, up to a limit.
type out struct {
	w       io.Writer
	buf     []byte
	written int64
	limit   int64 // 0: none
	err     error // the first one stays
}

// firstCap spares a usual answer the growing of its buffer.
const firstCap = 2 << 10

func newOut(w io.Writer, limit int64) out {
	return out{w: w, limit: limit, buf: make([]byte, 0, firstCap)}
}

// check is called after each event: it bounds the total and writes out what has
// gathered.
func (o *out) check() error {
	if o.err != nil {
		return o.err
	}
	if o.limit > 0 && o.written+int64(len(o.buf)) > o.limit {
		o.buf = o.buf[:0]
		o.err = &LimitError{What: "bytes of result", Limit: o.limit, Setting: "limits.answer"}
		return o.err
	}
	if len(o.buf) >= flushAt {
		return o.Flush()
	}
	return nil
}

// Flush writes out what has gathered. It is to be called once after the last
// event.
func (o *out) Flush() error {
	if o.err != nil || len(o.buf) == 0 {
		return o.err
	}
	n, err := o.w.Write(o.buf)
	o.written += int64(n)
	o.buf = o.buf[:0]
	if err != nil {
		o.err = fmt.Errorf("write result: %w", err)
	}
	return o.err
}

// Written tells how many bytes have reached the writer.
func (o *out) Written() int64 { return o.written }
