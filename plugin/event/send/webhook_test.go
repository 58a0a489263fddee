package send

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/seed42aab489/belfry/plugin/event"
	"github.com/seed42aab489/belfry/plugin/task"
)

var (
	errTemporary = &smtp.SMTPError{Code: 451, Message: "later"}
	errRefused   = &smtp.SMTPError{Code: 550, Message: "no such user"}
)

func webhook(t *testing.T, internal bool) *Webhook {
	t.Helper()
	w := NewWebhook(WebhookConfig{Secret: []byte("key"), AllowInternal: internal, Timeout: 5 * time.Second, Now: time.Now})
	t.Cleanup(w.Close)
	return w
}

func to(u string) task.Message { return message(func(m *task.Message) { m.To = u }) }

func TestWebhook(t *testing.T) {
	t.Parallel()
	var faults []error
	var got Hook
	var header http.Header
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		faults = append(faults, err, Verify([]byte("key"), r.Header, body, time.Now(), 5*time.Minute), json.Unmarshal(body, &got))
		header = r.Header
		if Verify([]byte("other"), r.Header, body, time.Now(), 5*time.Minute) == nil {
			faults = append(faults, fmt.Errorf("another key verifies"))
		}
		if Verify([]byte("key"), r.Header, append(body, ' '), time.Now(), 5*time.Minute) == nil {
			faults = append(faults, fmt.Errorf("another body verifies"))
		}
		if Verify([]byte("key"), r.Header, body, time.Now().Add(time.Hour), 5*time.Minute) == nil {
			faults = append(faults, fmt.Errorf("an old timestamp verifies"))
		}
	}))
	defer s.Close()
	if err := webhook(t, true).Send(t.Context(), to(s.URL+"/hook?token=1")); err != nil {
		t.Fatal(err)
	}
	for _, err := range faults {
		if err != nil {
			t.Error(err)
		}
	}
	m := message(nil)
	if got.ID != m.ID || got.Subject != m.Subject || got.Event != string(m.Event) || got.Source.Service != "Stock" || !got.Raised.Equal(m.Raised) {
		t.Errorf("%+v", got)
	}
	if header.Get(HeaderKey) != m.ID || header.Get("Content-Type") != "application/json" {
		t.Errorf("%v", header)
	}
}

// ExampleVerify is what a receiver of webhooks does.
func ExampleVerify() {
	secret := []byte("a long random string")
	body := []byte(`{"id":"1"}`)
	h := http.Header{}
	h.Set(HeaderTimestamp, "1764000000")
	h.Set(HeaderSignature, "v1=511a71462ef3cad00541263baf76b7bd4e58f8392551fc632f74a24e737c02ce")
	fmt.Println(Verify(secret, h, body, time.Unix(1764000010, 0), 5*time.Minute))
	// Output: <nil>
}

func TestWebhookAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code      int
		after     string
		permanent bool
		wait      time.Duration
	}{
		{400, "", true, 0},
		{404, "", false, 0},
		{401, "", false, 0},
		{410, "", true, 0},
		{422, "", true, 0},
		{408, "", false, 0},
		{429, "120", false, 2 * time.Minute},
		{503, "7", false, 7 * time.Second},
		{503, "soon", false, 0},
		{503, "-5", false, 0},
		{429, "99999999", false, 24 * time.Hour},
		{500, "120", false, 0},
		{502, "", false, 0},
		{304, "", true, 0},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if c.after != "" {
				w.Header().Set("Retry-After", c.after)
			}
			w.WriteHeader(c.code)
			if c.code != 304 {
				_, _ = io.WriteString(w, strings.Repeat("why\x1b[2J ", 100_000))
			}
		}))
		err := webhook(t, true).Send(t.Context(), to(s.URL))
		s.Close()
		var se *event.SendError
		if err == nil || !asSendError(err, &se) {
			t.Errorf("%d: %v", c.code, err)
			continue
		}
		if se.Permanent != c.permanent || se.After != c.wait || len(err.Error()) > 400 || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%d: permanent %v, after %s: %q", c.code, se.Permanent, se.After, err)
		}
	}
	now := time.Date(2026, 11, 23, 5, 30, 0, 0, time.UTC)
	if d := retryAfter("Mon, 23 Nov 2026 05:31:00 GMT", now); d != time.Minute {
		t.Errorf("a date gives %s", d)
	}
}

func asSendError(err error, se **event.SendError) bool {
	return errors.As(err, se)
}

