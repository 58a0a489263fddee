package egress

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
	"unicode/utf8"
)

// Bounds of every call.
const (
	dialTime  = 10 * time.Second // to resolve and to connect
	shakeTime = 10 * time.Second // for TLS
	idleTime  = 30 * time.Second
	maxHeader = 64 << 10 // bytes of an answer's header
	maxIdle   = 16
	perHost   = 2
)

// DialContext connects to an address that the policy permits. Its error is a
// *Refusal only if the policy refuses every address of the name: one that it
// permits and that does not answer may answer later.
func (p *Policy) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	var permitted atomic.Bool
	control := func(network, address string, c syscall.RawConn) error {
		err := p.Control(network, address, c)
		permitted.CompareAndSwap(false, err == nil)
		return err
	}
	conn, err := (&net.Dialer{Timeout: dialTime, Resolver: p.Resolver, Control: control}).DialContext(ctx, network, address)
	if r, ok := errors.AsType[*Refusal](err); ok && permitted.Load() {
		return nil, fmt.Errorf("no address that may be called answers; %s", r.Error())
	}
	return conn, err
}

// Check refuses a target that is no plain http or https address, or whose host is
// an address that the policy refuses, with a *Refusal. It resolves nothing: a name
// is judged when it is connected to.
func (p *Policy) Check(target *url.URL) error {
	port := 80
	switch {
	case target.Scheme != "http" && target.Scheme != "https":
		return refuse("scheme %q is not supported: use http or https", target.Scheme)
	case target.Opaque != "" || target.Hostname() == "":
		return refuse("the address names no host")
	case target.User != nil:
		return refuse("an address with a user or password is refused: it would be shown")
	case target.Scheme == "https":
		port = 443
	}
	if s := target.Port(); s != "" {
		var err error
		if port, err = strconv.Atoi(s); err != nil || port < 1 || port > 65535 {
			return refuse("port %q is not between 1 and 65535", s)
		}
	}
	host := target.Hostname()
	if a, err := netip.ParseAddr(host); err == nil {
		return p.Permit(netip.AddrPortFrom(a, uint16(port)))
	}
	if isLocalhost(host) {
		here := p.Permit(netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port)))
		if here == nil || p.Permit(netip.AddrPortFrom(netip.IPv6Loopback(), uint16(port))) == nil {
			return nil // which of them, is judged when it is connected to
		}
		return here
	}
	if endsInNumber(host) {
		return refuse("host %q is neither a name nor an address: write an IPv4 address as four decimal numbers without leading zeros", host)
	}
	return nil
}

