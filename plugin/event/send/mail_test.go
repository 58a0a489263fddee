package send

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/seed42aab489/belfry/plugin/event"
	"github.com/seed42aab489/belfry/plugin/task"
)

func message(change func(*task.Message)) task.Message {
	m := task.Message{
		ID: "0123456789abcdef0123456789abcdef", To: "mailto:test@test.com",
		Raised: time.Date(2026, 11, 23, 5, 30, 0, 123e6, time.UTC), Subject: "[belfry] Stock: low rang: quantityInStock 5",
		Text: "low rang.\n.\n..\nGrüße\r\nx\ry\n", Event: []byte("<data-services-event/>"),
		Source: task.MessageSource{Kind: "event", Service: "Stock"},
	}
	if change != nil {
		change(&m)
	}
	return m
}

// parsed is a mail as a reader has it.
type parsed struct {
	header      netmail.Header
	subject     string
	text, event string
	parts       int
}

func parse(t *testing.T, data []byte) parsed {
	t.Helper()
	msg, err := netmail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%v in %q", err, data)
	}
	p := parsed{header: msg.Header}
	if p.subject, err = new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject")); err != nil {
		t.Fatal(err)
	}
	media, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(media, "multipart/") {
		text, err := io.ReadAll(quotedprintable.NewReader(msg.Body))
		if err != nil {
			t.Fatal(err)
		}
		p.text, p.parts = string(text), 1
		return p
	}
	for r := multipart.NewReader(msg.Body, params["boundary"]); ; p.parts++ {
		part, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return p
		}
		if err != nil {
			t.Fatal(err)
		}
		if part.FileName() == "event.xml" {
			data, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, part))
			if err != nil {
				t.Fatal(err)
			}
			p.event = string(data)
			continue
		}
		data, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			t.Fatal(err)
		}
		p.text = string(data)
	}
}

