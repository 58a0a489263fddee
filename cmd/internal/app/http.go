package app

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/seed42aab489/belfry/cmd/internal/conf"
	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/adminapi"
)

// The bounds of the listener. The body and the answer of a request are bounded
// by the data services.
const (
	readHeaderTimeout = 5 * time.Second
	idleTimeout       = 2 * time.Minute
	// bodyTime is what the body of a request may take to come, also where nobody reads
	// it: before it answers, the server looks for the rest. Who reads longer ones
	// moves the deadline, who works on for longer lifts it.
	bodyTime = 30 * time.Second
	// writeMargin is what a short answer may take to write after its request's
	// time is over; streamed ones set a deadline of their own.
	writeMargin = 30 * time.Second
	maxHeader   = 64 << 10
	// maxStreams bounds the requests of one HTTP/2 connection at the same time.
	maxStreams = 100
)

// door is an address that is this host's, though nobody answers there yet.
type door struct {
	what     string // of an address, for people
	listener net.Listener
	secure   *tls.Config // nil: plain
}

// bind takes the addresses, plain, https or both, before anything is joined: a
// host that cannot be reached must not take tasks from those that can. Whoever
// connects meanwhile waits for serveHTTP.
func (a *App) bind(ctx context.Context) ([]door, error) {
	c := a.o.Loaded.Config
	var doors []door
	if c.TLS.Listen != "" {
		secure, err := serverTLS(c.TLS, a.log.With("component", "tls"))
		if err != nil {
			return nil, err
		}
		if pair, err := secure.GetCertificate(nil); err == nil {
			a.leaf = pair.Leaf
		}
		d, err := a.open(ctx, "https", c.TLS.Listen, secure)
		if err != nil {
			return nil, err
		}
		doors, a.secure, a.addr = append(doors, d), d.listener.Addr(), d.listener.Addr()
	}
	if c.Listen != conf.PlainOff {
		d, err := a.open(ctx, "HTTP", c.Listen, nil)
		if err != nil {
			return nil, err
		}
		doors, a.addr = append(doors, d), d.listener.Addr()
	}
	return doors, nil
}

func (a *App) open(ctx context.Context, what, address string, secure *tls.Config) (door, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return door{}, fmt.Errorf("%s listener: %w; choose another address with --listen or --tls-listen", what, err)
	}
	a.teardown.add(what+" address", func(context.Context) error {
		if err := listener.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	return door{what, listener, secure}, nil
}

// serveHTTP answers at the doors.
func (a *App) serveHTTP(doors []door, m *meters, programs http.Handler) {
	var stopping atomic.Bool
	handler := timely(a.mux(m, programs, &stopping))
	for _, d := range doors {
		a.answer(d, handler, &stopping)
	}
}

func (a *App) answer(d door, handler http.Handler, stopping *atomic.Bool) {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: readHeaderTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		WriteTimeout: a.o.Loaded.Config.Limits.RequestTime + writeMargin, TLSConfig: d.secure,
		HTTP2:    &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		ErrorLog: slog.NewLogLogger(a.log.With("component", "http").Handler(), slog.LevelDebug),
	}
	done := make(chan error, 1)
	go func() { // ends when the server is shut down
		if d.secure != nil {
			done <- server.ServeTLS(d.listener, "", "")
			return
		}
		done <- server.Serve(d.listener)
	}()
	a.teardown.add(d.what+" listener", func(ctx context.Context) error {
		stopping.Store(true)
		soft, cancel := context.WithTimeout(ctx, a.o.Loaded.Config.Shutdown.SoftStop)
		defer cancel()
		err := server.Shutdown(soft)
		if err != nil {
			err = server.Close()
		}
		if served := <-done; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
		return err
	})
}

// timely gives bodies their time. A time-out of the server's own would do so too,
// but ends requests that are answered for longer.
func timely(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			// What cannot set a deadline, as in tests, has none to fear.
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime))
		}
		next.ServeHTTP(w, r)
	})
}

func (a *App) mux(m *meters, programs http.Handler, stopping *atomic.Bool) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/services/", a.services.Handler())
	mux.Handle(adminapi.Root+"/", programs)
	mux.Handle("POST "+asyncPath+"{id}", asyncHandler(a.control()))
	mux.Handle("GET /metrics", m.handler())
	if a.o.Loaded.Config.Describe.Pages {
		mux.Handle("GET /{$}", http.RedirectHandler("/services/", http.StatusFound))
	}
	// Alive: the process answers. It says nothing about what it can do.
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		health(w, http.StatusOK, "alive", "")
	})
	// Ready: it deploys, fires, and takes requests.
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		switch state, _ := a.plugin.Link().State(); {
		case stopping.Load():
			health(w, http.StatusServiceUnavailable, "stopping", "the host is stopping")
		case !a.services.Ready():
			health(w, http.StatusServiceUnavailable, "starting", "the first deployment is not done")
		case state != coordclient.Healthy:
			health(w, http.StatusServiceUnavailable, "store", "the coordination store is "+state.String())
		case a.plugin.Trouble() != "":
			health(w, http.StatusServiceUnavailable, "store", "the coordination store takes no claims, so nothing fires here; the log says why")
		default:
			health(w, http.StatusOK, "ready", "")
		}
	})
	return mux
}

func health(w http.ResponseWriter, status int, state, reason string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// The client may be gone; there is nobody else to tell.
	_ = json.NewEncoder(w).Encode(map[string]string{"state": state, "reason": reason})
}
