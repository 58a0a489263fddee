package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
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
)

// serveHTTP opens the listener and serves.
func (a *App) serveHTTP(ctx context.Context, address string, m *meters) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("HTTP listener: %w; choose another address with --listen", err)
	}
	a.addr = listener.Addr()
	var stopping atomic.Bool
	server := &http.Server{
		Handler: a.mux(m, &stopping), ReadHeaderTimeout: readHeaderTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		WriteTimeout: a.o.Loaded.Config.Limits.RequestTime + writeMargin,
		ErrorLog:     slog.NewLogLogger(a.log.With("component", "http").Handler(), slog.LevelDebug),
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }() // ends when the server is shut down
	a.teardown.add("HTTP listener", func(ctx context.Context) error {
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
	return nil
}

func (a *App) mux(m *meters, stopping *atomic.Bool) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/services/", a.services.Handler())
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
