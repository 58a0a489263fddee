package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
)

// Every command line that the terminal screens show is one that there is, with
// flags and arguments that it takes.
func TestScreensCommandLines(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "tui", "testdata", "commands.txt"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) < 20 {
		t.Fatalf("only %d command lines", len(lines))
	}
	for _, line := range lines {
		words := shellWords(line)
		if words[0] != "belfry" {
			t.Errorf("%s: it is not belfry", line)
			continue
		}
		if err := taken(words[1:]); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	for _, wrong := range []string{"task shw x", "task show", "task pause x --because y", "explain x y z"} {
		if err := taken(strings.Fields(wrong)); err == nil {
			t.Errorf("belfry %s is taken", wrong)
		}
	}
}

// taken tells what is wrong with a command line, without running it.
func taken(words []string) error {
	var out bytes.Buffer
	root := New(&env.Env{In: strings.NewReader(""), Out: &out, Err: &out, Now: time.Now, Version: "dev"})
	cmd, rest, err := root.Find(words)
	if err != nil {
		return err
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	if cmd.HasSubCommands() {
		return env.Usage("%s is no command", strings.Join(words, " "))
	}
	return cmd.ValidateArgs(cmd.Flags().Args())
}

// shellWords takes a command line apart as a shell does, as far as single quotes
// and backslashes go.
func shellWords(line string) []string {
	var words []string
	var word strings.Builder
	quoted, begun := false, false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\'':
			quoted, begun = !quoted, true
		case c == '\\' && !quoted && i+1 < len(line):
			i++
			word.WriteByte(line[i])
			begun = true
		case c == ' ' && !quoted:
			if begun {
				words = append(words, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteByte(c)
			begun = true
		}
	}
	if begun {
		words = append(words, word.String())
	}
	return words
}
