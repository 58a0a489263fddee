package cluster_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/plugin/bucket"
)

// lacking is a session whose server lacks entries of claim logs that all others
// have, until it leaves that server.
type lacking struct {
	*coordtest.Member
	lacks func(key string) bool
	left  *atomic.Bool
}

func (l lacking) hides(key string) bool { return !l.left.Load() && l.lacks(key) }

func (l lacking) Get(ctx context.Context, key string) (coordclient.Entry, <-chan struct{}, error) {
	if l.hides(key) {
		return coordclient.Entry{}, nil, coordclient.ErrNotFound
	}
	return l.Member.Get(ctx, key)
}

func (l lacking) List(ctx context.Context, prefix string) ([]string, error) {
	names, err := l.Member.List(ctx, prefix)
	return slices.DeleteFunc(names, func(name string) bool { return l.hides(prefix + "/" + name) }), err
}

// What a server lacks keeps a bucket from its owner until another server answers:
// the owner leaves the server, and then every instant is fired once.
func TestAServerThatLacksEntriesIsLeft(t *testing.T) {
	t.Parallel()
	for name, lacks := range map[string]func(key string) bool{
		"in the middle": func(key string) bool { return strings.HasSuffix(key, "/log/000000000004") },
		"at the end": func(key string) bool {
			_, seq, is := strings.Cut(key, "/log/")
			return is && seq >= "000000000004"
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := newGroup(t, 1)
				defer g.end()
				first := g.boot("n1")
				g.create("t", "S", time.Second)
				time.Sleep(10 * time.Second)
				var left atomic.Bool
				g.wrap = func(m *coordtest.Member) coordtest.Joined { return lacking{m, lacks, &left} }
				var mu sync.Mutex
				var causes []error
				g.doubt = func(_ int, cause error) {
					mu.Lock()
					defer mu.Unlock()
					causes = append(causes, cause)
					if len(causes) == 3 {
						left.Store(true)
					}
				}
				g.boot("n2")
				first.kill(time.Second)
				time.Sleep(2 * time.Minute)
				mu.Lock()
				defer mu.Unlock()
				g.mu.Lock()
				defer g.mu.Unlock()
				if len(causes) != 3 {
					t.Errorf("doubted %d times, want 3: %v", len(causes), causes)
				}
				for _, cause := range causes {
					if !errors.Is(cause, bucket.ErrGap) {
						t.Errorf("doubted for %v", cause)
					}
				}
				seen := make(map[time.Time]bool)
				for _, r := range g.runs {
					if seen[r.at] {
						t.Errorf("%s ran twice", r.at)
					}
					seen[r.at] = true
				}
				if last := g.runs[len(g.runs)-1]; time.Since(last.at) > 2*time.Second || last.node != "n2" {
					t.Errorf("the last run: %+v at %s", last, time.Now())
				}
			})
		})
	}
}
