package app

import (
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/seed42aab489/belfry/cmd/internal/conf"
	"github.com/seed42aab489/belfry/dataservice/exchange"
	"github.com/seed42aab489/belfry/dataservice/host"
	"github.com/seed42aab489/belfry/dataservice/host/auth"
	"github.com/seed42aab489/belfry/plugin/adminapi"
)

// guard makes what finds out who calls; nil if nobody is known.
func (a *App) guard(c conf.Config) (host.Authenticator, error) {
	if c.Auth.UsersFile == "" && c.Auth.JWT.KeysFile == "" {
		return nil, nil
	}
	j := c.Auth.JWT
	cache := c.Auth.Cache
	if cache == 0 {
		cache = -1 // not at all
	}
	g, err := auth.New(auth.Options{
		Users: c.Auth.UsersFile, Realm: c.Auth.Realm, AllowPlain: c.Auth.AllowPlain, Cache: cache, Hashes: c.Auth.Hashes,
		Failures: c.Auth.Failures, Window: c.Auth.FailureWindow,
		JWT: auth.JWT{
			Keys: j.KeysFile, Algorithms: j.Algorithms, Issuer: j.Issuer, Audience: j.Audience,
			NameClaim: j.NameClaim, RolesClaim: j.RolesClaim, ScopesClaim: j.ScopesClaim,
		},
		Log: a.log.With("component", "auth"),
	})
	if err != nil {
		return nil, err
	}
	if c.Auth.AllowPlain && c.Listen != conf.PlainOff && !loopback(c.Listen) {
		a.log.Warn("credentials are taken over plain HTTP from other machines (auth.allow_plain): only a proxy that speaks https should reach this listener", "listen", c.Listen)
	}
	return g, nil
}

// loopback tells whether an address to listen on is this machine's alone.
func loopback(address string) bool {
	name, _, err := net.SplitHostPort(address)
	return err == nil && (name == "localhost" || net.ParseIP(name).IsLoopback())
}

// programs is the REST interface to tasks. Where nobody can be known, it says so to
// everybody.
func (a *App) programs(who host.Authenticator) (http.Handler, error) {
	if who == nil {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			health(w, http.StatusNotImplemented, "closed", "the host is configured for no authentication (auth.users_file, auth.jwt)")
		}), nil
	}
	c := a.o.Loaded.Config.API
	return adminapi.New(adminapi.Deps{
		Control: a.control(), Guard: callers{who}, Now: time.Now, Log: a.log.With("component", "api"), Version: a.o.Version,
		Limits: adminapi.Limits{
			Requests: c.Requests, Body: int64(c.Body), BulkBody: int64(c.BulkBody), Bulk: c.Bulk, Time: c.Time, BulkTime: c.BulkTime,
		},
	})
}

// callers admits those whom the guard knows to programs' interfaces, with the
// scopes that they have.
type callers struct{ host.Authenticator }

// Admit meets adminapi.Guard.
func (c callers) Admit(r *http.Request) (adminapi.Caller, error) {
	who, err := c.Authenticate(r)
	if err == nil && who == nil {
		err = c.Missing()
	}
	var p *exchange.Problem
	switch {
	case errors.As(err, &p):
		return adminapi.Caller{}, refused{p}
	case err != nil:
		return adminapi.Caller{}, err
	}
	return adminapi.Caller{Name: who.Name, Scopes: who.Scopes}, nil
}

// refused is a refusal of the guard as adminapi.Refusal.
type refused struct{ *exchange.Problem }

// Refused gives the status and the header of the answer.
func (r refused) Refused() (int, http.Header) { return r.Status, r.Header }

var _ adminapi.Guard = callers{}
