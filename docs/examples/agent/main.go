// Command agent executes named methods on behalf of Belfry's tasks and replies
// when they have ended, however long that took. It is an example to copy from:
// everything that an agent owes its caller is here, and nothing else.
//
//	agent -listen 127.0.0.1:9000 -state /var/lib/agent
//
// A call is POST /call with a body like
//
//	{"method": "install", "args": ["vim", "git"]}
//
// It is accepted (202) once it is on disk. A call of the same correlation id is
// the same call: it is executed once, whatever is sent again, and replied to
// again. A call that carries a maintenance window is executed within it.
package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:9000", "address to take calls at")
	state := flag.String("state", "state", "folder of the calls and of what is installed")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := run(ctx, *listen, *state, log); err != nil {
		log.Error("agent", "err", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, listen, state string, log *slog.Logger) error {
	a, err := newAgent(state, methods(state), log)
	if err != nil {
		return err
	}
	a.resume(ctx)
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		return err
	}
	log.Info("ready", "listen", listener.Addr().String())
	server := &http.Server{Handler: a.handler(ctx), ReadHeaderTimeout: 5 * time.Second}
	go func() { // ends with ctx
		<-ctx.Done()
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(bounded) // what is not done is done after the next start
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	a.work.Wait()
	return nil
}
