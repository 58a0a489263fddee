package send

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// mailServer is a real SMTP server in this process.
type mailServer struct {
	server *smtp.Server
	listen net.Listener
	addr   string

	mu     sync.Mutex
	got    []mailGot
	logins []string
	rcpt   func(to string) error // nil: all are taken
	data   func() error
	// after, if set, runs when a message is accepted, before the answer.
	after func()
}

type mailGot struct {
	from, to string
	data     []byte
}

// certificate gives a server's certificate for 127.0.0.1 and who trusts it.
func certificate(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	server = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	return server, &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}

// newMailServer listens on addr, "" for any, in one of the ways of TLS.
func newMailServer(t *testing.T, way, addr string, config *tls.Config) *mailServer {
	t.Helper()
	s := &mailServer{}
	s.server = smtp.NewServer(s)
	s.server.Domain = "test"
	s.server.AllowInsecureAuth = way == TLSNone
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	s.listen, s.addr = l, l.Addr().String()
	switch way {
	case TLSStart:
		s.server.TLSConfig = config
	case TLSImplicit:
		l = tls.NewListener(l, config)
	}
	done := make(chan struct{})
	go func() { // ends when stop closes the server
		defer close(done)
		_ = s.server.Serve(l)
	}()
	t.Cleanup(func() { s.stop(); <-done })
	return s
}

// stop closes the listener too, which the server does not know before it serves.
func (s *mailServer) stop() {
	_ = s.listen.Close()
	_ = s.server.Close()
}

func (s *mailServer) port(t *testing.T) int {
	t.Helper()
	a, err := net.ResolveTCPAddr("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	return a.Port
}

func (s *mailServer) mails() []mailGot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]mailGot(nil), s.got...)
}

// NewSession serves a connection.
func (s *mailServer) NewSession(*smtp.Conn) (smtp.Session, error) { return &mailSession{s: s}, nil }

type mailSession struct {
	s        *mailServer
	from, to string
}

func (m *mailSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (m *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "belfry" || password != "secret" {
			return errors.New("wrong password")
		}
		m.s.mu.Lock()
		defer m.s.mu.Unlock()
		m.s.logins = append(m.s.logins, user)
		return nil
	}), nil
}

func (m *mailSession) Reset()        {}
func (m *mailSession) Logout() error { return nil }

func (m *mailSession) Mail(from string, _ *smtp.MailOptions) error {
	m.from = from
	return nil
}

func (m *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	m.to = to
	if m.s.rcpt != nil {
		return m.s.rcpt(to)
	}
	return nil
}

func (m *mailSession) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if m.s.data != nil {
		if err := m.s.data(); err != nil {
			return err
		}
	}
	m.s.mu.Lock()
	m.s.got = append(m.s.got, mailGot{m.from, m.to, data})
	m.s.mu.Unlock()
	if m.s.after != nil {
		m.s.after()
	}
	return nil
}