func sender(t *testing.T, s *mailServer, change func(*SMTPConfig)) *SMTP {
	t.Helper()
	c := SMTPConfig{Host: "127.0.0.1", Port: s.port(t), TLS: TLSNone, From: "belfry@example.org", Timeout: 5 * time.Second}
	if change != nil {
		change(&c)
	}
	m, err := NewSMTP(c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func check(t *testing.T, data []byte) {
	t.Helper()
	p := parse(t, data)
	if p.subject != "[belfry] Stock: low rang: quantityInStock 5" || p.event != "<data-services-event/>" || p.parts != 2 {
		t.Errorf("subject %q, event %q, %d parts", p.subject, p.event, p.parts)
	}
	if want := "low rang.\r\n.\r\n..\r\nGrüße\r\nx\r\ny\r\n"; strings.TrimRight(p.text, "\r\n") != strings.TrimRight(want, "\r\n") {
		t.Errorf("text %q, want %q", p.text, want)
	}
	for name, want := range map[string]string{
		"From": "<belfry@example.org>", "To": "<test@test.com>", "Message-Id": "<0123456789abcdef0123456789abcdef@example.org>",
		"Date": "Mon, 23 Nov 2026 05:30:00 +0000", "Auto-Submitted": "auto-generated", "X-Belfry-Service": "Stock",
	} {
		if got := p.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	for _, name := range []string{"User-Agent", "X-Mailer", "Bcc", "Cc"} {
		if p.header.Get(name) != "" {
			t.Errorf("there is a header %s", name)
		}
	}
}

func TestSMTP(t *testing.T) {
	t.Parallel()
	serverTLS, clientTLS := certificate(t)
	for _, way := range []string{TLSNone, TLSStart, TLSImplicit} {
		s := newMailServer(t, way, "", serverTLS)
		m := sender(t, s, func(c *SMTPConfig) { c.TLS, c.TLSConfig, c.User, c.Password = way, clientTLS, "belfry", "secret" })
		if err := m.Send(t.Context(), message(nil)); err != nil {
			t.Fatalf("%s: %v", way, err)
		}
		got := s.mails()
		if len(got) != 1 || got[0].from != "belfry@example.org" || got[0].to != "test@test.com" || len(s.logins) != 1 {
			t.Fatalf("%s: %+v, logins %v", way, got, s.logins)
		}
		check(t, got[0].data)
	}
}

func isPermanent(t *testing.T, err error) bool {
	t.Helper()
	var se *event.SendError
	if !errors.As(err, &se) {
		t.Fatalf("%v is no SendError", err)
	}
	return se.Permanent
}

func TestSMTPRefusals(t *testing.T) {
	t.Parallel()
	serverTLS, clientTLS := certificate(t)
	refuse := func(code int) func(string) error {
		return func(string) error { return &smtp.SMTPError{Code: code, Message: "refused"} }
	}
	for _, c := range []struct {
		name      string
		way       string
		server    func(*mailServer)
		config    func(*SMTPConfig)
		permanent bool
	}{
		{"recipient for good", TLSNone, func(s *mailServer) { s.rcpt = refuse(550) }, nil, true},
		{"recipient for now", TLSNone, func(s *mailServer) { s.rcpt = refuse(451) }, nil, false},
		{"content for good", TLSNone, func(s *mailServer) { s.data = func() error { return refuse(554)("") } }, nil, true},
		{"content for now", TLSNone, func(s *mailServer) { s.data = func() error { return refuse(452)("") } }, nil, false},
		{"no STARTTLS", TLSNone, nil, func(c *SMTPConfig) { c.TLS = TLSStart }, false},
		{"unknown certificate", TLSStart, nil, func(c *SMTPConfig) { c.TLS, c.TLSConfig = TLSStart, nil }, false},
		{"unknown certificate, implicit", TLSImplicit, nil, func(c *SMTPConfig) { c.TLS, c.TLSConfig = TLSImplicit, nil }, false},
		{"wrong password", TLSStart, nil, func(c *SMTPConfig) {
			c.TLS, c.TLSConfig, c.User, c.Password = TLSStart, clientTLS, "belfry", "wrong"
		}, false},
	} {
		s := newMailServer(t, c.way, "", serverTLS)
		if c.server != nil {
			c.server(s)
		}
		err := sender(t, s, c.config).Send(t.Context(), message(nil))
		if err == nil {
			t.Errorf("%s: accepted", c.name)
			continue
		}
		if got := isPermanent(t, err); got != c.permanent {
			t.Errorf("%s: permanent %v, want %v: %v", c.name, got, c.permanent, err)
		}
		if strings.Contains(err.Error(), "secret") || len(s.mails()) != 0 {
			t.Errorf("%s: %v, %d mails", c.name, err, len(s.mails()))
		}
	}
}

// TestSMTPBreaksAfterAcceptance: a connection that ends after the server has
// taken the message, before the goodbye, is no failure.
func TestSMTPBreaksAfterAcceptance(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	taken := make(chan bool, 1)
	go func() { // ends with the conversation, or when the listener is closed
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		r := textproto.NewReader(bufio.NewReader(conn))
		_, _ = io.WriteString(conn, "220 test\r\n")
		for {
			line, err := r.ReadLine()
			if err != nil {
				return
			}
			if line != "DATA" {
				_, _ = io.WriteString(conn, "250 ok\r\n")
				continue
			}
			_, _ = io.WriteString(conn, "354 go on\r\n")
			_, err = r.ReadDotLines()
			_, _ = io.WriteString(conn, "250 taken\r\n")
			taken <- err == nil
			return
		}
	}()
	defer func() { _ = l.Close() }()
	m := sender(t, &mailServer{addr: l.Addr().String()}, nil)
	if err := m.Send(t.Context(), message(nil)); err != nil {
		t.Errorf("it was accepted, and yet: %v", err)
	}
	if !<-taken {
		t.Error("the message did not arrive whole")
	}
}

func TestSMTPCancelled(t *testing.T) {
	t.Parallel()
	s := newMailServer(t, TLSNone, "", nil)
	reached, release := make(chan struct{}), make(chan struct{})
	s.rcpt = func(string) error { close(reached); <-release; return nil }
	defer close(release)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	m := sender(t, s, nil)
	go func() { done <- m.Send(ctx, message(nil)) }()
	<-reached
	cancel()
	if err := <-done; err == nil {
		t.Error("accepted")
	}
}

// A server that takes the connection and falls silent keeps nobody from stopping.
func TestSMTPCancelledBeforeItTalks(t *testing.T) {
	t.Parallel()
	var listening net.ListenConfig
	l, err := listening.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	go func() { // ends with the conversation
		conn, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, "220 slow\r\n")
		_, _ = conn.Read(make([]byte, 1)) // the client has said hello, and waits
		cancel()
		_, _ = io.Copy(io.Discard, conn) // until the other side hangs up
		_ = conn.Close()
	}()
	m := sender(t, &mailServer{addr: l.Addr().String()}, func(c *SMTPConfig) { c.Timeout = time.Hour })
	if err := m.Send(ctx, message(nil)); err == nil {
		t.Error("accepted")
	}
}

func TestSMTPConfig(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		c    SMTPConfig
		want string
	}{
		{SMTPConfig{}, "no SMTP host"},
		{SMTPConfig{Host: "h", TLS: "ssl"}, "use none, starttls or implicit"},
		{SMTPConfig{Host: "h", TLS: TLSNone, User: "u"}, "a password is not sent without TLS"},
		{SMTPConfig{Host: "h", From: "a b@c"}, "from"},
		{SMTPConfig{Host: "h", From: "a@b\r\nBcc: x@y"}, "from"},
		{SMTPConfig{Host: "h", Port: 70000}, "port 70000"},
	} {
		if _, err := NewSMTP(c.c); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %s", c.c.Host, err, c.want)
		}
	}
	for way, port := range map[string]int{TLSNone: 25, TLSStart: 587, TLSImplicit: 465, "": 587} {
		m, err := NewSMTP(SMTPConfig{Host: "h", TLS: way})
		if err != nil || m.c.Port != port || m.c.TLSConfig.ServerName != "h" || m.c.TLSConfig.MinVersion != tls.VersionTLS12 {
			t.Errorf("%q: %v, %+v", way, err, m)
		}
	}
}

func TestRouter(t *testing.T) {
	t.Parallel()
	f, err := NewFolder(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	r := Router{Mail: f}
	for to, want := range map[string]string{
		"jms:/topic":        `scheme "jms" is not supported: use mailto, http or https`,
		"someone@test.com":  `"someone@test.com" is no URI: use mailto, http or https`,
		"http://test.com/x": `scheme "http" is switched off on this host`,
		"":                  `"" is no URI: use mailto, http or https`,
	} {
		if err := r.Check(to); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", to, err, want)
		}
		if err := r.Send(t.Context(), message(func(m *task.Message) { m.To = to })); err == nil || !isPermanent(t, err) {
			t.Errorf("%q: sent: %v", to, err)
		}
	}
	if err := r.Send(t.Context(), message(nil)); err != nil {
		t.Error(err)
	}
	for _, to := range event.Split("mailto:a@b,c@d, e@f") {
		if err := r.Check(to); err != nil {
			t.Errorf("%s: %v", to, err)
		}
	}
	if got := fmt.Sprint(event.Split("https://x/?a=1,2")); got != "[https://x/?a=1,2]" {
		t.Error(got)
	}
}
