package send

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
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

// egress permits what its errors do not refuse.
type egress struct{ check, dial error }

var errClosed = errors.New("closed")

func (e egress) Check(*url.URL) error { return e.check }

func (e egress) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if e.dial != nil {
		return nil, e.dial
	}
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

func webhook(t *testing.T) *Webhook {
	t.Helper()
	w := NewWebhook(WebhookConfig{Secret: []byte("key"), Egress: egress{}, Timeout: 5 * time.Second, Now: time.Now})
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
	if err := webhook(t).Send(t.Context(), to(s.URL+"/hook?token=1")); err != nil {
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
		err := webhook(t).Send(t.Context(), to(s.URL))
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
	w := webhook(t)
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

// TestWebhookAsksEgress: what it refuses by name or by address is not called, and
// why is said.
func TestWebhookAsksEgress(t *testing.T) {
	t.Parallel()
	reached := 0
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached++ }))
	defer s.Close()
	for _, rule := range []egress{{check: errClosed}, {dial: errClosed}} {
		w := NewWebhook(WebhookConfig{Egress: rule, Now: time.Now})
		if err := w.Send(t.Context(), to(s.URL)); !errors.Is(err, errClosed) || isPermanent(t, err) != (rule.check != nil) {
			t.Errorf("%+v: %v", rule, err)
		}
	}
	if err := webhook(t).Send(t.Context(), to(s.URL)); err != nil || reached != 1 {
		t.Errorf("%v, reached %d times, want once", err, reached)
	}
}

// forbidden is the error of an address that a rule refuses.
type forbidden struct{}

func (forbidden) Error() string { return "may not be called" }
func (forbidden) Refused() bool { return true }

// An address that is refused when it is connected to is of no use later either;
// one that cannot be reached is.
func TestWebhookRefusedForGood(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		dial      error
		permanent bool
	}{{&net.OpError{Op: "dial", Err: forbidden{}}, true}, {errClosed, false}} {
		w := NewWebhook(WebhookConfig{Egress: egress{dial: c.dial}, Now: time.Now})
		defer w.Close()
		err := w.Send(t.Context(), to("http://example.org/hook"))
		var se *event.SendError
		if !errors.As(err, &se) || se.Permanent != c.permanent {
			t.Errorf("%v: %v", c.dial, err)
		}
	}
}

func TestWebhookCheck(t *testing.T) {
	t.Parallel()
	w := webhook(t)
	for _, u := range []string{"https://example.org/hook", "http://example.org:8080/a?b=c", "https://93.184.216.34/"} {
		if err := w.Check(u); err != nil {
			t.Errorf("%s: %v", u, err)
		}
	}
	for u, want := range map[string]string{
		"https://example.org/#x":                             "fragment",
		"https://example.org/" + strings.Repeat("x", MaxURL): "at most 2048",
	} {
		if err := w.Check(u); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, want %s", u, err, want)
		}
	}
}

func TestWebhookKeepsQuiet(t *testing.T) {
	t.Parallel()
	err := webhook(t).Send(t.Context(), to("http://127.0.0.1:1/hook?token=secret"))
	if err == nil || strings.Contains(err.Error(), "secret") || isPermanent(t, err) {
		t.Errorf("%v", err)
	}
}
