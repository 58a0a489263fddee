package store

import (
	"testing"
	"time"
)

// Whatever lies in the store, reading it gives a sound record or an error.
func FuzzDecodeRecords(f *testing.F) {
	f.Add([]byte(`{"format":1,"epoch":3,"member":"a.1","edit":70,"edited":["a~b~c","@r"]}`))
	f.Add([]byte(`{"format":1,"id":"r","kind":"run","task":{"name":"x"},"uid":"1-a"}`))
	f.Add([]byte(`{"format":1,"id":"m","to":"mailto:a@b","raised":"2026-01-01T00:00:00Z"}`))
	f.Add([]byte(`{"format":2}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if n, err := decodeNode(data); err == nil {
			keys, ok := n.since(0)
			if n.Edit > MaxEdited && ok || len(keys) > MaxEdited {
				t.Fatalf("%d keys of %+v", len(keys), n)
			}
			if after := n.edited("m"); after.Edit != n.Edit+1 || !after.marked("m", n.Edit) || len(after.Edited) > MaxEdited {
				t.Fatalf("%+v edited is %+v", n, after)
			}
		}
		if r, err := decodeRequest(data, time.Unix(1, 0)); err == nil && (r.ID == "" || r.Asked.IsZero()) {
			t.Fatalf("let through %+v", r)
		}
		if m, err := decodeMessage(data); err == nil && (m.ID == "" || m.To == "") {
			t.Fatalf("let through %+v", m)
		}
	})
}
