package cli

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/insight"
	"github.com/seed42aab489/belfry/cmd/internal/conf"
)

//go:generate go test -run TestGenerated . -update

var update = flag.Bool("update", false, "write generated files anew")

// What is generated from the code and committed is what the code generates:
// the completions and the reference.
func TestGenerated(t *testing.T) {
	t.Parallel()
	top := filepath.Join("..", "..", "..")
	for name, text := range generate(t) {
		file := filepath.Join(top, name)
		if *update {
			if err := os.WriteFile(file, text, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(file, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if stands, err := os.ReadFile(file); err != nil || !bytes.Equal(stands, text) {
			t.Errorf("%s is stale (%v): run make generate", name, err)
		}
	}
}

func generate(t *testing.T) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for name, write := range map[string]func(*cobra.Command, *bytes.Buffer) error{
		"completions/belfry.bash": func(c *cobra.Command, b *bytes.Buffer) error { return c.GenBashCompletionV2(b, true) },
		"completions/belfry.zsh":  func(c *cobra.Command, b *bytes.Buffer) error { return c.GenZshCompletion(b) },
		"completions/belfry.fish": func(c *cobra.Command, b *bytes.Buffer) error { return c.GenFishCompletion(b, true) },
		"completions/belfry.ps1":  func(c *cobra.Command, b *bytes.Buffer) error { return c.GenPowerShellCompletionWithDesc(b) },
		"docs/reference/commands.md": func(c *cobra.Command, b *bytes.Buffer) error {
			commands(c, b)
			return nil
		},
		"docs/reference/codes.md": func(_ *cobra.Command, b *bytes.Buffer) error {
			codes(b)
			return nil
		},
		"docs/reference/configuration.md": func(_ *cobra.Command, b *bytes.Buffer) error {
			configuration(b)
			return nil
		},
	} {
		var b bytes.Buffer
		if err := write(tree(), &b); err != nil {
			t.Fatal(err)
		}
		files[name] = b.Bytes()
	}
	// The program carries the schema, and it is published with the reference.
	files["docs/reference/task.schema.json"] = schema(t)
	files["cmd/internal/cli/taskfile/task.schema.json"] = files["docs/reference/task.schema.json"]
	return files
}

// tree is the tree of commands as it is without anything of this machine.
func tree() *cobra.Command {
	e := &env.Env{In: strings.NewReader(""), Out: &bytes.Buffer{}, Err: &bytes.Buffer{}, Now: time.Now, Version: "dev"}
	root := New(e)
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	return root
}

func commands(root *cobra.Command, b *bytes.Buffer) {
	b.WriteString("# Commands\n\nGenerated from the program: `make generate`.\n\n")
	fmt.Fprintf(b, "%s\n\nFlags of every command:\n\n```text\n%s```\n", root.Long, root.PersistentFlags().FlagUsages())
	b.WriteString("\n## Exit codes\n\n| code | meaning |\n| --- | --- |\n")
	for _, exit := range env.ExitCodes() {
		fmt.Fprintf(b, "| %d | %s |\n", exit.Code, exit.Meaning)
	}
	b.WriteString("\nWith `-o json` (or any other data format) an error is one line of JSON on stderr, and stdout stays empty:\n" +
		"`{\"error\":{\"code\",\"message\",\"cause\",\"hint\",\"retryable\",\"exit_code\"}}`. `check` exits as monitoring plugins do: 0 ok, 1 warning, 2 critical, 3 unknown.\n")
	walk(root, func(c *cobra.Command) {
		if !c.Runnable() || c.HasSubCommands() || c.Name() == "help" || c.Parent().Name() == "completion" {
			return
		}
		fmt.Fprintf(b, "\n## %s\n\n%s\n\n```text\n%s\n```\n", c.CommandPath(), firstOf(c.Long, c.Short), c.UseLine())
		if c.Example != "" {
			fmt.Fprintf(b, "\n```text\n%s\n```\n", unindent(c.Example))
		}
		flags := pflag.NewFlagSet("", pflag.ContinueOnError)
		c.InheritedFlags().VisitAll(func(f *pflag.Flag) {
			if root.PersistentFlags().Lookup(f.Name) == nil {
				flags.AddFlag(f)
			}
		})
		flags.AddFlagSet(c.LocalNonPersistentFlags())
		if flags.HasAvailableFlags() {
			fmt.Fprintf(b, "\n```text\n%s```\n", flags.FlagUsages())
		}
	})
}

func codes(b *bytes.Buffer) {
	b.WriteString("# Codes\n\nGenerated from the program: `make generate`. They are stable; `belfry explain code CODE` tells the same without a network.\n")
	kind := ""
	for _, c := range insight.Codes() {
		if c.Kind != kind {
			kind = c.Kind
			title := map[string]string{"error": "Errors of commands and of the REST interface", "reason": "Reasons of tasks and runs"}[kind]
			fmt.Fprintf(b, "\n## %s\n\n| code | meaning | next step |\n| --- | --- | --- |\n", title)
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", c.Code, c.Meaning, c.Next)
	}
}

func configuration(b *bytes.Buffer) {
	b.WriteString("# Configuration\n\nGenerated from the program: `make generate`.\n\n" +
		"Settings of `belfryd` come from the command line, the environment, the file that `--config` names (`configs/belfryd.yaml` if it exists) and defaults, in this\n" +
		"order. Unknown keys and wrong types are refused, with file and line. `belfry config check FILE` checks a file, `belfry config show --origin` tells where each value\n" +
		"comes from. Times are written like `5s` or `1m30s`, sizes like `512KiB`.\n")
	section := "-"
	for _, k := range conf.Keys() {
		group, _, nested := strings.Cut(k.Name, ".")
		if !nested {
			group = ""
		}
		if group != section {
			section = group
			title := "General"
			if group != "" {
				title = strings.ToUpper(group[:1]) + group[1:]
			}
			fmt.Fprintf(b, "\n## %s\n\n| key | type | default | environment | flag | meaning |\n| --- | --- | --- | --- | --- | --- |\n", title)
		}
		kind := string(k.Kind)
		if len(k.OneOf) > 0 {
			kind = strings.Join(k.OneOf, ", ")
		}
		help := k.Help
		if k.Min != "" {
			help += fmt.Sprintf(" (%s to %s)", k.Min, k.Max)
		}
		dashes := ""
		if k.Flag != "" {
			dashes = "`--" + k.Flag + "`"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | `%s` | %s | %s |\n", k.Name, kind, k.Default, k.Env, dashes, help)
	}
}

// Every command says what it is for and shows at least two ways to use it.
func TestEveryCommandIsExplained(t *testing.T) {
	t.Parallel()
	walk(tree(), func(c *cobra.Command) {
		if c.Short == "" {
			t.Errorf("%s does not say what it is for", c.CommandPath())
		}
		if c.HasSubCommands() || c.Name() == "help" || c.Parent() == nil || c.Parent().Name() == "completion" {
			return
		}
		if n := len(strings.Split(strings.TrimSpace(c.Example), "\n")); n < 2 {
			t.Errorf("%s shows %d examples, want 2", c.CommandPath(), n)
		}
		for _, line := range strings.Split(c.Example, "\n") {
			if !strings.HasPrefix(line, "  "+c.CommandPath()) && !(strings.HasPrefix(line, "  EDITOR=") && strings.Contains(line, c.CommandPath())) {
				t.Errorf("%s: example %q is not of this command", c.CommandPath(), line)
			}
		}
	})
}

func walk(c *cobra.Command, f func(*cobra.Command)) {
	f(c)
	for _, sub := range c.Commands() {
		walk(sub, f)
	}
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func unindent(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "\n")
}
