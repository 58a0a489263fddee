package send

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	netmail "net/mail"
	"net/url"
	"regexp"
	"strings"

	"github.com/wneessen/go-mail"

	"github.com/seed42aab489/belfry/plugin/event"
	"github.com/seed42aab489/belfry/plugin/task"
)

// DefaultFrom is the sender of mail where none is configured.
const DefaultFrom = "belfry@localhost"

// plainAddress is what an address must look like: ASCII, unquoted.
var plainAddress = regexp.MustCompile(`^[A-Za-z0-9!#$%&'*+/=?^_{|}~.` + "`" + `-]+@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`)

// address checks an address without a display name.
func address(s string) (string, error) {
	if len(s) > 254 || !plainAddress.MatchString(s) {
		return "", fmt.Errorf("%q is not a plain mail address", printable(s))
	}
	a, err := netmail.ParseAddress(s)
	if err != nil || a.Address != s {
		return "", fmt.Errorf("%q is not a plain mail address", printable(s))
	}
	return s, nil
}

// recipient reads "mailto:address", percent-encoded as RFC 6068 has it.
func recipient(to string) (string, error) {
	scheme, rest, found := strings.Cut(to, ":")
	if !found || !strings.EqualFold(scheme, "mailto") {
		return "", fmt.Errorf("%q is no mailto: address", printable(to))
	}
	if strings.Contains(rest, "?") {
		return "", fmt.Errorf("%q: headers in a mailto: address are not supported, use the trigger's subject and body", printable(to))
	}
	plain, err := url.PathUnescape(rest)
	if err != nil {
		return "", fmt.Errorf("%q: %s", printable(to), printable(err.Error()))
	}
	return address(plain)
}

var plainID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)

// safeID is the message's id where it can stand in a header or a file name,
// else a hash of it.
func safeID(id string) string {
	if plainID.MatchString(id) {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:16])
}

// messageID is the Message-ID of a mail, without angle brackets: the same
// whenever the message is sent.
func messageID(id, from string) string {
	_, domain, _ := strings.Cut(from, "@")
	return safeID(id) + "@" + domain
}

// compose makes the mail of a message. The same message gives the same bytes.
func compose(m task.Message, from string) (*mail.Msg, error) {
	to, err := recipient(m.To)
	if err != nil {
		return nil, event.Permanent("%w", err)
	}
	id := safeID(m.ID)
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent(), mail.WithEncoding(mail.EncodingQP), mail.WithBoundary("belfry-"+id))
	if err := msg.From(from); err != nil {
		return nil, event.Temporary(0, "sender: %w", err)
	}
	if err := msg.To(to); err != nil {
		return nil, event.Permanent("recipient: %w", err)
	}
	msg.Subject(header(m.Subject))
	msg.SetMessageIDWithValue(messageID(m.ID, from))
	msg.SetDateWithValue(m.Raised.UTC())
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("X-Belfry-Id", id)
	if s := m.Source; s.Service != "" {
		msg.SetGenHeader("X-Belfry-Service", header(s.Service))
	}
	msg.SetBodyString(mail.TypeTextPlain, body(m.Text))
	if len(m.Event) > 0 {
		err := msg.AttachReader("event.xml", bytes.NewReader(m.Event), mail.WithFileContentType("application/xml"))
		if err != nil {
			return nil, event.Permanent("attachment: %w", err)
		}
	}
	return msg, nil
}

// header makes one line of s.
func header(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	return strings.TrimSpace(s)
}

// body has LF alone as the end of a line, and no other control characters; the
// encoding turns LF into CR LF.
func body(s string) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.ToValidUTF8(s, "?"))
	return strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\n' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, s)
}
