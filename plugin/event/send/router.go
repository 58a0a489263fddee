package send

import (
	"context"
	"fmt"
	"strings"

	"github.com/seed42aab489/belfry/plugin/event"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Router sends each message by the scheme of its subscription.
type Router struct {
	// Mail serves mailto:, Web serves http: and https:. Nil: not offered.
	Mail, Web event.Sender
}

func (r Router) find(to string) (event.Sender, error) {
	scheme, _, found := strings.Cut(to, ":")
	if !found {
		return nil, fmt.Errorf("%q is no URI: use mailto, http or https", printable(to))
	}
	var s event.Sender
	switch strings.ToLower(scheme) {
	case "mailto":
		s = r.Mail
	case "http", "https":
		s = r.Web
	default:
		return nil, fmt.Errorf("scheme %q is not supported: use mailto, http or https", printable(scheme))
	}
	if s == nil {
		return nil, fmt.Errorf("scheme %q is switched off on this host", scheme)
	}
	return s, nil
}

// Check refuses a subscription that cannot be sent to.
func (r Router) Check(to string) error {
	s, err := r.find(to)
	if err != nil {
		return err
	}
	return s.Check(to)
}

// Send sends the message.
func (r Router) Send(ctx context.Context, m task.Message) error {
	s, err := r.find(m.To)
	if err != nil {
		return event.Permanent("%w", err)
	}
	return s.Send(ctx, m)
}

// printable replaces control characters, and bounds what an error repeats.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0x2028 || r == 0x2029 {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if len(s) > 100 {
		s = strings.ToValidUTF8(s[:100], "") + "..."
	}
	return s
}
