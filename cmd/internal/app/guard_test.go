package app

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/seed42aab489/belfry/cmd/internal/conf"
	"github.com/seed42aab489/belfry/dataservice/host/auth"
	"github.com/seed42aab489/belfry/plugin/adminapi"
)

func TestGuard(t *testing.T) {
	t.Parallel()
	a := &App{log: slog.New(slog.DiscardHandler)}
	c := conf.Default()
	if g, err := a.guard(c); g != nil || err != nil {
		t.Errorf("without configuration: %v %v", g, err)
	}
	token, hashed := auth.NewToken()
	c.Auth.UsersFile = filepath.Join(t.TempDir(), "users")
	if err := os.WriteFile(c.Auth.UsersFile, []byte("feed:"+hashed+" scopes=tasks:read\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	g, err := a.guard(c)
	if err != nil {
		t.Fatal(err)
	}
	admit := func(authorization string) (adminapi.Caller, error) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/tasks", http.NoBody)
		r.RemoteAddr = "127.0.0.1:1"
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		return callers{g}.Admit(r)
	}
	if who, err := admit("Bearer " + token); err != nil || who.Name != "feed" || len(who.Scopes) != 1 || who.Scopes[0] != string(adminapi.ScopeRead) {
		t.Errorf("%+v %v", who, err)
	}
	for _, given := range []string{"", "Bearer nonsense", "Basic eA=="} {
		_, err := admit(given)
		refusal, ok := errors.AsType[adminapi.Refusal](err)
		if !ok {
			t.Fatalf("%q: %v", given, err)
		}
		if status, header := refusal.Refused(); status != http.StatusUnauthorized || len(header["Www-Authenticate"]) != 2 {
			t.Errorf("%q: %d %v", given, status, header)
		}
	}
	for address, want := range map[string]bool{"127.0.0.1:1": true, "[::1]:1": true, "localhost:1": true, "0.0.0.0:1": false, ":1": false, "example.org:1": false} {
		if loopback(address) != want {
			t.Errorf("loopback(%s) is %v", address, !want)
		}
	}
}
