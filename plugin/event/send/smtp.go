package send

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/seed42aab489/belfry/plugin/event"
	"github.com/seed42aab489/belfry/plugin/task"
)

// The ways of TLS towards an SMTP server.
const (
	TLSNone     = "none"
	TLSStart    = "starttls" // required, never merely tried
	TLSImplicit = "implicit"
)

// SMTPConfig says how to reach the mail server.
type SMTPConfig struct {
	Host string
	// Port zero: 25 for TLSNone, 587 for TLSStart, 465 for TLSImplicit.
	Port int
	// TLS is TLSNone, TLSStart or TLSImplicit. Empty: TLSStart.
	TLS string
	// User empty: no authentication. With TLSNone it needs a server on this host.
	User, Password string
	// From empty: DefaultFrom.
	From string
	// Timeout of each step of the conversation. Zero: 30 s.
	Timeout time.Duration
	// TLSConfig for a server whose certificate the system does not know. Nil: the
	// system's roots, TLS 1.2 or later.
	TLSConfig *tls.Config
}

// SMTP sends mail by SMTP, one connection a message.
type SMTP struct{ c SMTPConfig }

// NewSMTP checks the configuration. It does not connect.
func NewSMTP(c SMTPConfig) (*SMTP, error) {
	if c.Host == "" {
		return nil, errors.New("mail: no SMTP host")
	}
	if c.TLS == "" {
		c.TLS = TLSStart
	}
	ports := map[string]int{TLSNone: 25, TLSStart: 587, TLSImplicit: 465}
	port, ok := ports[c.TLS]
	if !ok {
		return nil, fmt.Errorf("mail: TLS %q is not known: use none, starttls or implicit", c.TLS)
	}
	if c.Port == 0 {
		c.Port = port
	}
	if c.Port < 1 || c.Port > 65535 {
		return nil, fmt.Errorf("mail: port %d does not exist", c.Port)
	}
	if c.TLS == TLSNone && c.User != "" && !localhost(c.Host) {
		return nil, errors.New("mail: a password is not sent without TLS: use starttls or implicit")
	}
	if c.From == "" {
		c.From = DefaultFrom
	}
	if _, err := address(c.From); err != nil {
		return nil, fmt.Errorf("mail: from: %w", err)
	}
	if c.Timeout <= 0 {
		c.Timeout = 30 * time.Second
	}
	if c.TLSConfig == nil {
		c.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	c.TLSConfig = c.TLSConfig.Clone()
	if c.TLSConfig.ServerName == "" {
		c.TLSConfig.ServerName = c.Host
	}
	return &SMTP{c}, nil
}

func localhost(host string) bool {
	return host == "localhost" || host == "127.0.0.1" || host == "::1"
}

// Check refuses what is not one plain mail address.
func (s *SMTP) Check(to string) error {
	_, err := recipient(to)
	return err
}

// Send makes one conversation with the server. What follows the server's
// acceptance, such as a connection that breaks before the goodbye, is no error.
func (s *SMTP) Send(ctx context.Context, m task.Message) error {
	msg, err := compose(m, s.c.From)
	if err != nil {
		return err
	}
	talk, hangUp := context.WithCancel(ctx)
	defer hangUp()
	client, err := s.client(func(conn net.Conn) {
		// From the first word on: a server may take its time to say it. At the end
		// the goodbye has closed it, or it is too late to matter.
		context.AfterFunc(talk, func() { _ = conn.Close() })
	})
	if err != nil {
		return event.Temporary(0, "smtp: %w", err)
	}
	session, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return event.Temporary(0, "smtp %s: %w", client.ServerAddr(), err)
	}
	err = client.SendWithSMTPClient(session, msg)
	if err != nil && !msg.IsDelivered() {
		return s.classify(err)
	}
	_ = client.CloseWithSMTPClient(session) // the message is accepted all the same
	return nil
}

func (s *SMTP) client(connected func(net.Conn)) (*mail.Client, error) {
	options := []mail.Option{
		mail.WithPort(s.c.Port), mail.WithTimeout(s.c.Timeout), mail.WithTLSConfig(s.c.TLSConfig),
		mail.WithoutNoop(), mail.WithDialContextFunc(s.dial(connected)),
	}
	if s.c.TLS == TLSStart {
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	} else {
		options = append(options, mail.WithTLSPolicy(mail.NoTLS)) // implicit: dial has it
	}
	if s.c.User != "" {
		options = append(options, mail.WithUsername(s.c.User), mail.WithPassword(s.c.Password),
			mail.WithOpportunisticSMTPAuth(mail.SMTPAuthSCRAMSHA256, mail.SMTPAuthPlain, mail.SMTPAuthLogin, mail.SMTPAuthCramMD5))
	}
	return mail.NewClient(s.c.Host, options...)
}

// dial connects, with TLS from the first byte if it is implicit.
func (s *SMTP) dial(connected func(net.Conn)) mail.DialContextFunc {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		dialer := &net.Dialer{Timeout: s.c.Timeout}
		addr := net.JoinHostPort(s.c.Host, strconv.Itoa(s.c.Port))
		var c net.Conn
		var err error
		if s.c.TLS == TLSImplicit {
			c, err = (&tls.Dialer{NetDialer: dialer, Config: s.c.TLSConfig}).DialContext(ctx, network, addr)
		} else {
			c, err = dialer.DialContext(ctx, network, addr)
		}
		if err == nil {
			connected(c)
		}
		return c, err
	}
}

// classify tells a refusal for good from the rest. A sender that is refused is
// our configuration, which somebody may mend.
func (s *SMTP) classify(err error) error {
	var se *mail.SendError
	if errors.As(err, &se) {
		switch se.Reason {
		case mail.ErrSMTPRcptTo, mail.ErrSMTPData, mail.ErrSMTPDataClose:
			if se.ErrorCode() >= 500 && se.ErrorCode() < 600 {
				return event.Permanent("smtp %s: %w", s.c.Host, err)
			}
		}
	}
	return event.Temporary(0, "smtp %s: %w", s.c.Host, err)
}
