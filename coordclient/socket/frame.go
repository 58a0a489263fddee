package socket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Bounds of the wire.
const (
	maxPayload = 256 << 10 // of one frame
	headerSize = 9
	// maxReply bounds a reply put together, whose largest is a long list.
	maxReply = 64 << 20
	// maxPartial bounds the bytes of all messages not yet complete.
	maxPartial = 128 << 20
)

// kind is what a frame is for.
type kind uint8

const (
	kindRequest kind = iota + 1
	kindCancel
	kindReply
	kindChanged
	kindState
	kindLast = kindState

	more = 0x80 // another frame of the message follows
)

// errProtocol: the other side does not speak the protocol.
var errProtocol = errors.New("protocol violated")

// frame is one frame, or a message put together of several.
type frame struct {
	kind    kind
	more    bool
	stream  uint32
	payload []byte
}

// appendFrame puts a frame on the wire.
func appendFrame(b []byte, f frame) []byte {
	k := byte(f.kind)
	if f.more {
		k |= more
	}
	b = binary.BigEndian.AppendUint32(b, uint32(len(f.payload)))
	b = binary.BigEndian.AppendUint32(b, f.stream)
	b = append(b, k)
	return append(b, f.payload...)
}

// readFrame takes a frame off the wire. io.EOF only between frames.
func readFrame(r io.Reader) (frame, error) {
	var head [headerSize]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return frame{}, err
	}
	f := frame{
		stream: binary.BigEndian.Uint32(head[4:]),
		kind:   kind(head[8] &^ more),
		more:   head[8]&more != 0,
	}
	size := binary.BigEndian.Uint32(head[:])
	if size > maxPayload {
		return frame{}, fmt.Errorf("%w: frame of %d bytes, the limit is %d", errProtocol, size, maxPayload)
	}
	if f.kind < kindRequest || f.kind > kindLast {
		return frame{}, fmt.Errorf("%w: unknown kind of frame %d", errProtocol, f.kind)
	}
	f.payload = make([]byte, size)
	if _, err := io.ReadFull(r, f.payload); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return frame{}, err
	}
	return f, nil
}

// assembler puts messages together. The zero value is ready.
type assembler struct {
	limit   int // of one message
	partial map[uint32]frame
	total   int
}

// add takes a frame and tells whether it completed a message.
func (a *assembler) add(f frame) (frame, bool, error) {
	begun, ok := a.partial[f.stream]
	if !ok && !f.more {
		if len(f.payload) > a.limit {
			return frame{}, false, a.tooLong(len(f.payload))
		}
		return f, true, nil
	}
	if ok && begun.kind != f.kind {
		return frame{}, false, fmt.Errorf("%w: a message of kind %d goes on with kind %d", errProtocol, begun.kind, f.kind)
	}
	if f.more && len(f.payload) == 0 {
		return frame{}, false, fmt.Errorf("%w: an empty frame with more to come", errProtocol)
	}
	whole := frame{kind: f.kind, stream: f.stream, payload: append(begun.payload, f.payload...)}
	a.total += len(f.payload)
	if len(whole.payload) > a.limit || a.total > maxPartial {
		return frame{}, false, a.tooLong(len(whole.payload))
	}
	if !f.more {
		delete(a.partial, f.stream)
		a.total -= len(whole.payload)
		return whole, true, nil
	}
	if a.partial == nil {
		a.partial = make(map[uint32]frame)
	}
	a.partial[f.stream] = whole
	return frame{}, false, nil
}

func (a *assembler) tooLong(n int) error {
	return fmt.Errorf("%w: message of %d bytes, the limit is %d", errProtocol, n, a.limit)
}

// The hello.
const (
	magic     = "BELFRY"
	version   = 1
	helloSize = len(magic) + 2
)

func hello(version uint16) []byte {
	return binary.BigEndian.AppendUint16([]byte(magic), version)
}

// readHello gives the version that the other side speaks.
func readHello(r io.Reader) (uint16, error) {
	var b [helloSize]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return 0, fmt.Errorf("hello: %w", err)
	}
	if string(b[:len(magic)]) != magic {
		return 0, fmt.Errorf("hello: %w: it is not a Belfry host or companion", errProtocol)
	}
	return binary.BigEndian.Uint16(b[len(magic):]), nil
}
