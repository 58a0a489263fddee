package inbox

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/result"
	"github.com/seed42aab489/belfry/dataservice/source"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestEntryComesBack(t *testing.T) {
	t.Parallel()
	answer := &result.Recording{}
	if err := errors.Join(answer.Open(result.Name{Local: "r"}, false), answer.Close()); err != nil {
		t.Fatal(err)
	}
	for name, e := range map[string]Entry{
		"empty":  {},
		"answer": {Rows: 3, Answer: answer},
		"hits":   {Hits: [][]byte{[]byte("one"), {}, bytes.Repeat([]byte("x"), 300)}},
		"fault":  {Fault: &dataservice.Fault{Code: dataservice.DatabaseError, Kind: dataservice.FaultInput, Message: "no", Query: "q", Err: errors.New("secret")}},
	} {
		a, h, f, err := e.encode()
		if err != nil {
			t.Fatal(err)
		}
		fault, _ := f.(string)
		if strings.Contains(fault, "secret") {
			t.Errorf("%s: the cause is kept: %s", name, fault)
		}
		var back Entry
		if err := back.decode(e.state(), a, h, []byte(fault)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(back.Hits) != len(e.Hits) || (back.Answer == nil) != (e.Answer == nil) || (back.Fault == nil) != (e.Fault == nil) {
			t.Errorf("%s: %+v", name, back)
		}
		for i := range e.Hits {
			if !bytes.Equal(back.Hits[i], e.Hits[i]) {
				t.Errorf("%s: hit %d is %q", name, i, back.Hits[i])
			}
		}
		if f := back.Fault; f != nil && (f.Message != "no" || f.Kind != dataservice.FaultInput || f.Query != "q" || !errors.Is(f, ErrRecorded)) {
			t.Errorf("%s: %+v", name, f)
		}
	}
	big := &result.Recording{}
	if err := big.Leaf(result.Name{Local: "r"}, result.Value{Valid: true, Text: strings.Repeat("x", maxAnswer)}); err != nil {
		t.Fatal(err)
	}
	e := Entry{Answer: big}
	if a, _, _, err := e.encode(); err != nil || a != nil {
		t.Errorf("an answer of %d bytes is kept, %v", len(a), err)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for table, ok := range map[string]bool{"": true, "inbox": true, "app.inbox_2": true, "a b": false, "x;drop": false, "a.b.": false, "1a": false} {
		if _, err := New(Options{Table: table}, time.Now); (err == nil) != ok {
			t.Errorf("%q: %v", table, err)
		}
	}
}

// TestStatements holds the statements that the documentation shows.
func TestStatements(t *testing.T) {
	t.Parallel()
	for _, d := range []source.Dialect{source.SQLite, source.Postgres, source.MySQL} {
		s := newStatements(d, "app.belfry_inbox", true)
		lines := append([]string{}, s.create...)
		lines = append(lines, s.insert, s.horizon, s.update, s.load, s.raise, s.found, s.sweep)
		got := strings.Join(lines, ";\n") + ";\n"
		file := filepath.Join("testdata", string(d)+".sql")
		if *update {
			if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(file, []byte(got), 0o644)); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if want, err := os.ReadFile(file); err != nil || string(want) != got {
			t.Errorf("%s differs (-update writes it anew), %v:\n%s", file, err, got)
		}
	}
}

// FuzzEntry checks that no row of the inbox makes its reader fail badly.
func FuzzEntry(f *testing.F) {
	f.Add("done", []byte{1, 1, 0, 1, 'r', 0}, []byte{1, 1, 'h'}, []byte(`{"code":"X"}`))
	f.Fuzz(func(t *testing.T, state string, answer, hits, fault []byte) {
		var e Entry
		if err := e.decode(state, answer, hits, fault); err != nil {
			return
		}
		size := 0
		for _, h := range e.Hits {
			size += len(h) + 1
		}
		if size > len(hits) {
			t.Fatalf("%d bytes of hits out of %d", size, len(hits))
		}
	})
}