// isLocalhost tells whether a name means this machine, with its final dot or
// without (RFC 6761, section 6.3), whatever a resolver makes of it.
func isLocalhost(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// endsInNumber tells whether a host is what some resolvers take for an IPv4
// address: 127.1, 2130706433, 0x7f.1 (WHATWG URL, "ends in a number"). No name
// does: there is no such top-level domain.
func endsInNumber(host string) bool {
	last := strings.TrimSuffix(host, ".")
	last = last[strings.LastIndexByte(last, '.')+1:]
	if last == "" {
		return false
	}
	if strings.Trim(last, "0123456789") == "" {
		return true
	}
	hex, ok := strings.CutPrefix(strings.ToLower(last), "0x")
	return ok && strings.Trim(hex, "0123456789abcdef") == ""
}

// checkProxied is Check for a target that a proxy is asked for, which resolves
// names itself: nobody here learns where they lead. Refused are names that mean
// this machine, whatever is allowed, spellings that a proxy may read in another
// way, and all names if the policy is closed.
func (p *Policy) checkProxied(target *url.URL) error {
	if err := p.Check(target); err != nil {
		return err
	}
	host := target.Hostname()
	if _, err := netip.ParseAddr(host); err == nil {
		return nil
	}
	switch {
	case isLocalhost(host):
		return refuse("host %q would be the proxy's own machine: write the address", host)
	case strings.ContainsFunc(host, func(r rune) bool { return r >= utf8.RuneSelf }):
		return refuse("host %q: a proxy may read it in another way; write it in its ASCII form (xn--…)", host)
	case p.Closed:
		return refuse("host %q: behind a proxy nobody here knows its address, and egress.closed lets only known ones be called", host)
	}
	return nil
}

// Transport gives a transport of its own that connects only where the policy
// permits. It unpacks nothing, so that the size of an answer is what was read, and
// asks no proxy. Close its idle connections when it is done with.
func (p *Policy) Transport() *http.Transport {
	return &http.Transport{
		DialContext:            p.DialContext,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		TLSHandshakeTimeout:    shakeTime,
		MaxResponseHeaderBytes: maxHeader,
		MaxIdleConns:           maxIdle,
		MaxIdleConnsPerHost:    perHost,
		IdleConnTimeout:        idleTime,
	}
}

// ClientOptions are those of a client.
type ClientOptions struct {
	// Timeout of a whole call, its answer included. Zero: no bound but that of the
	// request's context.
	Timeout time.Duration
	// Redirects that are followed at most. Zero: none, the answer that redirects is
	// the answer.
	Redirects int
	// Proxy that every call goes through. It is connected to as the policy permits,
	// and resolves names itself: only addresses that are written out are judged
	// then, and if the policy is closed names are refused. Nil: none.
	Proxy *url.URL
	// TLS of https. Nil: the system's authorities.
	TLS *tls.Config
}

// Client gives a client with a transport of its own, which checks each target
// before it is called.
func (p *Policy) Client(o ClientOptions) *http.Client {
	t := p.Transport()
	t.TLSClientConfig = o.TLS
	check := p.Check
	if o.Proxy != nil {
		t.Proxy = http.ProxyURL(o.Proxy)
		check = p.checkProxied
	}
	return &http.Client{Timeout: o.Timeout, Transport: checked{check, t}, CheckRedirect: p.Redirect(o.Redirects)}
}

// checked judges a target before anything is sent, so that what is refused by its
// spelling needs no connection to be refused.
type checked struct {
	check func(target *url.URL) error
	*http.Transport
}

func (c checked) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := c.check(r.URL); err != nil {
		if r.Body != nil {
			err = errors.Join(err, r.Body.Close())
		}
		return nil, err
	}
	return c.Transport.RoundTrip(r)
}

// harmless are the header fields that another host may see. Any other may be a
// credential, whatever its name.
var harmless = []string{"Accept", "Accept-Language", "Content-Type", "User-Agent"}

// Redirect is for http.Client.CheckRedirect: it follows at most so many, each
// judged as the first address was. Another scheme, host or port gets neither a
// body nor a header field that may be a credential, and https never leads to http.
func (p *Policy) Redirect(most int) func(*http.Request, []*http.Request) error {
	return func(r *http.Request, via []*http.Request) error {
		if most == 0 {
			return http.ErrUseLastResponse
		}
		if len(via) > most {
			return fmt.Errorf("more than %d redirects", most)
		}
		if err := p.Check(r.URL); err != nil {
			return fmt.Errorf("redirected: %w", err)
		}
		r.Header.Del("Referer") // its query may be a secret
		for _, before := range via {
			if before.URL.Scheme == r.URL.Scheme && strings.EqualFold(before.URL.Host, r.URL.Host) {
				continue
			}
			switch {
			case before.URL.Scheme == "https" && r.URL.Scheme == "http":
				return refuse("redirected from https to http")
			case r.Method != http.MethodGet && r.Method != http.MethodHead:
				return fmt.Errorf("a %s is not redirected to another host", r.Method)
			}
			maps.DeleteFunc(r.Header, func(name string, _ []string) bool { return !slices.Contains(harmless, name) })
		}
		return nil
	}
}
