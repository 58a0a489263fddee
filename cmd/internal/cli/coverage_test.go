package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
)

// runnable are all that do something, by their path without the program's name.
func runnable(t *testing.T) map[string]*cobra.Command {
	t.Helper()
	root := New(&env.Env{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard, Now: time.Now})
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	all := map[string]*cobra.Command{}
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		_, path, _ := strings.Cut(cmd.CommandPath(), " ")
		if !cmd.HasSubCommands() && cmd.Runnable() && path != "help" {
			all[path] = cmd
		}
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	visit(root)
	if len(all) < 60 {
		t.Fatalf("only %d commands", len(all))
	}
	return all
}

// Every command has at least two examples. That they work is for TestExamples of
// the end-to-end tests to see.
func TestEveryCommandHasExamples(t *testing.T) {
	t.Parallel()
	for path, cmd := range runnable(t) {
		if strings.HasPrefix(path, "completion ") {
			continue // their help says how to load them
		}
		n := 0
		for line := range strings.Lines(cmd.Example) {
			if strings.Contains(line, "belfry ") {
				n++
			}
		}
		if n < 2 {
			t.Errorf("belfry %s has %d examples", path, n)
		}
	}
}

// Every command has its place in a scenario, and each scenario is run against a
// lone host and against a cluster.
func TestEveryCommandHasAScenario(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("..", "..", "e2e", "testdata", "companion", "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	elsewhere := map[string]string{"tui": "screens_test.go drives it in a terminal"}
	for path := range runnable(t) {
		if elsewhere[path] != "" {
			continue
		}
		if !regexp.MustCompile(`\bbelfry ` + path + `(\s|\)|'|$)`).MatchString(all.String()) {
			t.Errorf("no scenario has belfry %s", path)
		}
	}
}

// Each exit code of the table is brought about by a scenario, with the real program.
func TestEveryExitCodeHasAScenario(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "e2e", "testdata", "companion", "exits.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := map[int]string{4: "TestClusterOverTLS refuses who brings no credentials"}
	for _, exit := range env.ExitCodes() {
		if elsewhere[exit.Code] == "" && !strings.Contains(string(text), fmt.Sprintf("\nexits %d ", exit.Code)) {
			t.Errorf("no scenario exits with %d: %s", exit.Code, exit.Meaning)
		}
	}
}
