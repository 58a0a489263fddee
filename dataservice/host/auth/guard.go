package auth

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/exchange"
)

// Options make a Guard. Users, JWT or both must be given; the zero value of the
// rest means the default.
type Options struct {
	Users string // path of the users file; empty: there is none
	JWT   JWT    // without Keys: there are none
	// Realm is what a client is told that it logs in to; default "belfry".
	Realm string
	// AllowPlain takes credentials over plain HTTP from everywhere, not only from
	// this machine.
	AllowPlain bool
	// Cache is how long a verified password is remembered; negative: not at all;
	// default a minute.
	Cache  time.Duration
	Hashes int // that are computed at the same time; default 2
	// Failures is how many wrong credentials a name may give from one address in
	// Window before it is not heard; default 30 in 5 min.
	Failures int
	Window   time.Duration

	Log *slog.Logger     // default: nothing is logged
	Now func() time.Time // default time.Now
}

// Defaults of Options.
const (
	DefaultCache    = time.Minute
	DefaultHashes   = 2
	DefaultFailures = 30
	DefaultWindow   = 5 * time.Minute
)

func (o Options) withDefaults() Options {
	if o.Realm == "" {
		o.Realm = "belfry"
	}
	if o.Cache == 0 {
		o.Cache = DefaultCache
	}
	if o.Hashes <= 0 {
		o.Hashes = DefaultHashes
	}
	if o.Failures <= 0 {
		o.Failures = DefaultFailures
	}
	if o.Window <= 0 {
		o.Window = DefaultWindow
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Guard finds out who makes requests. Safe for concurrent use.
type Guard struct {
	opts     Options
	users    *file[*users] // nil: there is no users file
	keys     *file[[]key]  // nil: no JSON Web Token is taken
	verifier *verifier
	failures *failures
}

// New makes a Guard. The error tells what is wrong with an option or a file.
func New(o Options) (*Guard, error) {
	o = o.withDefaults()
	g := &Guard{opts: o, verifier: newVerifier(o.Hashes, o.Cache, o.Now), failures: newFailures(o.Failures, o.Window)}
	var err error
	if o.Users != "" {
		if g.users, err = open(&file[*users]{path: o.Users, private: true, parse: parseUsers, now: o.Now, log: o.Log}); err != nil {
			return nil, fmt.Errorf("users file: %w", err)
		}
	}
	if o.JWT.Keys != "" {
		if err := g.opts.JWT.check(); err != nil {
			return nil, err
		}
		if g.keys, err = open(&file[[]key]{path: o.JWT.Keys, parse: parseKeys, now: o.Now, log: o.Log}); err != nil {
			return nil, fmt.Errorf("keys of JSON Web Tokens: %w", err)
		}
	}
	if g.users == nil && g.keys == nil {
		return nil, errors.New("auth: neither a users file nor keys of JSON Web Tokens")
	}
	return g, nil
}

// Missing refuses a request that tells nothing of who makes it.
func (g *Guard) Missing() error {
	return g.unknown("", "credentials are needed")
}

// unknown refuses with 401. Fault is RFC 6750's, for bearer tokens; it may be empty.
func (g *Guard) unknown(fault, text string) error {
	var challenge []string
	realm := strconv.Quote(g.opts.Realm)
	if g.users != nil {
		challenge = append(challenge, "Basic realm="+realm+`, charset="UTF-8"`)
	}
	bearer := "Bearer realm=" + realm
	if fault != "" {
		bearer += `, error="` + fault + `"`
	}
	return &exchange.Problem{
		Status: http.StatusUnauthorized, Text: text,
		Header: http.Header{"Www-Authenticate": append(challenge, bearer)},
	}
}

// Authenticate gives who makes a request; nil if it says nothing of that. The
// error, for credentials that are wrong or not heard, is an *exchange.Problem: 401,
// 400, 403 in plain HTTP, 429 or 503.
func (g *Guard) Authenticate(r *http.Request) (*dataservice.Principal, error) {
	given := r.Header["Authorization"]
	if len(given) == 0 {
		return nil, nil
	}
	if len(given) > 1 {
		return nil, &exchange.Problem{Status: http.StatusBadRequest, Text: "there is more than one Authorization"}
	}
	scheme, credentials, _ := strings.Cut(given[0], " ")
	credentials = strings.TrimSpace(credentials)
	basic := strings.EqualFold(scheme, "Basic") && g.users != nil
	if !basic && !strings.EqualFold(scheme, "Bearer") {
		return nil, g.unknown("", "this way of authentication is not taken")
	}
	from := network(r.RemoteAddr)
	if r.TLS == nil && !g.opts.AllowPlain && !here(r.RemoteAddr) {
		return nil, &exchange.Problem{Status: http.StatusForbidden, Text: "credentials are taken over https only"}
	}
	if basic {
		return g.password(r, from, credentials)
	}
	return g.bearer(from, credentials)
}

// here tells whether an address is this machine's: loopback, or a unix socket's.
func here(remote string) bool {
	at, err := netip.ParseAddrPort(remote)
	return err != nil || at.Addr().Unmap().IsLoopback()
}

func (g *Guard) password(r *http.Request, from netip.Prefix, credentials string) (*dataservice.Principal, error) {
	raw, err := base64.StdEncoding.DecodeString(credentials)
	name, password, ok := strings.Cut(string(raw), ":")
	if err != nil || !ok || !utf8.Valid(raw) || !validName(name) || len(password) > maxPassword {
		return nil, g.unknown("", "the credentials are not well-formed")
	}
	all, version := g.users.get()
	now := g.opts.Now()
	p := g.verifier.proofOf(version, name, password)
	if who := g.verifier.recall(p); who != nil {
		return who, nil
	}
	if wait := g.failures.wait(from, name, now); wait > 0 {
		return nil, later(http.StatusTooManyRequests, "too many wrong credentials", wait)
	}
	u := all.passwords[name]
	h := all.decoy
	if u != nil {
		h = u.hash
	}
	matched, first := false, true
	if h != nil {
		var busy bool
		if matched, first, busy = g.verifier.verify(r.Context(), p, h, password); busy {
			return nil, later(http.StatusServiceUnavailable, "too many passwords are being checked", time.Second)
		}
	}
	if !matched || u == nil || !u.valid(now) {
		if first {
			g.fail(from, name, now)
		}
		return nil, g.unknown("", "the name or the password is wrong")
	}
	g.failures.passed(from, name)
	g.verifier.remember(p, u.principal, u.expires)
	return u.principal, nil
}

func (g *Guard) bearer(from netip.Prefix, token string) (*dataservice.Principal, error) {
	now := g.opts.Now()
	if wait := g.failures.wait(from, "", now); wait > 0 {
		return nil, later(http.StatusTooManyRequests, "too many wrong credentials", wait)
	}
	if g.keys != nil && strings.Count(token, ".") == 2 {
		keys, _ := g.keys.get()
		who, err := g.opts.JWT.principal(keys, token, now)
		if err != nil {
			g.opts.Log.Debug("token refused", "from", from, "err", err)
			g.failures.failed(from, "", now)
			return nil, g.unknown("invalid_token", "the token is not valid")
		}
		return who, nil
	}
	if g.users != nil {
		all, _ := g.users.get()
		// What a look-up by the digest of 256 random bits takes tells nothing of them.
		if u := all.tokens[sha256.Sum256([]byte(token))]; u != nil && u.valid(now) {
			return u.principal, nil
		}
	}
	g.fail(from, "", now)
	return nil, g.unknown("invalid_token", "the token is not valid")
}

func (g *Guard) fail(from netip.Prefix, name string, now time.Time) {
	g.failures.failed(from, name, now)
	if g.failures.wait(from, name, now) > 0 {
		g.opts.Log.Warn("too many wrong credentials: not heard for a while", "from", from, "name", name, "for", g.opts.Window)
	}
}

func later(status int, text string, wait time.Duration) error {
	after := int((wait + time.Second - 1) / time.Second)
	return &exchange.Problem{Status: status, Text: text, Header: http.Header{"Retry-After": {strconv.Itoa(after)}}}
}
