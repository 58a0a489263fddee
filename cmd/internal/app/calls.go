package app

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"

	"github.com/seed42aab489/belfry/cmd/internal/conf"
	"github.com/seed42aab489/belfry/cmd/internal/egress"
	"github.com/seed42aab489/belfry/plugin/invoke/web"
	"github.com/seed42aab489/belfry/plugin/timer"
)

// caller makes what calls others for tasks, where the policy permits. The runs'
// own time-outs bound it.
func (a *App) caller(c conf.Calls, policy *egress.Policy) (web.Options, error) {
	var proxy *url.URL
	if c.Proxy != "" {
		var err error
		if proxy, err = url.Parse(c.Proxy); err != nil {
			return web.Options{}, err
		}
	}
	client := policy.Client(egress.ClientOptions{Redirects: c.Redirects, Proxy: proxy})
	return web.Options{
		Client: client, Secrets: web.Secrets{Dir: c.Secrets, Env: os.LookupEnv}, MaxAnswer: int64(c.Answer),
	}, nil
}

var _ web.Doer = (*http.Client)(nil)

// handlers reads the handlers' configuration.
func handlers(file string) (timer.Config, error) {
	if file == "" {
		return timer.Config{}, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return timer.Config{}, fmt.Errorf("tasks.handlers: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	data, err := io.ReadAll(io.LimitReader(f, timer.MaxFile+1))
	if err != nil {
		return timer.Config{}, fmt.Errorf("tasks.handlers: %w", err)
	}
	return timer.Parse(file, data)
}
