package egress

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// proxy is a real proxy: it forwards http, and opens tunnels for CONNECT. Every
// name leads to one server.
type proxy struct {
	*httptest.Server
	to string // host:port of the server

	mu    sync.Mutex
	asked []string // guarded by mu; "GET http://…", "CONNECT host:port"
}

func newProxy(t *testing.T, to string) *proxy {
	t.Helper()
	p := &proxy{to: to}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked = append(p.asked, r.Method+" "+r.RequestURI)
	p.mu.Unlock()
	there, err := net.Dial("tcp", p.to)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer there.Close()
	if r.Method != http.MethodConnect {
		dial := func(context.Context, string, string) (net.Conn, error) { return there, nil }
		transport := &http.Transport{DialContext: dial, DisableKeepAlives: true}
		r.RequestURI = ""
		answer, err := transport.RoundTrip(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer answer.Body.Close()
		for name, values := range answer.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.StatusCode)
		_, _ = io.Copy(w, answer.Body)
		return
	}
	w.WriteHeader(http.StatusOK)
	here, buffered, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer here.Close()
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(there, buffered); _ = there.(*net.TCPConn).CloseWrite() })
	both.Go(func() { _, _ = io.Copy(here, there); _ = here.(*net.TCPConn).CloseWrite() })
	both.Wait()
}

func (p *proxy) told() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.asked
	p.asked = nil
	return all
}

func through(t *testing.T, p *Policy, at string, secure *tls.Config) *http.Client {
	t.Helper()
	address, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	client := p.Client(ClientOptions{Timeout: 20 * time.Second, Redirects: 3, Proxy: address, TLS: secure})
	t.Cleanup(client.CloseIdleConnections)
	return client
}

// Through a proxy, plain calls are forwarded and https goes through a tunnel.
func TestProxy(t *testing.T) {
	t.Parallel()
	answers := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/away" {
			http.Redirect(w, r, "http://169.254.169.254/latest/", http.StatusFound)
		}
	})
	plain, secure := httptest.NewServer(answers), httptest.NewTLSServer(answers)
	defer plain.Close()
	defer secure.Close()
	policy := &Policy{Allow: rules(t, "127.0.0.1")}
	forward, tunnel := newProxy(t, plain.Listener.Addr().String()), newProxy(t, secure.Listener.Addr().String())

	client := through(t, policy, forward.URL, nil)
	if status, err := get(t.Context(), client, "http://stock.example.org/a?b=c"); err != nil || status != http.StatusOK {
		t.Errorf("%d, %v", status, err)
	}
	if got := strings.Join(forward.told(), ", "); got != "GET http://stock.example.org/a?b=c" {
		t.Errorf("the proxy was asked for %s", got)
	}
	if _, err := get(t.Context(), client, "http://stock.example.org/away"); !refused(err) {
		t.Errorf("redirected: %v", err)
	}
	if got := forward.told(); len(got) != 1 {
		t.Errorf("the proxy was asked for %q", got)
	}

	trusts := secure.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	trusts.ServerName = "example.com" // as the test's certificate has it
	if status, err := get(t.Context(), through(t, policy, tunnel.URL, trusts), "https://stock.example.org/a"); err != nil || status != http.StatusOK {
		t.Errorf("%d, %v", status, err)
	}
	if got := strings.Join(tunnel.told(), ", "); got != "CONNECT stock.example.org:443" {
		t.Errorf("the proxy was asked for %s", got)
	}
}

// The rules hold behind a proxy as far as they can: it is never asked for what is
// written out and refused, in no spelling, nor for itself.
func TestProxyIsNotAskedForWhatIsRefused(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	asked := newProxy(t, s.Listener.Addr().String())
	// The proxy alone may be called on this machine.
	client := through(t, &Policy{Allow: rules(t, asked.Listener.Addr().String())}, asked.URL, nil)
	for _, f := range spellings(t) {
		target := strings.Replace(f, "PORT", port(t, s.URL), 1)
		if status, err := get(t.Context(), client, target); err == nil {
			t.Errorf("%s: %d", target, status)
		}
		if got := asked.told(); len(got) != 0 {
			t.Errorf("%s: the proxy was asked for %q", target, got)
		}
	}

	closed := through(t, &Policy{Closed: true, Allow: rules(t, asked.Listener.Addr().String(), "93.184.215.14")}, asked.URL, nil)
	if _, err := get(t.Context(), closed, "http://stock.example.org/"); !refused(err) || len(asked.told()) != 0 {
		t.Errorf("a name behind a proxy of a closed policy: %v", err)
	}
	if _, err := get(t.Context(), closed, "http://93.184.215.14/"); err != nil || len(asked.told()) != 1 {
		t.Errorf("an address that is allowed: %v", err)
	}
	shut := through(t, &Policy{}, asked.URL, nil)
	if _, err := get(t.Context(), shut, "http://stock.example.org/"); !refused(err) || len(asked.told()) != 0 {
		t.Errorf("the proxy itself may not be called: %v", err)
	}
}
