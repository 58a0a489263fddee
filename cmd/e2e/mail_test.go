//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/mail"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"

	"github.com/seed42aab489/belfry/coordclient/zk/zktest"
)

// postOffice is a real SMTP server that can be closed for a while.
type postOffice struct {
	t      *testing.T
	addr   string
	server *smtp.Server

	mu    sync.Mutex
	mails []string // guarded by mu
}

func newPostOffice(t *testing.T) *postOffice {
	t.Helper()
	p := &postOffice{t: t, addr: fmt.Sprintf("127.0.0.1:%d", zktest.FreePort(t))}
	p.open()
	t.Cleanup(p.close)
	return p
}

func (p *postOffice) serve(l net.Listener) {
	p.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &letter{p}, nil }))
	go p.server.Serve(l) // ends when the server is closed
}

func (p *postOffice) close() { p.server.Close() }

func (p *postOffice) open() {
	p.t.Helper()
	l, err := (&net.ListenConfig{}).Listen(p.t.Context(), "tcp", p.addr)
	if err != nil {
		p.t.Fatal(err)
	}
	p.serve(l)
}

func (p *postOffice) received() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.mails...)
}

// ids are the Message-IDs that were received: a mail that comes twice has one.
func (p *postOffice) ids() map[string]bool {
	p.t.Helper()
	all := map[string]bool{}
	for _, text := range p.received() {
		m, err := mail.ReadMessage(strings.NewReader(text))
		if err != nil {
			p.t.Fatal(err)
		}
		all[m.Header.Get("Message-Id")] = true
	}
	return all
}

type letter struct{ p *postOffice }

func (l *letter) Mail(string, *smtp.MailOptions) error { return nil }
func (l *letter) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (l *letter) Reset()                               {}
func (l *letter) Logout() error                        { return nil }
func (l *letter) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	l.p.mails = append(l.p.mails, string(text))
	return err
}

// The original's EventingSample: 5 in stock sends one mail, 50 none; a mail
// server that is away for a while loses none.
func TestEventingSample(t *testing.T) {
	t.Parallel()
	for _, d := range databases(t) {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			testEventingSample(t, d)
		})
	}
}

func testEventingSample(t *testing.T, d database) {
	t.Helper()
	office := newPostOffice(t)
	smtpHost, port, err := net.SplitHostPort(office.addr)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		`CREATE TABLE Products (productCode VARCHAR(15), productLine VARCHAR(50), productName VARCHAR(70), quantityInStock INTEGER, buyPrice DOUBLE PRECISION)`,
		`INSERT INTO Products VALUES ('S10_1678', 'Motorcycles', '1969 Harley Davidson Ultimate Chopper', 7933, 48.81)`,
	} {
		if _, err := d.db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	h := newHost(t, map[string]string{"EventingSample.dbs": corpus(t, "wso2/descriptors/EventingSample.dbs")},
		"--map-datasource", "jdbc:h2:*="+d.url)
	h.write("belfryd.yaml", strings.Join([]string{
		"mail:", "  transport: smtp", "  from: belfry@example.org",
		"  smtp:", "    host: " + smtpHost, "    port: " + port, "    tls: none", "",
	}, "\n"))
	h.args = append(h.args, "--config", h.dir+"/belfryd.yaml")
	h.start()

	update := func(quantity string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url("/services/EventingSample/updateProductQuantity"),
			strings.NewReader(url.Values{"productCode": {"S10_1678"}, "quantityInStock": {quantity}}.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if res.StatusCode/100 != 2 {
			text, _ := io.ReadAll(res.Body)
			t.Fatalf("status %d: %s", res.StatusCode, text)
		}
	}
	update("50")
	update("5")
	eventually(t, patience, "a mail arrives", func() bool { return len(office.received()) == 1 })
	m, err := mail.ReadMessage(strings.NewReader(office.received()[0]))
	if err != nil {
		t.Fatal(err)
	}
	if to := m.Header.Get("To"); !strings.Contains(to, "test@test.com") {
		t.Errorf("the mail goes to %q", to)
	}
	if m.Header.Get("Message-Id") == "" {
		t.Error("the mail has no Message-ID")
	}

	office.close()
	update("4")
	update("3")
	h.kill() // what was accepted for delivery survives it
	h.start()
	office.open()
	// One whose delivery the host had not noted yet when it was killed comes twice.
	eventually(t, patience, "the mails of the outage arrive", func() bool { return len(office.ids()) >= 3 })
	h.stop()
	if n := len(office.ids()); n != 3 {
		t.Errorf("%d different mails, want 3", n)
	}
}
