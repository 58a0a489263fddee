package tui

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/tui/intent"
)

// frames in documents: a comment that names a golden frame, and the frame.
var (
	framed = regexp.MustCompile("(?s)(<!-- frame ([a-z0-9/-]+) -->\n```text\n).*?(```)")
	// blank lines of a body, of which documents show one.
	blank = regexp.MustCompile(`(│ +│\n)(│ +│\n)+`)
	keyed = regexp.MustCompile(`(?s)(<!-- keys -->\n).*?(<!-- end of keys -->)`)
)

// What the documents show of the screens is what the screens show; -update
// writes it anew.
func TestDocuments(t *testing.T) {
	for _, name := range []string{"README.md", "docs/guides/screens.md"} {
		file := filepath.Join("..", filepath.FromSlash(name))
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !framed.Match(text) {
			t.Errorf("%s shows no frame", name)
		}
		fresh := framed.ReplaceAllStringFunc(string(text), func(block string) string {
			m := framed.FindStringSubmatch(block)
			frame, err := os.ReadFile(filepath.Join("testdata", "frames", filepath.FromSlash(m[2])+".txt"))
			if err != nil {
				t.Error(err)
			}
			return m[1] + blank.ReplaceAllString(string(frame), "$1") + m[3]
		})
		fresh = keyed.ReplaceAllStringFunc(fresh, func(block string) string {
			m := keyed.FindStringSubmatch(block)
			return m[1] + keyTable() + m[2]
		})
		switch {
		case fresh == string(text):
		case *update:
			if err := os.WriteFile(file, []byte(fresh), 0o600); err != nil {
				t.Fatal(err)
			}
		default:
			t.Errorf("%s shows other frames or keys than the screens have; go test ./tui -update writes them anew", name)
		}
	}
}

// keyTable is every key, for the guide.
func keyTable() string {
	var b strings.Builder
	b.WriteString("\n| where | keys | what |\n| --- | --- | --- |\n")
	for _, k := range intent.Table() {
		keys := make([]string, len(k.Keys))
		for i, key := range k.Keys {
			keys[i] = "`" + intent.Shown(key) + "`"
		}
		b.WriteString("| " + string(k.Scope) + " | " + strings.Join(keys, " ") + " | " + k.Help + " |\n")
	}
	return b.String() + "\n"
}
