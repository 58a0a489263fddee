package send

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/event"
	"github.com/seed42aab489/belfry/plugin/task"
)

// The headers of a webhook.
const (
	HeaderTimestamp = "Belfry-Timestamp" // Unix seconds
	HeaderSignature = "Belfry-Signature" // "v1=" and 64 hexadecimal digits
	HeaderKey       = "Idempotency-Key"  // the message's id
)

// Bounds of a webhook.
const (
	MaxURL      = 2048     // bytes
	maxResponse = 64 << 10 // bytes read of an answer
	maxExcerpt  = 200      // bytes of it that an error repeats
	maxRedirect = 3
)

// Hook is the body of a webhook.
type Hook struct {
	ID      string             `json:"id"`
	Raised  time.Time          `json:"raised"`
	Subject string             `json:"subject"`
	Text    string             `json:"text"`
	Event   string             `json:"event,omitempty"` // XML, as a mail has it attached
	Source  task.MessageSource `json:"source"`
}

// Egress decides which addresses may be called.
type Egress interface {
	// Check refuses a target that is no http or https address, or that names an
	// address that may not be called. It resolves nothing.
	Check(target *url.URL) error
	// DialContext connects, and refuses by the address that a name resolved to,
	// with an error for which task.Refused holds.
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// WebhookConfig says how webhooks are sent.
type WebhookConfig struct {
	// Secret signs them. Empty: they are not signed.
	Secret []byte
	// Egress decides where they may go.
	Egress Egress
	// Timeout of a whole call. Zero: 30 s.
	Timeout time.Duration
	Now     func() time.Time // for the signature's timestamp and Retry-After
}

// Webhook sends messages by HTTP.
type Webhook struct {
	c      WebhookConfig
	client *http.Client
}

// NewWebhook makes a sender. Close its idle connections with Close.
func NewWebhook(c WebhookConfig) *Webhook {
	if c.Timeout <= 0 {
		c.Timeout = 30 * time.Second
	}
	return &Webhook{c: c, client: &http.Client{
		Timeout: c.Timeout,
		Transport: &http.Transport{ // no Proxy: the environment has no say
			DialContext:            c.Egress.DialContext,
			ForceAttemptHTTP2:      true,
			TLSHandshakeTimeout:    10 * time.Second,
			ResponseHeaderTimeout:  c.Timeout,
			MaxResponseHeaderBytes: maxResponse,
			MaxIdleConns:           16,
			MaxIdleConnsPerHost:    2,
			IdleConnTimeout:        30 * time.Second,
		},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			first := via[0]
			same := r.URL.Scheme == first.URL.Scheme && strings.EqualFold(r.URL.Host, first.URL.Host)
			if r.Method != http.MethodPost || !same || r.URL.User != nil || len(via) > maxRedirect {
				return http.ErrUseLastResponse
			}
			return nil
		},
	}}
}

// Close closes idle connections.
func (w *Webhook) Close() { w.client.CloseIdleConnections() }

// Check refuses what is no plain http: or https: address, or names an address
// that is not called.
func (w *Webhook) Check(to string) error {
	_, err := w.parse(to)
	return err
}

func (w *Webhook) parse(to string) (*url.URL, error) {
	if len(to) > MaxURL {
		return nil, fmt.Errorf("the address has %d bytes, at most %d are allowed", len(to), MaxURL)
	}
	u, err := url.Parse(to)
	if err != nil {
		return nil, fmt.Errorf("%q is no address", printable(to))
	}
	if u.Fragment != "" {
		return nil, errors.New("an address with a fragment (#) is refused")
	}
	return u, w.c.Egress.Check(u)
}

// Send posts the message.
func (w *Webhook) Send(ctx context.Context, m task.Message) error {
	u, err := w.parse(m.To)
	if err != nil {
		return event.Permanent("webhook: %w", err)
	}
	body, err := json.Marshal(Hook{
		ID: m.ID, Raised: m.Raised.UTC(), Subject: m.Subject, Text: m.Text, Event: string(m.Event), Source: m.Source,
	})
	if err != nil {
		return event.Permanent("webhook: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return event.Permanent("webhook: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "belfry")
	r.Header.Set(HeaderKey, safeID(m.ID))
	if len(w.c.Secret) > 0 {
		stamp := strconv.FormatInt(w.c.Now().Unix(), 10)
		r.Header.Set(HeaderTimestamp, stamp)
		r.Header.Set(HeaderSignature, "v1="+hex.EncodeToString(sign(w.c.Secret, stamp, body)))
	}
	answer, err := w.client.Do(r)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err // without the address, whose query may be a secret
		}
		if task.Refused(err) {
			return event.Permanent("webhook %s: %w", u.Host, err)
		}
		return event.Temporary(0, "webhook %s: %w", u.Host, err)
	}
	defer func() { _ = answer.Body.Close() }() // only read
	start, _ := io.ReadAll(io.LimitReader(answer.Body, maxResponse))
	return w.judge(u.Host, answer, start)
}

// permanent are the answers after which the same request is of no use.
var permanent = []int{400, 405, 410, 413, 414, 415, 422, 431}

func (w *Webhook) judge(host string, answer *http.Response, start []byte) error {
	code := answer.StatusCode
	text := ""
	if s := strings.TrimSpace(string(start[:min(len(start), maxExcerpt)])); s != "" {
		text = ": " + printable(s)
	}
	switch {
	case code >= 200 && code < 300:
		return nil
	case code >= 300 && code < 400:
		return event.Permanent("webhook %s: answered %d, and redirects elsewhere are not followed", host, code)
	case slices.Contains(permanent, code):
		return event.Permanent("webhook %s: answered %d%s", host, code, text)
	case code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable:
		return event.Temporary(retryAfter(answer.Header.Get("Retry-After"), w.c.Now()), "webhook %s: answered %d%s", host, code, text)
	default:
		return event.Temporary(0, "webhook %s: answered %d%s", host, code, text)
	}
}

// retryAfter reads seconds or a date; zero if it is neither, or past.
func retryAfter(s string, now time.Time) time.Duration {
	if n, err := strconv.Atoi(s); err == nil {
		return time.Duration(min(max(n, 0), 86400)) * time.Second
	}
	if t, err := http.ParseTime(s); err == nil {
		return max(0, t.Sub(now))
	}
	return 0
}

func sign(secret []byte, stamp string, body []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(stamp + "."))
	mac.Write(body)
	return mac.Sum(nil)
}

// Verify is what a receiver does: it checks the signature of a webhook's raw
// body, and that its timestamp is within tolerance of now.
func Verify(secret []byte, h http.Header, body []byte, now time.Time, tolerance time.Duration) error {
	stamp := h.Get(HeaderTimestamp)
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return errors.New("webhook: no timestamp")
	}
	if off := now.Sub(time.Unix(seconds, 0)).Abs(); off > tolerance {
		return fmt.Errorf("webhook: the timestamp is %s off", off.Round(time.Second))
	}
	given, err := hex.DecodeString(strings.TrimPrefix(h.Get(HeaderSignature), "v1="))
	if err != nil || subtle.ConstantTimeCompare(given, sign(secret, stamp, body)) != 1 {
		return errors.New("webhook: the signature is wrong")
	}
	return nil
}
