package bucket

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"reflect"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/plugin/task"
)

func sampleBatch() *Batch {
	const now = 946_684_800_000
	return &Batch{
		Epoch: 3, Seq: 41, Op: 7, Time: now, Node: "north",
		Records: []Record{
			{Kind: Claim, UID: "u1", At: now - 3, Attempt: 1, Revision: 2, Meaning: 1 << 63, Hash: "h", Delivery: task.EffectivelyOnce},
			{Kind: Claim, UID: "u1", At: now, Manual: "m1", Attempt: 1, Delivery: task.AtMostOnce},
			{Kind: Reclaim, UID: "u2", At: now - 9000, Attempt: 4, Revision: 1, Hash: "h"},
			{Kind: Settle, UID: "u1", At: now - 3, Attempt: 1, Start: now, End: now + 5, Outcome: task.OK, Rows: 12, Final: true},
			{Kind: Settle, UID: "u2", At: now, Attempt: 2, End: now, Outcome: task.Failed, Error: "é", NotSent: true, RetryAt: now + 1000},
			{Kind: Settle, UID: "u2", At: now, Attempt: 3, End: now, Outcome: task.Interrupted, Open: true},
			{Kind: Skip, UID: "u3", At: now - 5000, Until: now, Count: 5, Reason: task.ReasonOverlap},
			{Kind: Defer, UID: "u3", At: now, Start: now + 100, Reason: task.ReasonQueued},
			{Kind: Alerted, UID: "u3", At: now, Start: 60_000},
			{Kind: Forget, UID: "u4", At: now},
		},
	}
}

func samplePage() *Page {
	return &Page{Folded: 40, Cursors: []Cursor{
		{UID: "u1", Decided: 946_684_800_000, LastOK: 5, Counts: Counts{Fired: 9, OK: 7, Failed: 1, Unknown: 1, Skipped: 3}},
		{
			UID: "u2", Alerted: 60_000,
			Open: []*Open{{
				At: 1, Manual: "m", Attempt: 2, Tried: 5, Node: "north", Claimed: 4, Revision: 3, Meaning: 77, Hash: "h",
				Delivery: task.AtLeastOnce, Failed: 1, Unsent: 2, Again: 3, Waited: 9, Doubt: true, Settled: true,
				RetryAt: 8, Outcome: task.Failed, Error: "e",
			}},
			Deferred: []Deferred{{At: 3, NotBefore: 4}, {At: 5, NotBefore: 6}},
		},
	}}
}

func TestBatchRoundTrip(t *testing.T) {
	t.Parallel()
	want := sampleBatch()
	got, err := DecodeBatch(want.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestPageRoundTrip(t *testing.T) {
	t.Parallel()
	want := samplePage()
	got, err := DecodePage(want.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// No byte may change unnoticed, and nothing may be missing at the end.
func TestDecodeRefusesDamage(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		data   []byte
		decode func([]byte) error
	}{
		"batch": {sampleBatch().Encode(), func(b []byte) error { _, err := DecodeBatch(b); return err }},
		"page":  {samplePage().Encode(), func(b []byte) error { _, err := DecodePage(b); return err }},
	} {
		for i := range c.data {
			bad := append([]byte(nil), c.data...)
			bad[i] ^= 0x41
			if err := c.decode(bad); !errors.Is(err, ErrCorrupt) {
				t.Errorf("%s: byte %d changed: %v", name, i, err)
			}
			if err := c.decode(c.data[:i]); !errors.Is(err, ErrCorrupt) {
				t.Errorf("%s: cut at %d: %v", name, i, err)
			}
		}
		if err := c.decode(reseal(append([]byte(nil), c.data...), 1, formatVersion+1)); !errors.Is(err, ErrNewer) {
			t.Errorf("%s: newer format: %v", name, err)
		}
	}
}

// reseal sets a byte and makes the checksum fit.
func reseal(data []byte, at int, b byte) []byte {
	data[at] = b
	body := data[:len(data)-4]
	binary.LittleEndian.PutUint32(data[len(body):], crc32.Checksum(body, castagnoli))
	return data
}

func TestErrorsAreBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", MaxError)
	b := &Batch{Records: []Record{{Kind: Settle, UID: "u", Outcome: task.Failed, Error: long}}}
	got, err := DecodeBatch(b.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if text := got.Records[0].Error; len(text) > MaxError || !strings.HasPrefix(long, text) {
		t.Errorf("%d bytes: %q", len(text), text)
	}
}

func FuzzDecodeBatch(f *testing.F) {
	f.Add(sampleBatch().Encode())
	f.Add((&Batch{}).Encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) >= 6 { // get past the checksum
			data = reseal(append([]byte(nil), data...), 0, magicBatch)
		}
		b, err := DecodeBatch(data)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrNewer) {
				t.Fatalf("unnamed error %v", err)
			}
			return
		}
		again, err := DecodeBatch(b.Encode())
		if err != nil || len(again.Records) != len(b.Records) {
			t.Fatalf("it does not read what it wrote: %v", err)
		}
		// Whatever a record says, replaying it must not panic.
		page := Blob{Version: 0, Data: (&Page{Folded: b.Seq - 1}).Encode()}
		if s, err := Replay(Loaded{Page: page, Runs: Blob{Version: -1}, Log: []Blob{{Seq: b.Seq, Data: data}}}, nil, Rules{}); err == nil {
			for _, uid := range s.UIDs() {
				s.View(uid)
				s.Runs(uid)
			}
		}
	})
}

func FuzzDecodePage(f *testing.F) {
	f.Add(samplePage().Encode())
	f.Add((&Page{}).Encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) >= 6 {
			data = reseal(append([]byte(nil), data...), 0, magicPage)
		}
		p, err := DecodePage(data)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrNewer) {
				t.Fatalf("unnamed error %v", err)
			}
			return
		}
		if _, err := DecodePage(p.Encode()); err != nil {
			t.Fatalf("it does not read what it wrote: %v", err)
		}
		if _, err := Replay(Loaded{Page: Blob{Data: data}, Runs: Blob{Version: -1}}, nil, Rules{}); err != nil {
			t.Fatal(err)
		}
	})
}
