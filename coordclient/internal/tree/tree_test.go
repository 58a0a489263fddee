package tree_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/internal/tree"
)

// model is the store as one would explain it: a map from key to version and
// value.
type model map[string]entry

type entry struct {
	version int64
	value   string
}

// commit is all or nothing by brute force: on a copy.
func (m model) commit(ops []coordclient.Op) (model, int, error) {
	next := maps.Clone(m)
	for i, op := range ops {
		e, ok := next[op.Key]
		switch {
		case op.Kind == coordclient.OpCheckMember:
			if op.Key != "me" {
				return m, i, coordclient.ErrNotMember
			}
			continue
		case op.Kind == coordclient.OpCreate && ok:
			return m, i, coordclient.ErrExists
		case op.Kind == coordclient.OpCreate:
			next[op.Key] = entry{0, string(op.Value)}
			continue
		case !ok:
			return m, i, coordclient.ErrNotFound
		case e.version != op.Version && !(op.Kind == coordclient.OpDelete && op.Version == coordclient.AnyVersion):
			return m, i, coordclient.ErrConflict
		}
		switch op.Kind {
		case coordclient.OpSet:
			next[op.Key] = entry{e.version + 1, string(op.Value)}
		case coordclient.OpDelete:
			delete(next, op.Key)
		}
	}
	return next, 0, nil
}

func (m model) list(prefix string) []string {
	prefix = strings.TrimSuffix(prefix, "/") + "/"
	names := map[string]bool{}
	for key := range m {
		if rest, ok := strings.CutPrefix(key, prefix); ok {
			name, _, _ := strings.Cut(rest, "/")
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

var rules = tree.Rules[string]{
	Member:  func(id coordclient.MemberID) bool { return id == "me" },
	Payload: func(op coordclient.Op, _ string) string { return string(op.Value) },
}

var keys = []string{"/a", "/b", "/a/x", "/a/y", "/a/x/1", "/a/x/1/2", "/b/x", "/c/c/c"}

func drawOp(t *rapid.T) coordclient.Op {
	op := coordclient.Op{
		Kind:    coordclient.OpKind(rapid.IntRange(int(coordclient.OpCreate), int(coordclient.OpCheckMember)).Draw(t, "kind")),
		Key:     rapid.SampledFrom(keys).Draw(t, "key"),
		Value:   []byte(rapid.StringN(0, 3, -1).Draw(t, "value")),
		Version: rapid.Int64Range(-1, 3).Draw(t, "version"),
	}
	if op.Kind == coordclient.OpCheckMember {
		op.Key = rapid.SampledFrom([]string{"me", "me", "me", "other"}).Draw(t, "member")
	}
	return op
}

// TestAgainstModel: groups of commits on the tree do what each commit does to
// the model, one after another, whichever fail, and wake whom they must.
func TestAgainstModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		got, want := tree.New[string](), model{}
		for range rapid.IntRange(1, 8).Draw(t, "groups") {
			watches := map[string]<-chan struct{}{}
			for _, key := range keys {
				watches[key] = got.Watch(key)
			}
			before := maps.Clone(want)
			stage := got.Stage()
			for range rapid.IntRange(0, 5).Draw(t, "commits") {
				ops := rapid.SliceOfN(rapid.Custom(drawOp), 0, 5).Draw(t, "ops")
				next, index, werr := want.commit(ops)
				err := stage.Add(ops, rules)
				var ce *coordclient.CommitError
				switch {
				case werr == nil && err != nil || werr != nil && !errors.Is(err, werr):
					t.Fatalf("%v gave %v, want %v", ops, err, werr)
				case werr != nil && (!errors.As(err, &ce) || ce.Index != index):
					t.Fatalf("%v failed with %v, want operation %d", ops, err, index)
				}
				want = next
			}
			same(t, got, before) // nothing shows before Apply
			if rapid.Bool().Draw(t, "abandoned") {
				want = before
			} else {
				stage.Apply()
			}
			same(t, got, want)
			for key, watch := range watches {
				if before[key] != want[key] && !isClosed(watch) {
					t.Fatalf("%s changed from %v to %v, and its watch is open", key, before[key], want[key])
				}
			}
		}
	})
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func same(t *rapid.T, got *tree.Tree[string], want model) {
	if got.Len() != len(want) {
		t.Fatalf("%d entries, want %d", got.Len(), len(want))
	}
	for _, key := range keys {
		e, ok := want[key]
		value, version, there := got.Get(key)
		if there != ok || ok && (value != e.value || version != e.version) {
			t.Fatalf("%s: %q at %d (there: %t), want %v", key, value, version, there, e)
		}
	}
	for _, prefix := range append([]string{"/", "/none", "/c", "/c/c"}, keys...) {
		if l, w := got.List(prefix), want.list(prefix); !slices.Equal(l, w) {
			t.Fatalf("list %s = %v, want %v", prefix, l, w)
		}
	}
}

// TestWatchesAreBounded: however many entries are read, the channels are few.
func TestWatchesAreBounded(t *testing.T) {
	t.Parallel()
	tr := tree.New[string]()
	distinct := map[<-chan struct{}]bool{}
	for i := range 10_000 {
		distinct[tr.Watch(fmt.Sprintf("/tasks/%d", i))] = true
	}
	if len(distinct) > 64 {
		t.Errorf("%d channels for 10,000 entries of one parent, want at most 64", len(distinct))
	}
	tr.WakeAll()
	for c := range distinct {
		if !isClosed(c) {
			t.Error("WakeAll left a channel open")
		}
	}
	if first := tr.Watch("/tasks/1"); first != tr.Watch("/tasks/1") {
		t.Error("two reads of an entry have different channels")
	}
}
