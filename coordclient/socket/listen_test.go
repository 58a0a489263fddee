package socket_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/coordclient/socket"
)

// says fails the test unless err is the sentinel (if any) and has the words.
func says(t *testing.T, err, sentinel error, words ...string) {
	t.Helper()
	if err == nil || sentinel != nil && !errors.Is(err, sentinel) {
		t.Fatalf("%v, want %v", err, sentinel)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not say %q", err, word)
		}
	}
}

func TestListenIsPrivate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(filepath.Dir(tempSocket(t)), "run", "deep", "host.sock")
	ln, err := socket.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{path: os.ModeSocket | 0o600, filepath.Dir(path): os.ModeDir | 0o700} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != want {
			t.Errorf("%s has mode %s, want %s", name, info.Mode(), want)
		}
	}
	if got := ln.Addr().String(); got != path {
		t.Errorf("it listens on %s, want %s", got, path)
	}
	for range 2 {
		_ = ln.Close()
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 0 {
		t.Errorf("after Close there are %v, %v", left, err)
	}
}

func TestListenReplacesOnlyTheDead(t *testing.T) {
	t.Parallel()
	path := tempSocket(t)
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	_ = dead.Close()
	_, err = socket.Dial(t.Context(), path, socket.DialOptions{})
	says(t, err, coordclient.ErrUnavailable, "no host answers at "+path, "start belfryd")

	living := coordtest.NewMemory()
	defer living.Close()
	serve(t, path, living)
	_, err = socket.Listen(path)
	says(t, err, nil, path, "another host answers", "stop it")
	dial(t, path) // which it still does

	file := filepath.Join(filepath.Dir(path), "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = socket.Listen(file)
	says(t, err, nil, file, "no socket")
	if text, err := os.ReadFile(file); string(text) != "precious" {
		t.Errorf("the file is %q now, %v", text, err)
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	long := filepath.Join(os.TempDir(), strings.Repeat("x", socket.MaxPath))
	_, err := socket.Listen(long)
	says(t, err, nil, long, "no more than 99", "choose a shorter one")
	_, err = socket.Dial(t.Context(), long, socket.DialOptions{})
	says(t, err, nil, "no more than 99")
	_, err = socket.Listen("")
	says(t, err, nil, "empty")
	missing := filepath.Join(os.TempDir(), "belfry-nobody", "s")
	_, err = socket.Dial(t.Context(), missing, socket.DialOptions{})
	says(t, err, coordclient.ErrUnavailable, "no host answers at "+missing, "start belfryd")

	dir := filepath.Dir(tempSocket(t))
	fits := filepath.Join(dir, strings.Repeat("s", socket.MaxPath-len(dir)-1))
	m := coordtest.NewMemory()
	defer m.Close()
	serve(t, fits, m)
	dial(t, fits)
}

// answer listens and gives the first connection to f.
func answer(t *testing.T, path string, f func(net.Conn)) {
	t.Helper()
	ln, err := socket.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { // ends with f
		defer close(done)
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		f(conn)
	}()
	t.Cleanup(func() {
		_ = ln.Close()
		<-done
	})
}

func TestDialRefusesStrangers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		hello []byte
		word  string
	}{
		"another version": {binary.BigEndian.AppendUint16([]byte("BELFRY"), 9), "version 9"},
		"another program": {[]byte("HTTP/1.1 400 Bad Request\r\n"), "not a Belfry host"},
		"nothing":         {nil, "hello"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := tempSocket(t)
			answer(t, path, func(conn net.Conn) {
				_, _ = io.ReadFull(conn, make([]byte, 8))
				_, _ = conn.Write(c.hello)
			})
			_, err := socket.Dial(t.Context(), path, socket.DialOptions{})
			says(t, err, coordclient.ErrUnavailable, path, c.word)
		})
	}
}

func TestDialGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	for name, hello := range map[string][]byte{
		"a host that says nothing":           nil,
		"a host that says hello and no more": binary.BigEndian.AppendUint16([]byte("BELFRY"), 1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := tempSocket(t)
			gone := make(chan struct{})
			answer(t, path, func(conn net.Conn) {
				_, _ = conn.Write(hello)
				_, _ = io.Copy(io.Discard, conn)
				close(gone)
			})
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			_, err := socket.Dial(ctx, path, socket.DialOptions{})
			says(t, err, coordclient.ErrUnavailable, path)
			<-gone // it hung up
		})
	}
}

// TestServeRefusesStrangers sends what is no protocol, and looks whether the
// host hangs up on it and goes on with others.
func TestServeRefusesStrangers(t *testing.T) {
	t.Parallel()
	hello := binary.BigEndian.AppendUint16([]byte("BELFRY"), 1)
	path := tempSocket(t)
	m := coordtest.NewMemory()
	defer m.Close()
	serve(t, path, m)
	for name, text := range map[string][]byte{
		"another program":   []byte("GET / HTTP/1.1\r\n\r\n"),
		"another version":   binary.BigEndian.AppendUint16([]byte("BELFRY"), 2),
		"a huge frame":      append(bytes.Clone(hello), 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 1),
		"an unknown kind":   append(bytes.Clone(hello), 0, 0, 0, 0, 0, 0, 0, 1, 0x7f),
		"a host's frame":    append(bytes.Clone(hello), 0, 0, 0, 0, 0, 0, 0, 1, 3),
		"an empty request":  append(bytes.Clone(hello), 0, 0, 0, 0, 0, 0, 0, 1, 1),
		"a garbled request": append(bytes.Clone(hello), 0, 0, 0, 2, 0, 0, 0, 1, 1, 1, 0x7f),
	} {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(text); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := io.Copy(io.Discard, conn); err != nil && !strings.Contains(err.Error(), "reset") {
			t.Errorf("%s: %v, want the host to hang up", name, err)
		}
		_ = conn.Close()
	}
	dial(t, path)
}

func TestTooManyCompanions(t *testing.T) {
	t.Parallel()
	path := tempSocket(t)
	m := coordtest.NewMemory()
	defer m.Close()
	serve(t, path, m)
	first := dial(t, path)
	for range socket.MaxConns - 1 {
		dial(t, path)
	}
	_, err := socket.Dial(t.Context(), path, socket.DialOptions{})
	says(t, err, coordclient.ErrUnavailable, path)
	if _, err := first.List(t.Context(), "/"); err != nil {
		t.Errorf("the first, when the last was refused: %v", err)
	}
}
