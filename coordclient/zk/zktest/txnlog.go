package zktest

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
)

// Commit is a transaction that was applied, as the servers have logged it. It is
// what happened, whatever clients were told.
type Commit struct {
	Zxid    int64
	Session int64
	// At is when it was proposed, by the leader's clock, in whole milliseconds.
	At time.Time
	// Changes are all that it did; none if it opened or closed a session.
	Changes []Change
}

// Change is one operation of a commit. A check that held is one too.
type Change struct {
	Kind      coordclient.OpKind
	Path      string
	Data      []byte
	Ephemeral bool // a create's
}

// Ops gives the changes to the keys below a root, in the words of coordclient.
func (c Commit) Ops(root string) []coordclient.Op {
	var ops []coordclient.Op
	for _, change := range c.Changes {
		below, ok := strings.CutPrefix(change.Path, root+"/keys/")
		if !ok {
			continue
		}
		parts := strings.Split(below, "/")
		for i, part := range parts[:len(parts)-1] {
			parts[i] = strings.TrimSuffix(part, "+")
		}
		if strings.HasSuffix(parts[len(parts)-1], "+") {
			continue // a folder
		}
		key, err := url.PathUnescape("/" + strings.Join(parts, "/"))
		if err != nil {
			continue // not one of ours
		}
		ops = append(ops, coordclient.Op{Kind: change.Kind, Key: key, Value: change.Data})
	}
	return ops
}

// History reads the transaction logs of all servers, and gives what was applied,
// in order: what a majority has logged. Call it when the ensemble is whole.
func (e Ensemble) History(tb testing.TB) []Commit {
	tb.Helper()
	logged := make(map[int64]int)
	commits := make(map[int64]Commit)
	for _, s := range e {
		files, err := filepath.Glob(filepath.Join(s.dir, "data", "version-2", "log.*"))
		if err != nil || len(files) == 0 {
			tb.Fatalf("ZooKeeper %s has no transaction log: %v", s.Address, err)
		}
		mine := make(map[int64]bool)
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err == nil {
				err = readLog(text, func(c Commit) {
					mine[c.Zxid] = true
					commits[c.Zxid] = c
				})
			}
			if err != nil {
				tb.Fatalf("%s: %v", file, err)
			}
		}
		for zxid := range mine {
			logged[zxid]++
		}
	}
	var history []Commit
	for zxid, n := range logged {
		if n > len(e)/2 {
			history = append(history, commits[zxid])
		}
	}
	slices.SortFunc(history, func(a, b Commit) int { return cmp.Compare(a.Zxid, b.Zxid) })
	return history
}

// The numbers of ZooKeeper's transaction log (FileTxnLog, ZooDefs.OpCode).
const (
	logMagic  = 0x5a4b4c47 // "ZKLG"
	logHeader = 16
	endOfTxn  = 'B'

	txnCreate    = 1
	txnDelete    = 2
	txnSet       = 5
	txnCheck     = 13
	txnMulti     = 14
	txnCreate2   = 15
	txnContainer = 19
	txnRemove    = 20
	txnTTL       = 21
	txnError     = -1
)

var errTxnLog = errors.New("no transaction log as ZooKeeper 3.8 writes it")

// readLog gives each transaction that was applied. The end is where the file was
// filled with zeros, or where a server was killed while it wrote.
func readLog(text []byte, give func(Commit)) error {
	if len(text) == 0 {
		return nil
	}
	if len(text) < logHeader || binary.BigEndian.Uint32(text) != logMagic {
		return errTxnLog
	}
	r := &wire{rest: text[logHeader:]}
	for {
		r.long() // a checksum
		entry := r.buffer()
		if r.failed || len(entry) == 0 || r.byte() != endOfTxn {
			return nil
		}
		c, applied, err := readTxn(entry)
		if err != nil {
			return err
		}
		if applied {
			give(c)
		}
	}
}

func readTxn(entry []byte) (Commit, bool, error) {
	r := &wire{rest: entry}
	c := Commit{Session: r.long()}
	r.int() // the client's own number
	c.Zxid = r.long()
	c.At = time.UnixMilli(r.long())
	kind := r.int()
	changes, applied := readChanges(kind, r)
	if r.failed {
		return c, false, fmt.Errorf("%w: transaction %x of kind %d", errTxnLog, c.Zxid, kind)
	}
	c.Changes = changes
	return c, applied, nil
}

// readChanges reads the body of a transaction; false: it failed, and changed
// nothing.
func readChanges(kind int32, r *wire) ([]Change, bool) {
	switch kind {
	case txnError:
		return nil, false
	case txnMulti:
		var all []Change
		for range r.int() {
			kind := r.int()
			body := &wire{rest: r.buffer()}
			changes, applied := readChanges(kind, body)
			r.failed = r.failed || body.failed
			if !applied || r.failed {
				return nil, false
			}
			all = append(all, changes...)
		}
		return all, true
	case txnCreate, txnCreate2:
		c := Change{Kind: coordclient.OpCreate, Path: r.text(), Data: r.buffer()}
		for range r.int() { // who may do what
			r.int()
			r.buffer()
			r.buffer()
		}
		c.Ephemeral = r.byte() != 0
		return []Change{c}, true
	case txnContainer, txnTTL:
		return []Change{{Kind: coordclient.OpCreate, Path: r.text(), Data: r.buffer()}}, true
	case txnDelete, txnRemove:
		return []Change{{Kind: coordclient.OpDelete, Path: r.text()}}, true
	case txnSet:
		return []Change{{Kind: coordclient.OpSet, Path: r.text(), Data: r.buffer()}}, true
	case txnCheck:
		return []Change{{Kind: coordclient.OpCheck, Path: r.text()}}, true
	}
	return nil, true
}

// wire reads what Jute, ZooKeeper's serialisation, has written.
type wire struct {
	rest   []byte
	failed bool // there was less than was asked for; all that was read since is zero
}

func (w *wire) take(n int) []byte {
	if w.failed || n < 0 || n > len(w.rest) {
		w.failed = true
		return make([]byte, 8)
	}
	taken := w.rest[:n]
	w.rest = w.rest[n:]
	return taken
}

func (w *wire) byte() byte { return w.take(1)[0] }

func (w *wire) int() int32 { return int32(binary.BigEndian.Uint32(w.take(4))) } //nolint:gosec // as it was written

func (w *wire) long() int64 { return int64(binary.BigEndian.Uint64(w.take(8))) } //nolint:gosec // as it was written

// buffer reads bytes; none, if there are none or not even a length.
func (w *wire) buffer() []byte {
	n := w.int()
	if n <= 0 || w.failed {
		return nil
	}
	b := w.take(int(n))
	if w.failed {
		return nil
	}
	return bytes.Clone(b)
}

func (w *wire) text() string { return string(w.buffer()) }
