package app

import (
	"net/http"
	"net/url"
	"os"

	"github.com/seed42aab489/belfry/cmd/internal/conf"
	"github.com/seed42aab489/belfry/cmd/internal/egress"
	"github.com/seed42aab489/belfry/plugin/invoke"
	"github.com/seed42aab489/belfry/plugin/invoke/web"
	"github.com/seed42aab489/belfry/plugin/task"
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

// kinds invoke what tasks do other than calling operations of this host.
func kinds(o web.Options) invoke.Kinds {
	return invoke.Kinds{task.KindHTTP: web.NewHTTP(o), task.KindSOAP: web.NewSOAP(o)}
}
