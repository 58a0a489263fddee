package store

import (
	"errors"
	"slices"
	"testing"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/bucket"
)

// A claim log that its store has lost entries of can be owned again once it is
// mended, and who mended it is in the audit.
func TestMendFillsTheGapsOfALog(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, p port) {
		s := opened(t, p, Options{}).As("jane")
		o := s.Owner(p.ID(), p)
		f := acquired(t, o, 1)
		for seq := int64(1); seq <= 6; seq++ {
			b := bucket.Batch{Epoch: f.Epoch, Seq: seq, Op: seq}
			if err := o.Commit(t.Context(), f, bucket.Write{Seq: seq, Batch: b.Encode()}); err != nil {
				t.Fatal(err)
			}
		}
		if missing, err := s.Gaps(t.Context(), 1); err != nil || len(missing) > 0 {
			t.Fatalf("of a whole log: %v, %v", missing, err)
		}
		for _, seq := range []int64{1, 3, 4} {
			if err := p.Commit(t.Context(), coordclient.Delete(s.keys.log(1, seq), coordclient.AnyVersion)); err != nil {
				t.Fatal(err)
			}
		}
		missing, err := s.Gaps(t.Context(), 1)
		if err != nil || !slices.Equal(missing, []int64{1, 3, 4}) {
			t.Fatalf("%v, %v", missing, err)
		}
		if err := s.Mend(t.Context(), 1, []int64{2}); !errors.Is(err, coordclient.ErrExists) {
			t.Errorf("of an entry that is there: %v", err)
		}
		if err := s.Mend(t.Context(), 1, missing); err != nil {
			t.Fatal(err)
		}
		f = acquired(t, o, 1)
		l, err := o.Load(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		if state, err := bucket.Replay(l, nil, bucket.Rules{}); err != nil || state.Seq() != 6 {
			t.Errorf("%v", err)
		}
		edits, err := s.Audit(t.Context())
		if err != nil || len(edits) != 1 || edits[0].Code != LogMended || edits[0].By != "jane" {
			t.Errorf("%+v, %v", edits, err)
		}
	})
}
