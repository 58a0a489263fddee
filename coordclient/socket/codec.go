package socket

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
)

// operation is what a request asks for.
type operation uint8

const (
	opGet operation = iota + 1
	opList
	opSync
	opCommit
	opMembers
	opSend
	opBroadcast
)

// String names the operation, as it stands in errors.
func (o operation) String() string {
	names := [...]string{"request", "get", "list", "sync", "commit", "members", "ask", "broadcast"}
	if int(o) < len(names) {
		return names[o]
	}
	return names[0]
}

// changes tells whether a request whose answer was lost may have done something.
func (o operation) changes() bool { return o == opCommit || o == opSend || o == opBroadcast }

// watched tells whether the reply ends with the number of a watch.
func (o operation) watched() bool { return o == opGet || o == opMembers }

// request is what a dialler asks. Which fields count depends on op.
type request struct {
	op   operation
	key  string // of get, list, sync; the member of send
	verb string
	body []byte
	ops  []coordclient.Op
}

func (r request) encode() []byte {
	b := encoder{byte(r.op)}
	switch r.op {
	case opGet, opList, opSync:
		b.string(r.key)
	case opCommit:
		b.uint(uint64(len(r.ops)))
		for _, op := range r.ops {
			b = append(b, byte(op.Kind))
			b.string(op.Key)
			b.bytes(op.Value)
			b.int(op.Version)
		}
	case opSend, opBroadcast:
		b.string(r.key)
		b.string(r.verb)
		b.bytes(r.body)
	}
	return b
}

func decodeRequest(payload []byte) (request, error) {
	d := decoder{b: payload}
	r := request{op: operation(d.byte())}
	switch r.op {
	case opGet, opList, opSync:
		r.key = d.string()
	case opCommit:
		n := d.count(4, coordclient.MaxOps)
		r.ops = make([]coordclient.Op, n)
		for i := range r.ops {
			r.ops[i] = coordclient.Op{Kind: coordclient.OpKind(d.byte()), Key: d.string(), Value: d.bytes(), Version: d.int()}
		}
	case opMembers:
	case opSend, opBroadcast:
		r.key, r.verb, r.body = d.string(), d.string(), d.bytes()
	default:
		return request{}, fmt.Errorf("%w: unknown operation %d", errProtocol, r.op)
	}
	return r, d.end()
}

// reply answers a request. Which fields count depends on its operation.
type reply struct {
	err     error
	entry   coordclient.Entry // its key is the request's
	names   []string
	members []coordclient.Member
	body    []byte
}

func (r reply) encode(op operation) []byte {
	var b encoder
	if b.error(r.err); r.err != nil {
		return b
	}
	switch op {
	case opGet:
		b.int(r.entry.Version)
		b.int(r.entry.Modified.UnixMilli())
		b.bytes(r.entry.Value)
	case opList:
		b.uint(uint64(len(r.names)))
		for _, name := range r.names {
			b.string(name)
		}
	case opMembers:
		b.uint(uint64(len(r.members)))
		for _, m := range r.members {
			b.string(string(m.ID))
			b.int(m.Joined.UnixMilli())
			b.bytes(m.Value)
		}
	case opSend:
		b.bytes(r.body)
	}
	return b
}

// decodeReply reads the reply to a request. The errors are the reply's own in
// r.err, and errProtocol.
func decodeReply(req request, payload []byte) (r reply, err error) {
	d := decoder{b: payload}
	if r.err = d.error(req); r.err != nil || d.bad {
		return r, d.end()
	}
	switch req.op {
	case opGet:
		r.entry = coordclient.Entry{Key: req.key, Version: d.int(), Modified: time.UnixMilli(d.int()).UTC(), Value: d.bytes()}
	case opList:
		if n := d.count(1, maxReply); n > 0 {
			r.names = make([]string, n)
		}
		for i := range r.names {
			r.names[i] = d.string()
		}
	case opMembers:
		r.members = make([]coordclient.Member, d.count(3, maxReply))
		for i := range r.members {
			r.members[i] = coordclient.Member{ID: coordclient.MemberID(d.string()), Joined: time.UnixMilli(d.int()).UTC(), Value: d.bytes()}
		}
	case opSend:
		r.body = d.bytes()
	}
	return r, d.end()
}

// encoder appends values.
type encoder []byte

func (b *encoder) uint(v uint64) { *b = binary.AppendUvarint(*b, v) }
func (b *encoder) int(v int64)   { *b = binary.AppendVarint(*b, v) }
func (b *encoder) bytes(v []byte) {
	b.uint(uint64(len(v)))
	*b = append(*b, v...)
}

func (b *encoder) string(v string) {
	b.uint(uint64(len(v)))
	*b = append(*b, v...)
}

// decoder takes them off again. After a fault it gives zero values, and end
// tells.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) byte() byte {
	if len(d.b) == 0 {
		d.bad = true
		return 0
	}
	v := d.b[0]
	d.b = d.b[1:]
	return v
}

func (d *decoder) uint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) int() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[n:]
	return v
}

// bytes gives a part of what is decoded, not a copy.
func (d *decoder) bytes() []byte {
	n := d.uint()
	if n > uint64(len(d.b)) {
		d.bad, d.b = true, nil
		return nil
	}
	v := d.b[:n:n]
	d.b = d.b[n:]
	return v
}

func (d *decoder) string() string { return string(d.bytes()) }

// count reads the length of a list whose items take at least size bytes each,
// so that a lie about it costs no memory.
func (d *decoder) count(size, limit int) int {
	n := d.uint()
	if n > uint64(limit) || n > uint64(len(d.b)/size) {
		d.bad, d.b = true, nil
		return 0
	}
	return int(n)
}

func (d *decoder) end() error {
	if d.bad || len(d.b) > 0 {
		return fmt.Errorf("%w: a message is garbled", errProtocol)
	}
	return nil
}
