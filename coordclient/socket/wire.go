package socket

import (
	"bufio"
	"net"
	"sync"
	"time"
)

// writeTimeout is how long the other side may refuse to read before the
// connection is given up.
const writeTimeout = 30 * time.Second

// wire is a connection to which many goroutines write. Large messages are cut
// into frames, so that a small one need not wait for them.
type wire struct {
	conn net.Conn

	mu  sync.Mutex // guards what follows; held for one frame
	buf []byte
	err error // the first that a write met
}

// send writes a message. last, if not nil, is called under the lock before the
// last frame is written and gives what comes at its end.
func (w *wire) send(f frame, last func() []byte) error {
	for len(f.payload) > maxPayload/2 {
		part := f
		part.more, part.payload = true, f.payload[:maxPayload/2]
		if err := w.write(part, nil); err != nil {
			return err
		}
		f.payload = f.payload[maxPayload/2:]
	}
	return w.write(f, last)
}

func (w *wire) write(f frame, last func() []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	if last != nil {
		f.payload = append(f.payload, last()...)
	}
	w.buf = appendFrame(w.buf[:0], f)
	if w.err = w.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); w.err == nil {
		_, w.err = w.conn.Write(w.buf)
	}
	if w.err != nil {
		_ = w.conn.Close() // so that the reader hears of it too
	}
	return w.err
}

// receive gives each message to take, until the connection or the protocol
// breaks or take fails.
func (w *wire) receive(limit int, take func(frame) error) error {
	in := bufio.NewReaderSize(w.conn, 64<<10)
	parts := assembler{limit: limit}
	for {
		f, err := readFrame(in)
		if err != nil {
			return err
		}
		message, whole, err := parts.add(f)
		if err != nil {
			return err
		}
		if whole {
			if err := take(message); err != nil {
				return err
			}
		}
	}
}
