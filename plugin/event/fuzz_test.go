package event

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/seed42aab489/belfry/plugin/event/cond"
)

// FuzzHit: whatever bytes come from a database, decoding them refuses or gives
// a hit that the state machine can take, and that reads back the same.
func FuzzHit(f *testing.F) {
	for _, p := range []policy{{}, {Edge: true, Rearm: true}, {Hold: time.Second, CoolDown: time.Second, Digest: time.Second}} {
		data, err := hitOf(observed{at: 1, held: true}, p, 1).encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"format":1,"service":"a","trigger":"b","request":"c","at":"2026-11-23T05:30:00Z"} {}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := decodeHit(data)
		if err != nil {
			return
		}
		s := &state{Format: 1}
		for i := range 3 {
			s.accept(h, i)
		}
		s.tick(h.At.Add(100 * time.Hour))
		again, err := h.encode()
		if err != nil {
			return // a time beyond what JSON can say
		}
		back, err := decodeHit(again)
		if err != nil || back.id(0) != h.id(0) {
			t.Errorf("%s reads back as %v", again, err)
		}
	})
}

func FuzzState(f *testing.F) {
	f.Add([]byte(`{"format":1,"waiting":{"at":"2026-11-23T05:30:00Z"},"digest":{"id":"x","last":{}}}`))
	f.Fuzz(func(_ *testing.T, data []byte) {
		s, err := decodeState(data)
		if err != nil {
			return
		}
		for _, r := range s.tick(start) {
			for _, to := range append(r.hit.To, "mailto:a@b") {
				r.message(to)
			}
		}
		s.accept(hitOf(observed{at: 1, held: true}, policy{Hold: time.Second}, 1), 0)
		s.due()
	})
}

// FuzzTemplate: a template is refused or ends, within bounds.
func FuzzTemplate(f *testing.F) {
	for _, s := range []string{DefaultSubject, "{{range .Rows}}{{range .}}{{.}}{{end}}{{end}}", "{{range 5}}x{{end}}", `{{printf "%5s" .Table}}`, "{{$x := .}}{{range $x.Rows}}{{end}}"} {
		f.Add(s)
	}
	d := &Data{Service: "s\r\n", Values: []cond.Found{{Name: "a", Value: "b"}}, Rows: []map[string]string{{"a": "1"}, {"b": "2"}}, Table: "t", At: start}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := compileTemplate("body", s)
		if err != nil {
			return
		}
		out, err := c.Execute(d)
		if err != nil {
			return
		}
		if text := clip(out, MaxText); len(text) > MaxText || !utf8.ValidString(text) {
			t.Errorf("%q: %d bytes", s, len(text))
		}
		if line := subjectLine(out); strings.ContainsAny(line, "\r\n\x00") || utf8.RuneCountInString(line) > MaxSubject {
			t.Errorf("%q: subject %q", s, line)
		}
	})
}