func TestWebhookRedirects(t *testing.T) {
	t.Parallel()
	reached := 0
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached++ }))
	defer other.Close()
	home := 0
	mux := http.NewServeMux()
	mux.HandleFunc("POST /home", func(_ http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); err == nil && Verify([]byte("key"), r.Header, body, time.Now(), time.Minute) == nil {
			home++
		}
	})
	redirect := func(path, target string, code int) {
		mux.Handle("POST "+path, http.RedirectHandler(target, code))
	}
	redirect("/away", other.URL, 307)
	redirect("/308", "/home", 308)
	redirect("/302", "/home", 302)
	redirect("/loop", "/loop", 307)
	redirect("/file", "file:///etc/passwd", 307)
	redirect("/user", "http://a:b@example.org/", 307)
	s := httptest.NewServer(mux)
	defer s.Close()
	w := webhook(t, true)
	for path, ok := range map[string]bool{"/away": false, "/308": true, "/302": false, "/loop": false, "/file": false, "/user": false} {
		err := w.Send(t.Context(), to(s.URL+path))
		if (err == nil) != ok || err != nil && !isPermanent(t, err) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if reached != 0 || home != 1 {
		t.Errorf("elsewhere %d times, home %d", reached, home)
	}
}

// spellings of addresses that must not be reached; %d is the port of a server
// that counts who reaches it.
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

func TestSSRF(t *testing.T) {
	t.Parallel()
	if len(spellings) < 60 {
		t.Fatalf("only %d spellings", len(spellings))
	}
	reached := 0
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached++ }))
	defer s.Close()
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	w := webhook(t, false)
	w.client.Timeout = 2 * time.Second
	for _, f := range spellings {
		target := strings.Replace(strings.ReplaceAll(f, "%%", "%"), "%d", u.Port(), 1)
		if err := w.Send(t.Context(), to(target)); err == nil || reached != 0 {
			t.Errorf("%s: %v, reached %d times", target, err, reached)
			reached = 0
		}
	}
	if err := webhook(t, true).Send(t.Context(), to(s.URL)); err != nil || reached != 1 {
		t.Errorf("the server cannot be reached where it may be: %v", err)
	}
}

// TestEgress: what holds whatever the setting, and what the setting allows.
func TestEgress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		addr              string
		public, withInner bool
	}{
		{"93.184.216.34", true, true},
		{"2606:2800:220:1::1", true, true},
		{"64:ff9b::5db8:d822", true, true},
		{"2002:5db8:d822::1", true, true},
		{"127.0.0.1", false, true},
		{"::1", false, true},
		{"10.1.2.3", false, true},
		{"::ffff:192.168.1.1", false, true},
		{"fd12::1", false, true},
		{"64:ff9b::a00:1", false, true},
		{"::127.0.0.1", false, true},
		{"100.64.0.1", false, true},
		{"172.32.0.1", true, true},
		{"169.254.169.254", false, false},
		{"::ffff:169.254.169.254", false, false},
		{"64:ff9b::a9fe:a9fe", false, false},
		{"2002:a9fe:a9fe::", false, false},
		{"fe80::1", false, false},
		{"224.0.0.1", false, false},
		{"ff02::1", false, false},
		{"0.0.0.0", false, false},
		{"::", false, false},
		{"255.255.255.255", false, false},
		{"fd00:ec2::254", false, false},
		{"100.100.100.200", false, false},
		{"64:ff9b:1::7f00:1", false, false},
		{"2001:0:7f00:1::", false, false},
		{"::1%lo", false, false},
	} {
		a := netip.MustParseAddr(c.addr)
		if got := permitted(a, false) == nil; got != c.public {
			t.Errorf("%s: permitted %v, want %v", a, got, c.public)
		}
		if got := permitted(a, true) == nil; got != c.withInner {
			t.Errorf("%s: with inner addresses permitted %v, want %v", a, got, c.withInner)
		}
	}
	if err := control(true)("unix", "/run/x", nil); err == nil {
		t.Error("a unix socket is permitted")
	}
}

func TestWebhookCheck(t *testing.T) {
	t.Parallel()
	w := webhook(t, false)
	for _, u := range []string{"https://example.org/hook", "http://example.org:8080/a?b=c", "https://93.184.216.34/"} {
		if err := w.Check(u); err != nil {
			t.Errorf("%s: %v", u, err)
		}
	}
	for u, want := range map[string]string{
		"https://":                                           "names no host",
		"https://u:p@example.org/":                           "user or password",
		"https://example.org/#x":                             "fragment",
		"ftp://example.org/":                                 `scheme "ftp"`,
		"http://127.0.0.1/":                                  "is internal",
		"http://[::ffff:10.0.0.1]/":                          "is internal",
		"http://169.254.169.254/latest":                      "never called",
		"https://example.org/" + strings.Repeat("x", MaxURL): "at most 2048",
	} {
		if err := w.Check(u); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, want %s", u, err, want)
		}
	}
}

func TestWebhookKeepsQuiet(t *testing.T) {
	t.Parallel()
	err := webhook(t, true).Send(t.Context(), to("http://127.0.0.1:1/hook?token=secret"))
	if err == nil || strings.Contains(err.Error(), "secret") || isPermanent(t, err) {
		t.Errorf("%v", err)
	}
}
