//go:build e2e

package e2e

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	library "github.com/go-zookeeper/zk"

	"github.com/seed42aab489/belfry/coordclient/zk"
	"github.com/seed42aab489/belfry/coordclient/zk/zktest"
)

// znodes counts what is stored, by kind: by path, with "*" for every name that is
// not one of the store's own words.
type znodes map[string]int

var ownWord = regexp.MustCompile(`^[a-z]+\+?$`)

// countZnodes walks the tree, which servers that have just been broken may take a
// while to show.
func countZnodes(t *testing.T, servers zktest.Ensemble) znodes {
	t.Helper()
	var all znodes
	eventually(t, patience, "the znodes are counted", func() bool {
		conn, _, err := library.Connect(servers.Addresses(), 30*time.Second, library.WithLogger(silent{}))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		all = znodes{}
		if err = all.walk(conn, zk.DefaultRoot, ""); err != nil {
			t.Logf("counting znodes: %v", err)
		}
		return err == nil
	})
	return all
}

func (z znodes) walk(conn *library.Conn, path, kind string) error {
	names, _, err := conn.Children(path)
	if errors.Is(err, library.ErrNoNode) {
		return nil // it has gone meanwhile
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	z[kind]++
	for _, name := range names {
		as := "*"
		switch {
		case ownWord.MatchString(name):
			as = name
		case strings.HasSuffix(name, "+"):
			as = "*+"
		}
		if err := z.walk(conn, path+"/"+name, kind+"/"+as); err != nil {
			return err
		}
	}
	return nil
}

// silent drops what the library logs.
type silent struct{}

func (silent) Printf(string, ...any) {}

// all is how many there are.
func (z znodes) all() int {
	n := 0
	for _, of := range z {
		n += of
	}
	return n
}

// grown tells of which kinds there are more than before, the most first.
func (z znodes) grown(before znodes) string {
	kinds := slices.SortedFunc(maps.Keys(z), func(a, b string) int {
		return cmp.Or(cmp.Compare(z[b]-before[b], z[a]-before[a]), strings.Compare(a, b))
	})
	var lines []string
	for _, kind := range kinds {
		if z[kind] > before[kind] {
			lines = append(lines, fmt.Sprintf("%6d, were %6d: %s", z[kind], before[kind], kind))
		}
	}
	return strings.Join(lines, "\n")
}

// What bounds the kinds that grow at first.
const (
	buckets = 256
	// perLog is how many batches a log has until it is folded, and some on their way.
	perLog = 210
	// recent is for what members that are gone leave until one lives for a minute or
	// two, and sweeps.
	recent = 1000
	// few is for what comes and goes.
	few = 16
)

// most is how many there may be of a kind, however long a cluster has been used.
func (z znodes) most(kind string, before znodes) int {
	switch {
	case kind == "/keys/buckets+/*+/log+/*":
		return perLog * buckets
	case strings.HasPrefix(kind, "/calls/"), strings.HasPrefix(kind, "/pieces/"):
		return recent
	case kind == "/keys/buckets+/*+/page+/*",
		strings.HasPrefix(kind, "/keys/") && strings.Count(kind, "*") == 1: // one of a bucket
		return max(before[kind], buckets)
	}
	return before[kind] + few
}

// unbounded names the kinds of which there are too many.
func (z znodes) unbounded(before znodes) []string {
	var over []string
	for kind, n := range z {
		if most := z.most(kind, before); n > most {
			over = append(over, fmt.Sprintf("%d of %s, want %d at most", n, kind, most))
		}
	}
	return over
}
