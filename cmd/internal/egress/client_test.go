package egress

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// spellings of targets that must not be called.
func spellings(tb testing.TB) []string {
	tb.Helper()
	text, err := os.ReadFile("testdata/spellings.txt")
	if err != nil {
		tb.Fatal(err)
	}
	all := []string{"http://\n127.0.0.1:PORT/"} // which no line of a file can be
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "#") {
			all = append(all, strings.TrimSuffix(line, "\n"))
		}
	}
	return all
}

func TestSpellings(t *testing.T) {
	t.Parallel()
	all := spellings(t)
	if len(all) < 60 {
		t.Fatalf("only %d spellings", len(all))
	}
	var reached atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer s.Close()
	client := (&Policy{}).Client(ClientOptions{Timeout: 2 * time.Second})
	defer client.CloseIdleConnections()
	for _, f := range all {
		target := strings.Replace(f, "PORT", port(t, s.URL), 1)
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
	for _, s := range spellings(f) {
		f.Add(strings.ReplaceAll(s, "PORT", "80"))
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
