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

// countZnodes walks the tree of a server.
func countZnodes(t *testing.T, s *zktest.Server) znodes {
	t.Helper()
	conn, _, err := library.Connect([]string{s.Address}, 30*time.Second, library.WithLogger(silent{}))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	all := znodes{}
	var walk func(path, kind string)
	walk = func(path, kind string) {
		names, _, err := conn.Children(path)
		if errors.Is(err, library.ErrNoNode) {
			return // it has gone meanwhile
		}
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all[kind]++
		for _, name := range names {
			as := "/*"
			if strings.HasSuffix(name, "+") {
				as = "/*+"
			}
			if ownWord.MatchString(name) {
				as = "/" + name
			}
			walk(path+"/"+name, kind+as)
		}
	}
	walk(zk.DefaultRoot, "")
	return all
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
