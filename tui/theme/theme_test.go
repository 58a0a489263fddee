package theme

import (
	"fmt"
	"math"
	"strconv"
	"testing"
)

// luminance is the relative one of WCAG 2.2.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(hex[1:], 16, 32)
	if err != nil || len(hex) != 7 {
		t.Fatalf("%q is no colour", hex)
	}
	part := func(shift int) float64 {
		c := float64(n>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*part(16) + 0.7152*part(8) + 0.0722*part(0)
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// What is written can be read: on the backgrounds that terminals have, and on those
// that a theme gives lines.
func TestContrast(t *testing.T) {
	t.Parallel()
	const text, graphics, high = 4.5, 2.4, 7 // WCAG AA for text; borders say nothing; AAA
	for _, light := range []bool{false, true} {
		for name, p := range palettes(light) {
			grounds := []string{"#000000", "#1e1e1e"}
			if name == "light" || light && name != "dark" {
				grounds = []string{"#ffffff", "#fdf6e3"}
			}
			least := text
			if name == "contrast" {
				least = high
			}
			read := func(what, ink, ground string, least float64) {
				if ink == "" {
					return // the terminal's own
				}
				if c := contrast(t, ink, ground); c < least {
					t.Errorf("%s, light %v: %s %s on %s has a contrast of %.1f, want %.1f", name, light, what, ink, ground, c, least)
				}
			}
			for _, ground := range grounds {
				for i, ink := range []string{p.faint, p.key, p.good, p.busy, p.warn, p.bad} {
					read(fmt.Sprint("role ", i), ink, ground, least)
				}
				read("frame", p.frame, ground, graphics)
			}
			read("text", p.ink, p.selected, 7)
			read("text", p.ink, p.danger, least)
		}
	}
}

// Every theme has a palette for both kinds of terminals, or needs none.
func TestNames(t *testing.T) {
	t.Parallel()
	for _, light := range []bool{false, true} {
		for _, name := range Names() {
			if _, ok := palettes(light)[name]; !ok && name != "auto" && name != "mono" {
				t.Errorf("theme %s has no colours where light is %v", name, light)
			}
		}
	}
}

func TestToASCII(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a › b → c": "a > b > c", "\x1b[1m←\x1b[m": "\x1b[1m<\x1b[m", "naïve": "na?ve", "日本": "????", "e\u0301": "e", "👩‍👩‍👧": "??", "": "",
	} {
		if got := ToASCII(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
