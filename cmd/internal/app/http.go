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
	// writeMargin is what a short answer may take to write after its request's
	// time is over; streamed ones set a deadline of their own.
	writeMargin = 30 * time.Second
	maxHeader   = 64 << 10
	// maxStreams bounds the requests of one HTTP/2 connection at the same time.
	maxStreams = 100
)

// serveHTTP opens the listeners, plain, https or both, and serves.
func (a *App) serveHTTP(ctx context.Context, m *meters, programs http.Handler) error {
	c := a.o.Loaded.Config
	var stopping atomic.Bool
	handler := a.mux(m, programs, &stopping)
	if c.TLS.Listen != "" {
		secure, err := serverTLS(c.TLS, a.log.With("component", "tls"))
		if err != nil {
			return err
		}
		if pair, err := secure.GetCertificate(nil); err == nil {
			a.leaf = pair.Leaf
		}
		if a.secure, err = a.listen(ctx, "https", c.TLS.Listen, handler, secure, &stopping); err != nil {
			return err
		}
		if a.addr = a.secure; c.Listen == conf.PlainOff {
			return nil
		}
	}
	var err error
	a.addr, err = a.listen(ctx, "HTTP", c.Listen, handler, nil, &stopping)
	return err
}

// listen serves at one address, over TLS unless secure is nil, and gives where
// port 0 led.
func (a *App) listen(ctx context.Context, what, address string, handler http.Handler, secure *tls.Config, stopping *atomic.Bool) (net.Addr, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s listener: %w; choose another address with --listen or --tls-listen", what, err)
	}
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: readHeaderTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		WriteTimeout: a.o.Loaded.Config.Limits.RequestTime + writeMargin, TLSConfig: secure,
		HTTP2:    &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		ErrorLog: slog.NewLogLogger(a.log.With("component", "http").Handler(), slog.LevelDebug),
	}
	done := make(chan error, 1)
	go func() { // ends when the server is shut down
		if secure != nil {
			done <- server.ServeTLS(listener, "", "")
			return
		}
		done <- server.Serve(listener)
	}()
	a.teardown.add(what+" listener", func(ctx context.Context) error {
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
	return listener.Addr(), nil
}

func (a *App) mux(m *meters, programs http.Handler, stopping *atomic.Bool) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/services/", a.services.Handler())
	mux.Handle(adminapi.Root+"/", programs)
	mux.Handle("POST "+asyncPath+"{id}", asyncHandler(a.control()))
	mux.Handle("GET /metrics", m.handler())
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
