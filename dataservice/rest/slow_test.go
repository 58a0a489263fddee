package rest

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/dataservice/exchange"
)

// oneLine is a listener of one connection.
type oneLine struct {
	conn net.Conn
	gone chan struct{}
}

func (s *oneLine) Accept() (net.Conn, error) {
	if conn := s.conn; conn != nil {
		s.conn = nil
		return conn, nil
	}
	<-s.gone
	return nil, net.ErrClosed
}
func (s *oneLine) Close() error   { return nil }
func (s *oneLine) Addr() net.Addr { return &net.UnixAddr{} }

// A client that announces a body and does not send it is answered and let go.
func TestABodyThatDoesNotCome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := open(echo, exchange.Options{})
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { e.Serve(w, r, []string{"setProduct"}, nil) })}
		near, far := net.Pipe()
		listener := &oneLine{far, make(chan struct{})}
		served := make(chan error, 1)
		go func() { served <- server.Serve(listener) }()
		began := time.Now()
		if _, err := io.WriteString(near, "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"); err != nil {
			t.Fatal(err)
		}
		in := bufio.NewReader(near)
		answer, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, answer.Body); err != nil {
			t.Error(err)
		}
		if _, err := in.ReadByte(); err == nil {
			t.Error("the connection goes on")
		}
		if took := time.Since(began); answer.StatusCode != http.StatusRequestTimeout || took > time.Minute {
			t.Errorf("%s, and the connection ended after %s", answer.Status, took)
		}
		_ = near.Close() // in memory
		close(listener.gone)
		if err := server.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		<-served
	})
}
