package app

import (
	"fmt"
	"os"
	"strings"
	"time"

	// The drivers that package source names.
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/microsoft/go-mssqldb"
	_ "modernc.org/sqlite"

	"github.com/seed42aab489/belfry/cmd/internal/conf"
	"github.com/seed42aab489/belfry/cmd/internal/egress"
	"github.com/seed42aab489/belfry/dataservice/exchange"
	"github.com/seed42aab489/belfry/dataservice/query"
	"github.com/seed42aab489/belfry/dataservice/source"
	"github.com/seed42aab489/belfry/plugin/event"
	"github.com/seed42aab489/belfry/plugin/event/send"
	"github.com/seed42aab489/belfry/plugin/invoke/web"
)

// outward is where the host may call on behalf of others. Webhooks may be allowed
// all that is internal.
func outward(c conf.Config) (general, webhooks *egress.Policy, err error) {
	rules, err := egress.ParseRules(c.Egress.Allow)
	if err != nil {
		return nil, nil, fmt.Errorf("egress.allow: %w", err)
	}
	general = &egress.Policy{Allow: rules, Closed: c.Egress.Closed}
	if !c.Webhook.AllowPrivate {
		return general, general, nil
	}
	inner, err := egress.ParseRules([]string{"loopback", "private"})
	return general, &egress.Policy{Allow: append(inner, rules...), Closed: c.Egress.Closed}, err
}

// sourceSecrets reads what data sources refer to. Tasks have a folder and a prefix
// of their own: who makes tasks may send those secrets elsewhere.
func sourceSecrets(c conf.Config) func(text string, encode func(string) string) (string, error) {
	return web.Secrets{Dir: c.Deploy.Secrets, Env: os.LookupEnv, Prefix: "BELFRY_SOURCE_", Setting: "deploy.secrets"}.ResolveAs
}

// fileRedirects is how many redirects lead to a remote file at most.
const fileRedirects = 3

// senders makes what delivers messages.
func (a *App) senders(c conf.Config, rule *egress.Policy) (event.Sender, error) {
	web := send.NewWebhook(send.WebhookConfig{
		Secret: []byte(c.Webhook.Secret.Reveal()), Egress: rule, Timeout: c.Webhook.Timeout, Now: time.Now,
	})
	var mail event.Sender
	var err error
	if c.Mail.Transport == "smtp" {
		mail, err = send.NewSMTP(send.SMTPConfig{
			Host: c.Mail.SMTP.Host, Port: c.Mail.SMTP.Port, TLS: c.Mail.SMTP.TLS, User: c.Mail.SMTP.User,
			Password: c.Mail.SMTP.Password.Reveal(), From: c.Mail.From, Timeout: c.Mail.SMTP.Timeout,
		})
	} else {
		mail, err = send.NewFolder(c.Mail.Folder, c.Mail.From)
	}
	if err != nil {
		return nil, err
	}
	return send.Router{Mail: mail, Web: web}, nil
}

// mappings gives the configured ones as package source knows them.
func mappings(list []conf.Mapping) ([]source.Mapping, error) {
	out := make([]source.Mapping, 0, len(list))
	for _, m := range list {
		mapping := source.Mapping{Match: m.Match, URL: m.URL}
		if err := mapping.Check(); err != nil {
			return nil, err
		}
		out = append(out, mapping)
	}
	return out, nil
}

// queryLimits are the bounds of a service's requests that hold however they come.
func queryLimits(l conf.Limits) query.Limits {
	return query.Limits{
		Rows: l.Rows, Depth: l.QueryDepth, Array: l.ArrayValues, Bytes: int64(l.Held), Events: l.Observations, Timeout: l.StatementTime,
	}
}

// requestLimits are the bounds of those that come over HTTP.
func requestLimits(l conf.Limits) exchange.Limits {
	return exchange.Limits{
		MaxBody: int64(l.Body), MaxRequests: l.Concurrency, Rate: l.Rate, Timeout: l.RequestTime, MaxAnswer: int64(l.Answer),
	}
}

// limits gives the caps of runs by the names of task.Target.Limits.
func limits(s conf.Scheduler) func(name string) int {
	return func(name string) int {
		if strings.HasPrefix(name, "source:") {
			return s.PerSource
		}
		return s.PerService
	}
}
