package zk

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"net"
	"sync/atomic"
	"time"
)

// line makes the connections of one session, and sees to it that they are of
// one session: once it is over no byte leaves any more, and an answer to the
// handshake that names another session is not let through to the library.
type line struct {
	tls    *tls.Config
	health *health
	fault  func(address string, err error) // told why an attempt came to nothing
	sealed atomic.Bool                     // nothing may be sent any more
	link   atomic.Pointer[link]            // the last
	grant  atomic.Pointer[grant]           // of the session, once it is there
}

// grant is what a server gave in the handshake.
type grant struct {
	session  int64
	password []byte
	timeout  time.Duration
}

// handshakeTime bounds a connection's dial, TLS and handshake together.
func handshakeTime(timeout time.Duration) time.Duration {
	return min(max(timeout/6, 50*time.Millisecond), time.Second)
}

// dial is the library's Dialer.
func (l *line) dial(network, address string, _ time.Duration) (net.Conn, error) {
	if l.sealed.Load() {
		return nil, errClosed
	}
	begun := time.Now()
	deadline := begun.Add(handshakeTime(l.health.t()))
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	raw, err := (&net.Dialer{}).DialContext(ctx, network, address)
	conn := raw
	if err == nil && l.tls != nil {
		conn, err = encrypt(ctx, raw, address, l.tls)
	}
	if err != nil {
		l.fault(address, err)
		return nil, err
	}
	it := l.over(conn, raw)
	it.address, it.begun, it.deadline = address, begun, deadline
	l.link.Store(it)
	if l.sealed.Load() { // it was sealed meanwhile, and did not see this one
		_ = conn.Close()
		return nil, errClosed
	}
	return it, nil
}

func encrypt(ctx context.Context, conn net.Conn, address string, config *tls.Config) (net.Conn, error) {
	config = config.Clone()
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(address)
	}
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return secure, nil
}

// seal ends the last connection; no other can be made.
func (l *line) seal() {
	l.sealed.Store(true)
	l.cut()
}

// cut ends the last connection.
func (l *line) cut() {
	if it := l.link.Load(); it != nil {
		_ = it.raw.Close() // not TLS's, which would say good-bye first
	}
}

// heardSince tells whether the server has sent anything after a time.
func (l *line) heardSince(t time.Time) bool {
	it := l.link.Load()
	return it != nil && it.begun.Add(time.Duration(it.heard.Load())).After(t)
}

// readAhead is how much of what a server has sent is taken at once: the library
// asks twice for each answer, and answers to many requests come together.
const readAhead = 32 << 10

// link is one connection.
type link struct {
	net.Conn
	in       *bufio.Reader // of ear
	address  string
	raw      net.Conn // below TLS
	line     *line
	begun    time.Time
	deadline time.Time // of the handshake
	answer   []byte    // what came of the handshake's answer
	shaken   atomic.Bool
	heard    atomic.Int64 // when the last byte came, in ns since begun
}

// over makes a link of a connection, and of that below its TLS.
func (l *line) over(conn, raw net.Conn) *link {
	it := &link{Conn: conn, raw: raw, line: l, begun: time.Now()}
	it.in = bufio.NewReaderSize(ear{it}, readAhead)
	return it
}

// ear is what comes from the server. It notes when.
type ear struct{ *link }

func (e ear) Read(p []byte) (int, error) {
	n, err := e.Conn.Read(p)
	if n > 0 {
		e.heard.Store(int64(time.Since(e.begun)))
	}
	return n, err
}

// Write sends, unless the session is over.
func (l *link) Write(p []byte) (int, error) {
	if l.line.sealed.Load() {
		return 0, errClosed
	}
	return l.Conn.Write(p)
}

// Read receives, and looks at the answer to the handshake before anybody else.
func (l *link) Read(p []byte) (int, error) {
	n, err := l.in.Read(p)
	if n > 0 && !l.shaken.Load() {
		l.answer = append(l.answer, p[:n]...)
		if verr := l.verdict(); verr != nil {
			_ = l.Conn.Close() // the library would leave it open
			return 0, verr
		}
	}
	if err != nil && !l.shaken.Load() && !l.line.sealed.Load() {
		l.line.fault(l.address, err)
	}
	return n, err
}

// The answer to the handshake: its length, the protocol's version, the time-out
// in ms, the session's id, the length of its password (16), the password; then
// whether the server is read-only, which older ones leave out.
const answerLength = 4 + 4 + 4 + 8 + 4 + 16

func (l *link) verdict() error {
	if len(l.answer) < answerLength {
		return nil
	}
	is := grant{
		timeout:  time.Duration(binary.BigEndian.Uint32(l.answer[8:])) * time.Millisecond,
		session:  int64(binary.BigEndian.Uint64(l.answer[12:])),
		password: append([]byte{}, l.answer[24:answerLength]...),
	}
	was := l.line.grant.Load()
	var err error
	switch {
	case is.session == 0 || is.timeout <= 0:
		err = errExpired
	case was == nil:
		l.line.grant.Store(&is)
		l.line.health.granted(is.timeout, l.begun)
	case was.session != is.session:
		err = errForeign
	}
	if err != nil {
		l.line.health.end(err)
		return err
	}
	l.answer = nil
	l.shaken.Store(true)
	return nil
}

// SetReadDeadline keeps to the handshake's time, and later to that in which a
// living server sends something. The library would wait for 10 x 2/3 T, or for
// ever.
func (l *link) SetReadDeadline(t time.Time) error {
	latest := l.deadline
	if l.shaken.Load() {
		latest = time.Now().Add(quietAfter(l.line.health.t()))
	}
	return l.Conn.SetReadDeadline(sooner(t, latest))
}

// SetWriteDeadline keeps to the same times.
func (l *link) SetWriteDeadline(t time.Time) error {
	latest := l.deadline
	if l.shaken.Load() {
		latest = time.Now().Add(stallAfter(l.line.health.t()))
	}
	return l.Conn.SetWriteDeadline(sooner(t, latest))
}

func sooner(t, latest time.Time) time.Time {
	if t.IsZero() || t.After(latest) {
		return latest
	}
	return t
}

var _ net.Conn = (*link)(nil)
