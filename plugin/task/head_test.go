package task

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestHead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		answer string
		most   int
		want   string
	}{
		{"", 8, ""},
		{"12345678", 8, "12345678"},
		{"123456789", 8, "12345…"},
		{"ééééé", 8, "éé…"},
		{"éééé", 8, "éééé"},
		{"a\xff", 8, "a\uFFFD"},
		{"\xff\xff\xff\xff\xff", 8, "\uFFFD"},
		{"1234", 3, "…"},
		{"1234", 2, ""},
		{"1234", 0, ""},
	} {
		if got := Head([]byte(c.answer), c.most); got != c.want {
			t.Errorf("Head(%q, %d) = %q, want %q", c.answer, c.most, got, c.want)
		}
	}
}

func FuzzHead(f *testing.F) {
	f.Add([]byte("héllo\xff"), 4)
	f.Add([]byte("0\x93\x93\x93\x93\x93\x93\x93"), 7) // what is no text shrinks
	f.Fuzz(func(t *testing.T, answer []byte, most int) {
		most = max(0, min(most, 5000))
		head := Head(answer, most)
		if len(head) > most || !utf8.ValidString(head) {
			t.Errorf("%q of %d", head, most)
		}
		if utf8.Valid(answer) && !strings.HasPrefix(string(answer), strings.TrimSuffix(head, "…")) && head != string(answer) {
			t.Errorf("%q does not begin %q", head, answer)
		}
	})
}
