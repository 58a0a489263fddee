package local_test

import (
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/coordclient/local"
)

func TestMain(m *testing.M) {
	if child := os.Getenv(childEnv); child != "" {
		os.Exit(runChild(child))
	}
	goleak.VerifyTestMain(m)
}

func open(t *testing.T, path string) *local.Local {
	t.Helper()
	l, err := local.Open(t.Context(), local.Options{Path: path, Node: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func TestContract(t *testing.T) {
	t.Parallel()
	coordtest.Exercise(t, func(t *testing.T) coordtest.System {
		t.Helper()
		return system(t, filepath.Join(t.TempDir(), "a dir?#%41 ä", "store.db"))
	})
}

func system(t *testing.T, path string) coordtest.System {
	t.Helper()
	l := open(t, path)
	closeIt := func(t *testing.T) {
		t.Helper()
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return coordtest.System{
		Port:  l,
		Host:  l,
		Close: closeIt,
		Reopen: func(t *testing.T) coordtest.System {
			t.Helper()
			closeIt(t)
			return system(t, path)
		},
	}
}
