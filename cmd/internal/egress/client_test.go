package egress

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// spellings of targets that must not be called; %d is the port of a server that
// listens on loopback and counts who comes.
var spellings = []string{
	"http://127.0.0.1:%d/", "http://127.0.0.2:%d/", "http://127.1:%d/", "http://127.0.1:%d/", "http://2130706433:%d/", "http://0x7f000001:%d/",
	"http://0x7f.0.0.1:%d/", "http://0177.0.0.1:%d/", "http://017700000001:%d/", "http://127.000.000.001:%d/", "http://localhost:%d/",
	"http://LOCALHOST:%d/", "http://localhost.:%d/", "http://[::1]:%d/", "http://[0:0:0:0:0:0:0:1]:%d/", "http://[::ffff:127.0.0.1]:%d/",
	"http://[::ffff:7f00:1]:%d/", "http://[0:0:0:0:0:ffff:7f00:1]:%d/", "http://[::127.0.0.1]:%d/", "http://[::7f00:1]:%d/",
	"http://[64:ff9b::7f00:1]:%d/", "http://[64:ff9b::127.0.0.1]:%d/", "http://[64:ff9b:1::7f00:1]:%d/", "http://[2002:7f00:1::]:%d/",
	"http://[2002:7f00:0001::1]:%d/", "http://[2001:0:7f00:1::]:%d/", "http://0.0.0.0:%d/", "http://0:%d/", "http://[::]:%d/",
	"http://[::%%25lo]:%d/", "http://[::1%%25lo]:%d/", "http://[fe80::1%%25lo]:%d/", "http://[fe80::1]:%d/", "http://169.254.169.254:%d/latest/meta-data/",
	"http://169.254.1.1:%d/", "http://[::ffff:169.254.169.254]:%d/", "http://[::ffff:a9fe:a9fe]:%d/", "http://[64:ff9b::a9fe:a9fe]:%d/",
	"http://[2002:a9fe:a9fe::]:%d/", "http://[fd00:ec2::254]:%d/", "http://[fd20:ce::254]:%d/", "http://100.100.100.200:%d/",
	"http://168.63.129.16:%d/", "http://192.0.0.192:%d/", "http://224.0.0.1:%d/", "http://239.255.255.250:%d/", "http://[ff02::1]:%d/",
	"http://255.255.255.255:%d/", "http://240.0.0.1:%d/", "http://10.0.0.1:%d/", "http://172.16.0.1:%d/", "http://172.31.255.255:%d/",
	"http://192.168.0.1:%d/", "http://[fc00::1]:%d/", "http://[fd12:3456::1]:%d/", "http://[fec0::1]:%d/", "http://100.64.0.1:%d/",
	"http://198.18.0.1:%d/", "http://[::ffff:10.0.0.1]:%d/", "http://[2002:0a00:0001::]:%d/", "http://①②⑦.⓪.⓪.①:%d/", "http://127。0。0。1:%d/",
	"http://user@127.0.0.1:%d/", "http://127.0.0.1:%d@example.org/", "http://example.org@127.0.0.1:%d/", "http:127.0.0.1:%d/", "http:///127.0.0.1:%d/",
	"http://127.0.0.1:%d\\@example.org/", "http://127.0.0.1:%d#@example.org/", "http://127.0.0.1%%00.example.org:%d/", "http://localhost%%2eexample:%d/",
	"HTTP://127.0.0.1:%d/", "http://[::ffff:0:127.0.0.1]:%d/", "unix:///var/run/docker.sock?%d", "file:///etc/passwd?%d", "gopher://127.0.0.1:%d/",
	"ftp://127.0.0.1:%d/", "http+unix://x:%d/", "dict://127.0.0.1:%d/", "//127.0.0.1:%d/", "http://\n127.0.0.1:%d/",
}

func TestSpellings(t *testing.T) {
	t.Parallel()
	if len(spellings) < 60 {
		t.Fatalf("only %d spellings", len(spellings))
	}
	var reached atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer s.Close()
	client := (&Policy{}).Client(ClientOptions{Timeout: 2 * time.Second})
	defer client.CloseIdleConnections()
	for _, f := range spellings {
		target := strings.Replace(strings.ReplaceAll(f, "%%", "%"), "%d", port(t, s.URL), 1)
		if status, err := get(t.Context(), client, target); err == nil || reached.Load() != 0 {
			t.Errorf("%s: %d %v, reached %d times", target, status, err, reached.Swap(0))
		} else if literal(target) && !refused(err) {
			t.Errorf("%s: not refused by the policy: %v", target, err)
		}
	}
	open := (&Policy{Allow: rules(t, "127.0.0.1:"+port(t, s.URL))}).Client(ClientOptions{Timeout: 5 * time.Second})
	defer open.CloseIdleConnections()
	if status, err := get(t.Context(), open, s.URL); err != nil || status != http.StatusOK || reached.Load() != 1 {
		t.Errorf("the server cannot be reached where it may be: %d %v", status, err)
	}
}

