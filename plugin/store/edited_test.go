package store

import (
	"fmt"
	"slices"
	"testing"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/task"
)

// What an owner and a leader read of many edits: tasks that are there, in order;
// those that are not; and one that cannot be read is left out, and keeps nobody
// from the others.
func TestManyEditsAreReadTogether(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, p port) {
		o := prepared(t, p)
		var here []task.Info // of one bucket
		for i := 0; len(here) < 12; i++ {
			info := created(t, o.Store, fmt.Sprintf("t%d", i))
			if home(t, o.Store, info.Key) == 0 {
				here = append(here, info)
			}
		}
		f := acquired(t, o, 0)
		pause := func(i *task.Info) error { i.Paused = true; return nil }
		for _, info := range here {
			if _, err := o.Update(t.Context(), info.Key, info.Revision, pause); err != nil {
				t.Fatal(err)
			}
		}
		gone, rotten := here[3].Key, here[7].Key
		for key, value := range map[task.Key][]byte{gone: nil, rotten: []byte("{")} {
			op := coordclient.Delete(o.keys.task(0, key), coordclient.AnyVersion)
			if value != nil {
				op = coordclient.Set(o.keys.task(0, key), value, 1)
			}
			if err := p.Commit(t.Context(), op); err != nil {
				t.Fatal(err)
			}
		}
		var want []string
		for _, info := range here {
			if info.Key != gone && info.Key != rotten {
				want = append(want, info.Key.String())
			}
		}
		slices.Sort(want)
		judge := func(infos []task.Info) {
			t.Helper()
			var got []string
			for _, info := range infos {
				if !info.Paused {
					t.Errorf("%s is read as it was before", info.Key)
				}
				got = append(got, info.Key.String())
			}
			if slices.Sort(got); !slices.Equal(got, want) {
				t.Errorf("%v, want %v", got, want)
			}
		}
		_, changes, err := o.Refresh(t.Context(), f, 1)
		if err != nil || changes.All || !slices.Equal(changes.Removed, []task.Key{gone}) {
			t.Fatalf("all %t, removed %v, %v", changes.All, changes.Removed, err)
		}
		judge(changes.Definitions)
		infos, last, ok, err := o.Edited(t.Context(), 0, f.Edit)
		if err != nil || !ok || last != f.Edit+int64(len(here)) {
			t.Fatalf("%t to %d, %v", ok, last, err)
		}
		judge(infos)
	})
}
