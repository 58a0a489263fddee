package tui

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/seed42aab489/belfry/tui/intent"
)

// The command lines that the screens show are kept in a file, which the tests of
// the command line read: each of them is one that it takes. And each key that
// changes something in the group is told as one.
func TestCommandLines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := full(t)
		var lines []string
		for _, x := range shots {
			d := openFull(t, w)
			x.reach(d, true)
			m := d.Model().(Model)
			told := make(map[intent.Action]bool)
			for _, c := range m.top().Commands(&m.scene) {
				told[c.Action] = true
				if len(c.Lines) == 0 {
					t.Errorf("%s: %s has no command", x.name, c.Action)
				}
				for _, l := range c.Lines {
					l = random.ReplaceAllString(l, "01234567-89ab-cdef-0123-456789abcdef")
					lines = append(lines, l)
				}
			}
			for _, b := range intent.Of(m.top().Scopes()...) {
				if b.Writes && !told[b.Action] && m.top().Why(&m.scene, b.Action) == "" {
					t.Errorf("%s: no command is told for %s", x.name, b.Action)
				}
			}
		}
		slices.Sort(lines)
		text := strings.Join(slices.Compact(lines), "\n") + "\n"
		file := filepath.Join("testdata", "commands.txt")
		if *update {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			return
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatalf("%v; go test ./tui -update makes it", err)
		}
		if diff := cmp.Diff(string(want), text); diff != "" {
			t.Errorf("other command lines are shown (-want +got):\n%s", diff)
		}
	})
}