func TestRefusalIsTyped(t *testing.T) {
	t.Parallel()
	_, err := get(t.Context(), (&Policy{}).Client(ClientOptions{}), "http://127.0.0.1:1/")
	var r *Refusal
	if !errors.As(err, &r) || r.Never || !strings.Contains(err.Error(), "egress.allow") {
		t.Errorf("%v", err)
	}
	// A name is judged by what it resolves to.
	if _, err = get(t.Context(), (&Policy{}).Client(ClientOptions{}), "http://localhost:1/"); !errors.As(err, &r) {
		t.Errorf("%v", err)
	}
}

func TestNoProxyOfTheEnvironment(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	if (&Policy{}).Transport().Proxy != nil {
		t.Error("a proxy is asked")
	}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	seen := make(chan http.Header, 1)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen <- r.Header }))
	defer elsewhere.Close()
	mux := http.NewServeMux()
	to := func(path, target string, status int) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, target, status) })
	}
	to("/metadata", "http://169.254.169.254/latest/meta-data/", http.StatusFound)
	to("/inner", "http://10.0.0.1/", http.StatusFound)
	to("/file", "file:///etc/passwd", http.StatusFound)
	to("/user", "http://u:p@127.0.0.1/", http.StatusFound)
	to("/loop", "/loop", http.StatusFound)
	to("/elsewhere", elsewhere.URL+"/", http.StatusTemporaryRedirect)
	to("/here", "/end", http.StatusTemporaryRedirect)
	mux.HandleFunc("/end", func(_ http.ResponseWriter, r *http.Request) { seen <- r.Header })
	s := httptest.NewServer(mux)
	defer s.Close()
	client := (&Policy{Allow: rules(t, "loopback")}).Client(ClientOptions{Timeout: 5 * time.Second, Redirects: 3})
	defer client.CloseIdleConnections()

	for path, want := range map[string]string{
		"/metadata": "never called", "/inner": "may not be called", "/file": `scheme "file"`, "/user": "user or password", "/loop": "more than 3",
	} {
		if _, err := get(t.Context(), client, s.URL+path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
	for path, credentials := range map[string]string{"/here?token=1": "kept", "/elsewhere?token=1": ""} {
		if status, err := get(t.Context(), client, s.URL+path); err != nil || status != http.StatusOK {
			t.Fatalf("%s: %d %v", path, status, err)
		}
		h := <-seen
		for _, name := range []string{"Authorization", "Cookie", "Idempotency-Key", "X-Api-Key"} {
			if got := h.Get(name); got != credentials {
				t.Errorf("%s: %s %q, want %q", path, name, got, credentials)
			}
		}
		if h.Get("Referer") != "" || h.Get("Accept") != "kept" {
			t.Errorf("%s: %v", path, h)
		}
	}
	r := request(t.Context(), t, http.MethodPost, s.URL+"/elsewhere")
	if answer, err := client.Do(r); err == nil {
		_ = answer.Body.Close()
		t.Error("a POST was redirected to another host")
	}
	none := (&Policy{Allow: rules(t, "loopback")}).Client(ClientOptions{Timeout: 5 * time.Second})
	defer none.CloseIdleConnections()
	if status, err := get(t.Context(), none, s.URL+"/here"); err != nil || status != http.StatusTemporaryRedirect {
		t.Errorf("without redirects: %d %v", status, err)
	}
}

func TestNoDowngrade(t *testing.T) {
	t.Parallel()
	before, _ := url.Parse("https://example.org/")
	after, _ := url.Parse("http://example.org/")
	err := (&Policy{}).Redirect(3)(&http.Request{Method: http.MethodGet, URL: after, Header: http.Header{}}, []*http.Request{{URL: before}})
	if err == nil || !strings.Contains(err.Error(), "https to http") {
		t.Errorf("%v", err)
	}
}

// Whatever the text, a check does not panic, and what it passes has an address
// that is permitted.
func FuzzCheck(f *testing.F) {
	for _, s := range spellings {
		f.Add(strings.ReplaceAll(s, "%d", "80"))
	}
	p := &Policy{}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := url.Parse(text)
		if err != nil || p.Check(u) != nil {
			return
		}
		if u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.Hostname() == "" {
			t.Errorf("%q passes", text)
		}
	})
}

// literal tells whether a target is plainly an address with http, so that nothing
// but the policy can stand in its way.
func literal(target string) bool {
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "http" || u.User != nil {
		return false
	}
	_, err = netip.ParseAddr(u.Hostname())
	return err == nil
}

func refused(err error) bool {
	var r *Refusal
	return errors.As(err, &r)
}

func port(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Port()
}

func request(ctx context.Context, t *testing.T, method, target string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, target, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// get calls with every header field that may be a credential.
func get(ctx context.Context, c *http.Client, target string) (int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return 0, err
	}
	for _, name := range []string{"Authorization", "Cookie", "Idempotency-Key", "X-Api-Key", "Accept"} {
		r.Header.Set(name, "kept")
	}
	answer, err := c.Do(r)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, errors.Join(err, answer.Body.Close())
}
