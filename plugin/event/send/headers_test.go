package send

import (
	"bytes"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/plugin/task"
)

// injections are attempts at another header, recipient, part or message.
var injections = func() []string {
	var all []string
	for _, sep := range []string{
		"\r\n", "\n", "\r", "\n\n", "\r\n\r\n", "\n\r", "\x00", "\x00\r\n", "\v", "\f", "\x85", "\u2028", "\u2029", "\x1b[2J",
		"\r\n ", "\r\n\t", "\t", "\x7f", "%0d%0a", "%0A", "%0D", "%00", "=0D=0A", "=?utf-8?q?=0D=0A?=", "\xff\r\n", "\u000a", "é\r\n",
		"\r\r\n", "\n.\n", "\r\n.\r\n", "\r.\r\n", "\n.\r\n",
	} {
		all = append(all, "x@test.com"+sep+"Bcc: victim@test.com")
	}
	return append(all, "x@test.com,victim@test.com", "x@test.com;victim@test.com", "x@test.com victim@test.com",
		"<x@test.com>", "\"a\" <x@test.com>", "x@test.com>\r\nRCPT TO:<victim@test.com", "x@test.com?bcc=victim@test.com",
		"x@test.com?subject=a%0d%0aBcc:victim@test.com", "x@test.com%3Fbcc=v@test.com", "(c)x@test.com", "x@[127.0.0.1]",
		"\"x\r\ny\"@test.com", "x@test.com SIZE=1", "@a,@b:x@test.com", "x@te\u0000st.com", "x", "@", "")
}()

func TestHeaderInjection(t *testing.T) {
	t.Parallel()
	if len(injections) < 40 {
		t.Fatalf("only %d strings", len(injections))
	}
	f, err := NewFolder(t.TempDir(), "belfry@example.org")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range injections {
		if err := f.Check("mailto:" + s); err == nil {
			t.Errorf("recipient %q was accepted", s)
		} else if strings.ContainsAny(err.Error(), "\r\n\x00\x1b") {
			t.Errorf("recipient %q: the error repeats it as it is: %q", s, err)
		}
		if _, err := compose(message(func(m *task.Message) { m.To = "mailto:" + s }), "belfry@example.org"); err == nil {
			t.Errorf("recipient %q was composed", s)
		}
		msg, err := compose(message(func(m *task.Message) { m.Subject, m.Text, m.ID, m.Source.Service = s, s, s, s }), "belfry@example.org")
		if err != nil {
			t.Errorf("subject %q: %v", s, err)
			continue
		}
		var b bytes.Buffer
		if _, err := msg.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		if bare := strings.NewReplacer("\r\n", "").Replace(b.String()); strings.ContainsAny(bare, "\r\n\x00") {
			t.Errorf("subject %q: bare control characters in %q", s, b.String())
		}
		p := parse(t, b.Bytes())
		if p.header.Get("Bcc") != "" || len(p.header["To"]) != 1 || p.header.Get("To") != "<test@test.com>" || p.parts != 2 {
			t.Errorf("%q made headers %v, %d parts", s, p.header, p.parts)
		}
	}
}

func TestRecipients(t *testing.T) {
	t.Parallel()
	for to, want := range map[string]string{
		"mailto:test@test.com": "test@test.com", "MAILTO:a.b+c@x-y.example": "a.b+c@x-y.example", "mailto:a%2Bb@test.com": "a+b@test.com",
		"mailto:admin@localhost": "admin@localhost",
	} {
		if got, err := recipient(to); err != nil || got != want {
			t.Errorf("%s: %q, %v", to, got, err)
		}
	}
	if _, err := recipient("mailto:a@b?subject=x"); err == nil || !strings.Contains(err.Error(), "use the trigger's subject") {
		t.Errorf("%v", err)
	}
}
