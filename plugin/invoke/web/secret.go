package web

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
)

// EnvPrefix is what the name of an environment variable must begin with to be
// referred to: the rest of the environment is nobody's business.
const EnvPrefix = "BELFRY_SECRET_"

// maxSecret bounds a secret in bytes.
const maxSecret = 8 << 10

// Secrets reads what headers refer to. Whoever may make tasks may send these
// secrets where the host may call, so only what is meant for tasks is in reach:
// files of one folder, variables of one prefix.
type Secrets struct {
	// Dir is the folder of the files. Empty: there are none. A file is readable
	// by its owner alone.
	Dir string
	// Env looks up a variable of the environment. Nil: there are none.
	Env func(name string) (string, bool)
	// Prefix is what names of variables must begin with. Empty: EnvPrefix.
	Prefix string
	// Setting names the setting of Dir in errors. Empty: "tasks.secrets".
	Setting string
}

var reference = regexp.MustCompile(`\$(file|env)\{([^}]*)\}`)

var fileName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$`)

// ref is a reference within a text.
type ref struct{ kind, name string }

// references lists those of a text, and refuses what could lead elsewhere.
func references(text, prefix string) ([]ref, error) {
	var refs []ref
	for _, m := range reference.FindAllStringSubmatch(text, -1) {
		r := ref{m[1], m[2]}
		switch {
		case r.kind == "file" && !fileName.MatchString(r.name):
			return nil, fmt.Errorf("$file{%s}: name a file of the secrets folder, without its path", r.name)
		case r.kind == "env" && !strings.HasPrefix(r.name, prefix):
			return nil, fmt.Errorf("$env{%s}: only variables that begin with %s can be referred to", r.name, prefix)
		}
		refs = append(refs, r)
	}
	return refs, nil
}

// Resolve puts secrets in the place of references. Errors name a reference,
// never a value.
func (s Secrets) Resolve(text string) (string, error) {
	return s.ResolveAs(text, func(secret string) string { return secret })
}

// ResolveAs is Resolve with each secret as encode writes it.
func (s Secrets) ResolveAs(text string, encode func(secret string) string) (string, error) {
	refs, err := references(text, cmp.Or(s.Prefix, EnvPrefix))
	if err != nil || len(refs) == 0 {
		return text, err
	}
	pairs := make([]string, 0, 2*len(refs))
	for _, r := range refs {
		value, err := s.read(r)
		if err != nil {
			return "", fmt.Errorf("$%s{%s}: %w", r.kind, r.name, err)
		}
		if strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c == 0x7F }) {
			return "", fmt.Errorf("$%s{%s}: the secret has control characters", r.kind, r.name)
		}
		pairs = append(pairs, "$"+r.kind+"{"+r.name+"}", encode(value))
	}
	return strings.NewReplacer(pairs...).Replace(text), nil
}

func (s Secrets) read(r ref) (string, error) {
	if r.kind == "env" {
		if s.Env != nil {
			if value, ok := s.Env(r.name); ok {
				return value, nil
			}
		}
		return "", errors.New("this host's environment does not have it")
	}
	if s.Dir == "" {
		return "", fmt.Errorf("this host has no secrets folder; see %s of its configuration", cmp.Or(s.Setting, "tasks.secrets"))
	}
	root, err := os.OpenRoot(s.Dir)
	if err != nil {
		return "", errors.New("the secrets folder of this host cannot be opened")
	}
	defer func() { _ = root.Close() }()
	f, err := root.Open(r.name)
	if err != nil {
		return "", errors.New("this host has no such secret, or may not read it")
	}
	defer func() { _ = f.Close() }() // only read
	info, err := f.Stat()
	switch {
	case err != nil:
		return "", errors.New("it cannot be read")
	case !info.Mode().IsRegular():
		return "", errors.New("it is no plain file")
	case info.Mode().Perm()&0o077 != 0:
		return "", fmt.Errorf("others may read it (mode %04o); chmod 600", info.Mode().Perm())
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	switch {
	case err != nil:
		return "", errors.New("it cannot be read")
	case len(text) > maxSecret:
		return "", fmt.Errorf("it has more than %d bytes", maxSecret)
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}
