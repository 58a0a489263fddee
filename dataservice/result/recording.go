package result

import (
	"encoding/binary"
	"errors"
)

// Recording is a Sink that keeps what it is told, so that it can be told again to
// another Sink, or kept in a database. Its zero value is empty and has no limit.
type Recording struct {
	// Limit is the greatest number of bytes it may hold; zero means none.
	Limit int64
	data  []byte
	depth int
}

// The first byte of an event.
const (
	recOpen = iota + 1
	recRepeated
	recList
	recAttribute
	recLeaf
	recClose
)

// recVersion begins the binary form.
const recVersion = 1

var errRecording = errors.New("recorded result: not understood")

// Open implements Sink.
func (r *Recording) Open(name Name, repeated bool) error {
	op := byte(recOpen)
	if repeated {
		op = recRepeated
	}
	r.depth++
	r.name(op, name)
	return r.check()
}

// List implements Lister.
func (r *Recording) List(name Name) error {
	r.name(recList, name)
	return r.check()
}

// Attribute implements Sink.
func (r *Recording) Attribute(name Name, v Value) error {
	r.name(recAttribute, name)
	r.value(v)
	return r.check()
}

// Leaf implements Sink.
func (r *Recording) Leaf(name Name, v Value) error {
	r.name(recLeaf, name)
	r.value(v)
	return r.check()
}

// Close implements Sink.
func (r *Recording) Close() error {
	if r.depth == 0 {
		return errNoElement
	}
	r.depth--
	r.data = append(r.data, recClose)
	return r.check()
}

// Empty tells whether nothing was recorded.
func (r *Recording) Empty() bool { return len(r.data) == 0 }

// Len is the number of bytes held.
func (r *Recording) Len() int { return len(r.data) }

func (r *Recording) check() error {
	if r.Limit > 0 && int64(len(r.data)) > r.Limit {
		return &LimitError{What: "bytes of result kept until the commit", Limit: r.Limit, Setting: "limits.held"}
	}
	return nil
}

func (r *Recording) name(op byte, n Name) {
	r.data = append(r.data, op)
	r.text(n.Space)
	r.text(n.Local)
}

func (r *Recording) value(v Value) {
	if !v.Valid {
		r.data = append(r.data, 0)
	} else {
		r.data = append(r.data, 1)
		r.text(v.Text)
	}
	r.text(v.Type)
}

func (r *Recording) text(s string) {
	r.data = binary.AppendUvarint(r.data, uint64(len(s)))
	r.data = append(r.data, s...)
}

// Append adds another result with the same root, so that both are one: what the
// root of the other holds follows what this one's holds. Both must be whole
// elements.
func (r *Recording) Append(other *Recording) error {
	d := decoder{rest: other.data}
	if len(d.rest) == 0 || len(r.data) == 0 || d.rest[0] != recOpen || r.data[len(r.data)-1] != recClose {
		return errRecording
	}
	d.rest = d.rest[1:]
	d.text()
	d.text()
	if d.err != nil {
		return d.err
	}
	r.data = append(r.data[:len(r.data)-1], d.rest...)
	return r.check()
}

// MarshalBinary gives a form that UnmarshalBinary understands, also in a later
// version.
func (r *Recording) MarshalBinary() ([]byte, error) {
	return append([]byte{recVersion}, r.data...), nil
}

// UnmarshalBinary takes what MarshalBinary gave, and refuses anything else.
func (r *Recording) UnmarshalBinary(b []byte) error {
	if len(b) == 0 || b[0] != recVersion {
		return errRecording
	}
	r.data = append([]byte(nil), b[1:]...)
	return r.Replay(&discard{})
}

// Replay tells the sink what was recorded.
func (r *Recording) Replay(s Sink) error {
	d := decoder{rest: r.data}
	for len(d.rest) > 0 && d.err == nil {
		if err := d.event(s); err != nil {
			return err
		}
	}
	return d.err
}

// decoder reads events; once it fails it stays failed.
type decoder struct {
	rest []byte
	err  error
}

func (d *decoder) event(s Sink) error {
	op := d.rest[0]
	d.rest = d.rest[1:]
	if op == recClose {
		return s.Close()
	}
	name := Name{Space: d.text(), Local: d.text()}
	var v Value
	if op == recAttribute || op == recLeaf {
		v = d.value()
	}
	if d.err != nil {
		return d.err
	}
	switch op {
	case recOpen, recRepeated:
		return s.Open(name, op == recRepeated)
	case recList:
		return List(s, name)
	case recAttribute:
		return s.Attribute(name, v)
	case recLeaf:
		return s.Leaf(name, v)
	}
	return errRecording
}

func (d *decoder) value() Value {
	if len(d.rest) == 0 || d.rest[0] > 1 {
		d.err = errRecording
		return Value{}
	}
	v := Value{Valid: d.rest[0] == 1}
	d.rest = d.rest[1:]
	if v.Valid {
		v.Text = d.text()
	}
	v.Type = d.text()
	return v
}

func (d *decoder) text() string {
	n, size := binary.Uvarint(d.rest)
	if size <= 0 || n > uint64(len(d.rest)-size) {
		d.err = errRecording
		return ""
	}
	s := string(d.rest[size : size+int(n)])
	d.rest = d.rest[size+int(n):]
	return s
}

// discard checks that a recording is whole.
type discard struct{ depth int }

func (d *discard) Open(Name, bool) error       { d.depth++; return nil }
func (d *discard) Attribute(Name, Value) error { return d.inside() }
func (d *discard) Leaf(Name, Value) error      { return nil }
func (d *discard) Close() error {
	if err := d.inside(); err != nil {
		return err
	}
	d.depth--
	return nil
}

func (d *discard) inside() error {
	if d.depth == 0 {
		return errRecording
	}
	return nil
}
