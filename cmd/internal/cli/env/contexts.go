package env

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/seed42aab489/belfry/plugin/control/failure"
	"go.yaml.in/yaml/v3"
)

// maxContexts bounds the file of contexts in bytes.
const maxContexts = 1 << 20

// Contexts are the clusters that an administrator gave names to. They hold no
// secrets.
type Contexts struct {
	Current  string    `yaml:"current,omitempty"`
	Previous string    `yaml:"previous,omitempty"` // the current one before
	Contexts []Context `yaml:"contexts"`
}

// Context is a named target: one of the two.
type Context struct {
	Name         string `yaml:"name"`
	Connect      string `yaml:"connect,omitempty"`
	Coordination string `yaml:"coordination,omitempty"` // a file
	// ReadOnly: nothing is changed through it.
	ReadOnly bool `yaml:"read_only,omitempty"`
	// Production: a person is asked before anything is changed through it.
	Production bool `yaml:"production,omitempty"`
	Access     `yaml:",inline"`
}

var contextName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$`)

// Target is where the context leads to.
func (c Context) Target() (Target, error) {
	origin := "context " + c.Name
	switch {
	case !contextName.MatchString(c.Name):
		return Target{}, Usage("context name %q: use up to 64 letters, digits, - . _", c.Name)
	case (c.Connect == "") == (c.Coordination == ""):
		return Target{}, Usage("%s: give it either an address or a coordination file", origin)
	}
	if err := c.check(origin); err != nil {
		return Target{}, err
	}
	var t Target
	var err error
	if c.Connect != "" {
		t, err = ParseTarget(c.Connect, origin)
	} else {
		t, err = LoadTarget(c.Coordination, origin)
	}
	t.Access, t.ReadOnly, t.Production = c.Access, c.ReadOnly, c.Production
	return t, err
}

// Find gives the context of a name; below 0: there is none.
func (c Contexts) Find(name string) int {
	return slices.IndexFunc(c.Contexts, func(one Context) bool { return one.Name == name })
}

// Missing is the error that there is no context of a name. Code: not_found.
func (c Contexts) Missing(name string) error {
	hint := "there are none: `belfry context add` makes one"
	if len(c.Contexts) > 0 {
		var names []string
		for _, one := range c.Contexts {
			names = append(names, one.Name)
		}
		hint = "there are: " + strings.Join(names, ", ")
	}
	return &failure.Error{Code: failure.CodeNotFound, Message: "there is no context " + name, Hint: hint}
}

func (e *Env) contextTarget(name, origin string) (Target, error) {
	contexts, err := e.Contexts()
	if err != nil {
		return Target{}, err
	}
	i := contexts.Find(name)
	if i < 0 {
		missing := contexts.Missing(name)
		if c := failure.Of(missing); origin != "--context" {
			c.Message += ", which " + origin + " names"
		}
		return Target{}, missing
	}
	return contexts.Contexts[i].Target()
}

// ContextsFile is where the contexts are: belfry/contexts.yaml in
// $XDG_CONFIG_HOME or ~/.config. Empty: there is no such place.
func (e *Env) ContextsFile() string {
	folder := e.getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(folder) {
		home := e.getenv("HOME")
		if home == "" {
			return ""
		}
		folder = filepath.Join(home, ".config")
	}
	return filepath.Join(folder, "belfry", "contexts.yaml")
}

// StateFolder is where the companion keeps what outlives a command: belfry in
// $XDG_STATE_HOME or ~/.local/state. Empty: there is no such place.
func (e *Env) StateFolder() string {
	folder := e.getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(folder) {
		home := e.getenv("HOME")
		if home == "" {
			return ""
		}
		folder = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(folder, "belfry")
}

// Contexts reads the contexts; none, if there is no file.
func (e *Env) Contexts() (Contexts, error) {
	file := e.ContextsFile()
	if file == "" {
		return Contexts{}, nil
	}
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return Contexts{}, nil
	}
	if err != nil {
		return Contexts{}, fmt.Errorf("contexts: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxContexts+1))
	if err != nil {
		return Contexts{}, fmt.Errorf("contexts: %w", err)
	}
	if len(text) > maxContexts {
		return Contexts{}, Usage("%s: it is larger than %d bytes", file, maxContexts)
	}
	return parseContexts(file, text)
}

func parseContexts(file string, text []byte) (Contexts, error) {
	var c Contexts
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return Contexts{}, Usage("%s: %v", file, err)
	}
	seen := make(map[string]bool)
	for _, one := range c.Contexts {
		if !contextName.MatchString(one.Name) || seen[one.Name] {
			return Contexts{}, Usage("%s: context name %q: it is there twice, or not of letters, digits, - . _", file, one.Name)
		}
		seen[one.Name] = true
	}
	return c, nil
}

// EditContexts reads the contexts, changes them and writes them, whole or not
// at all. Of two that do so at once, one may not see the other's change.
func (e *Env) EditContexts(change func(*Contexts) error) error {
	file := e.ContextsFile()
	if file == "" {
		return Usage("there is no place for contexts: set HOME or XDG_CONFIG_HOME")
	}
	c, err := e.Contexts()
	if err != nil {
		return err
	}
	if err := change(&c); err != nil {
		return err
	}
	text, err := yaml.Marshal(c)
	if err == nil {
		err = replaceFile(file, text)
	}
	if err != nil {
		return fmt.Errorf("contexts: %w", err)
	}
	return nil
}

func replaceFile(file string, text []byte) error {
	folder := filepath.Dir(file)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(folder, ".contexts-*") // for the owner alone
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}
