package app

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/call"
)

// pipes is a listener of connections in memory, so that waiting takes no time.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	conn, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}
func (p pipes) Close() error { return nil }
func (p pipes) Addr() net.Addr {
	return &net.UnixAddr{}
}

// A body that is announced and does not come holds nothing for long, whether
// somebody reads it or not, and a slow answer is not ended by what bounds it.
func TestBodiesThatDoNotCome(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		request string
		status  int
		after   time.Duration
	}{
		"read":     {"POST /async/1 HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n{", http.StatusRequestTimeout, bodyTime},
		"not read": {"POST /unread HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n{", http.StatusNotFound, bodyTime},
		"chunked":  {"POST /async/1 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", http.StatusRequestTimeout, bodyTime},
		"slow":     {"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n", http.StatusOK, 10 * bodyTime},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				mux := http.NewServeMux()
				mux.Handle("POST /async/{id}", asyncHandler(taker(func(call.ReplyRequest) (call.ReplyAnswer, error) {
					return call.ReplyAnswer{}, errors.New("a reply that was not sent")
				})))
				mux.HandleFunc("GET /slow", func(w http.ResponseWriter, r *http.Request) {
					select {
					case <-r.Context().Done():
						w.WriteHeader(http.StatusGone)
					case <-time.After(10 * bodyTime):
					}
				})
				server := &http.Server{Handler: timely(mux), ReadHeaderTimeout: readHeaderTimeout}
				listener := make(pipes)
				served := make(chan error, 1)
				go func() { served <- server.Serve(listener) }()
				near, far := net.Pipe()
				listener <- far
				began := time.Now()
				if _, err := io.WriteString(near, c.request); err != nil {
					t.Fatal(err)
				}
				answer, err := http.ReadResponse(bufio.NewReader(near), nil)
				if err != nil {
					t.Fatal(err)
				}
				if took := time.Since(began); answer.StatusCode != c.status || took != c.after {
					t.Errorf("%s after %s, want %d after %s", answer.Status, took, c.status, c.after)
				}
				_ = answer.Body.Close() // in memory
				_ = near.Close()        // in memory
				close(listener)
				if err := server.Shutdown(context.Background()); err != nil {
					t.Error(err)
				}
				<-served
			})
		})
	}
}
