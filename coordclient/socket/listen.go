package socket

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
)

// MaxPath is the longest path of a socket in bytes. The system's own limit is
// 108 on Linux and 104 elsewhere, with the final zero and the suffix under
// which it is made.
const MaxPath = 99

// helloTimeout bounds the wait for the other side's hello.
const helloTimeout = 10 * time.Second

// suffix names the socket until only its owner can connect to it.
const suffix = ".new"

func checkPath(path string) error {
	switch {
	case path == "":
		return errors.New("the path of the socket is empty")
	case len(path) > MaxPath:
		return fmt.Errorf("the socket's path %s has %d bytes, and the system allows no more than %d: choose a shorter one, for instance below /run", path, len(path), MaxPath)
	}
	return nil
}

// Listen makes the socket, which only this user can connect to, and the
// directory that it is in. One that nobody answers on, left by a host that was
// killed, is replaced; one that a host answers on is an error.
func Listen(path string) (net.Listener, error) {
	if err := checkPath(path); err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("listen on %s: make its directory: %w", path, err)
	}
	if err := checkStale(path); err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	ln, err := listenPrivately(path)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	return ln, nil
}

// checkStale is nil if the path is free, or holds a socket that nobody serves.
func checkStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return errors.New("there is a file that is no socket: move it away, or choose another path")
	}
	d := net.Dialer{Timeout: helloTimeout}
	conn, err := d.DialContext(context.Background(), "unix", path)
	switch {
	case err == nil:
		_ = conn.Close()
		return errors.New("another host answers there already: stop it, or choose another path")
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return err
}

// listenPrivately binds under another name, so that there is no moment in
// which the socket has its name and not yet its mode.
func listenPrivately(path string) (net.Listener, error) {
	early := path + suffix
	if err := os.Remove(early); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: early, Net: "unix"})
	if err != nil {
		return nil, err
	}
	ln.SetUnlinkOnClose(false)
	if err := errors.Join(os.Chmod(early, 0o600), os.Rename(early, path)); err != nil {
		return nil, errors.Join(err, ln.Close(), os.Remove(early))
	}
	return &listener{UnixListener: ln, path: path}, nil
}

// listener removes its socket before it closes: afterwards the path may be its
// successor's.
type listener struct {
	*net.UnixListener
	path string
	once sync.Once
}

func (l *listener) Close() (err error) {
	l.once.Do(func() {
		err = os.Remove(l.path)
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		err = errors.Join(err, l.UnixListener.Close())
	})
	return err
}

// Addr has the name that the socket can be dialled by.
func (l *listener) Addr() net.Addr { return &net.UnixAddr{Name: l.path, Net: "unix"} }

// connect dials the socket and says hello.
func connect(ctx context.Context, path string) (net.Conn, error) {
	if err := checkPath(path); err != nil {
		return nil, err
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", coordclient.ErrUnavailable, explainDial(path, err))
	}
	if err := greet(ctx, conn); err != nil {
		return nil, errors.Join(fmt.Errorf("host at %s: %w: %w", path, coordclient.ErrUnavailable, err), conn.Close())
	}
	return conn, nil
}

func explainDial(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("no host answers at %s: start belfryd, or name the socket of a running one (%w)", path, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("this user may not connect to %s: ask as the user that the host runs as (%w)", path, err)
	}
	return err
}

func greet(ctx context.Context, conn net.Conn) error {
	// A hello that does not come must not outlive the caller's patience.
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := conn.SetDeadline(time.Now().Add(helloTimeout)); err != nil {
		return err
	}
	if _, err := conn.Write(hello(version)); err != nil {
		return err
	}
	theirs, err := readHello(conn)
	if err != nil {
		return err
	}
	if theirs != version {
		return fmt.Errorf("it speaks version %d of the protocol, this program version %d: use host and companion of one release", theirs, version)
	}
	if !stop() {
		return ctx.Err()
	}
	return conn.SetDeadline(time.Time{})
}
