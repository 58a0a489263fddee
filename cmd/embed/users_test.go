package embed

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/dataservice/host/auth"
)

func users(t *testing.T, in string, args ...string) (out, problems string, err error) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := newCommand(Options{}, &stderr)
	cmd.SetArgs(append([]string{"users"}, args...))
	cmd.SetIn(strings.NewReader(in))
	cmd.SetOut(&stdout)
	cmd.SetErr(&stderr)
	err = cmd.Execute()
	return stdout.String(), stderr.String(), err
}

// What the commands write is a users file.
func TestUsers(t *testing.T) {
	t.Parallel()
	line, _, err := users(t, "correct horse\n", "hash", "anna", "--roles", "sales,admin", "--scopes", "tasks:read", "--expires", "2027-06-30")
	if err != nil || !strings.HasPrefix(line, "anna:$argon2id$") || !strings.HasSuffix(line, " roles=sales,admin scopes=tasks:read expires=2027-06-30\n") || strings.Contains(line, "horse") {
		t.Errorf("%q %v", line, err)
	}
	other, shown, err := users(t, "", "token", "feed")
	token, found := strings.CutPrefix(strings.TrimSpace(shown), "token: ")
	if err != nil || !found || strings.Contains(other, token) || auth.Check([]byte(line+other)) != nil {
		t.Errorf("%q %q %v", other, shown, err)
	}
	file := filepath.Join(t.TempDir(), "users")
	if err := os.WriteFile(file, []byte(line+other), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := users(t, "", "check", file); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(file, []byte(line+"x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := users(t, "", "check", file); err == nil || !strings.Contains(err.Error(), "users:2: ") {
		t.Errorf("%v", err)
	}
}

func TestUsersRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in, want string
		args     []string
	}{
		{"short\n", "8 to 1024 bytes", []string{"hash", "anna"}},
		{"", "8 to 1024 bytes", []string{"hash", "anna"}},
		{"correct horse\n", "the name must have", []string{"hash", ""}},
		{"", "neither a day", []string{"token", "feed", "--expires", "soon"}},
		{"", "is not roles=", []string{"token", "feed", "--roles", "a b"}},
	} {
		_, _, err := users(t, c.in, c.args...)
		var usage *usageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %s", c.args, err, c.want)
		}
	}
}
