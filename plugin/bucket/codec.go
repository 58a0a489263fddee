package bucket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/seed42aab489/belfry/plugin/task"
)

// The errors of reading what is stored, and of folding it. Test with errors.Is.
var (
	// ErrCorrupt: stored bytes are not what was written. Nothing was read of them.
	ErrCorrupt = errors.New("stored state is corrupt")
	// ErrNewer: stored bytes were written by a later version.
	ErrNewer = errors.New("stored state was written by a newer version")
	// ErrGap: the log after the page is not contiguous.
	ErrGap = errors.New("claim log has a gap")
	// ErrTooLarge: a page would not fit one commit.
	ErrTooLarge = errors.New("bucket has too many tasks for one page")
)

// Every stored value begins with its magic letter and the format's number, and
// ends with the CRC-32C of all before. A value is written in the lowest format
// that can say it, so that hosts of an earlier version read all that they know.
const (
	formatFirst    = 1
	formatReplies  = 2 // the outcome WAITING; the values of replies
	formatMoves    = 3 // GIVE and ADOPT
	formatInputs   = 4 // the input of a firing
	formatRefusals = 5 // runs that the host's own rules refused
	formatVersion  = formatRefusals
	magicBatch     = 'B'
	magicPage      = 'P'
	magicRuns      = 'R'
	magicParcel    = 'C'
)

// maxText is the longest string that is stored: a uid, a hash, a name.
const maxText = 4096

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// encoder appends to b. Strings are written once, and then by their number.
type encoder struct {
	b     []byte
	texts map[string]uint64
}

func newEncoder(magic byte, size int) *encoder {
	e := &encoder{b: make([]byte, 0, size), texts: make(map[string]uint64)}
	e.b = append(e.b, magic, formatFirst)
	return e
}

// needs raises the format in which the value is written.
func (e *encoder) needs(format byte) { e.b[1] = max(e.b[1], format) }

func (e *encoder) uint(v uint64) { e.b = binary.AppendUvarint(e.b, v) }
func (e *encoder) int(v int64)   { e.b = binary.AppendVarint(e.b, v) }

func (e *encoder) text(s string) {
	n, known := e.texts[s]
	if known {
		e.uint(n)
		return
	}
	n = uint64(len(e.texts))
	e.texts[s] = n
	e.uint(n)
	e.uint(uint64(len(s)))
	e.b = append(e.b, s...)
}

func (e *encoder) done() []byte {
	return binary.LittleEndian.AppendUint32(e.b, crc32.Checksum(e.b, castagnoli))
}

// decoder reads what encoder wrote. The first fault sticks; from then on all
// reads give zero.
type decoder struct {
	b      []byte
	format byte
	texts  []string
	err    error
}

func newDecoder(magic byte, data []byte) *decoder {
	d := &decoder{}
	if len(data) < 6 || data[0] != magic {
		d.fail("no %q header", string(magic))
		return d
	}
	body, sum := data[:len(data)-4], binary.LittleEndian.Uint32(data[len(data)-4:])
	if crc32.Checksum(body, castagnoli) != sum {
		d.fail("checksum differs")
		return d
	}
	switch {
	case body[1] > formatVersion:
		d.err = fmt.Errorf("%w: format %d", ErrNewer, body[1])
		return d
	case body[1] < formatFirst:
		d.fail("format %d", body[1])
		return d
	}
	d.format, d.b = body[1], body[2:]
	return d
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
		d.b = nil
	}
}

func (d *decoder) uint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail("number cut short")
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) int() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail("number cut short")
		return 0
	}
	d.b = d.b[n:]
	return v
}

// small reads a number that fits an int and is not above limit.
func (d *decoder) small(limit uint64) int {
	v := d.uint()
	if v > limit {
		d.fail("number %d above %d", v, limit)
		return 0
	}
	return int(v)
}

// count reads how many things follow, each of at least one byte.
func (d *decoder) count() int { return d.small(uint64(len(d.b))) }

func (d *decoder) text() string {
	n := d.uint()
	switch {
	case d.err != nil:
		return ""
	case n < uint64(len(d.texts)):
		return d.texts[n]
	case n > uint64(len(d.texts)):
		d.fail("text %d of %d", n, len(d.texts))
		return ""
	}
	size := d.small(maxText)
	if size > len(d.b) {
		d.fail("text cut short")
		return ""
	}
	s := string(d.b[:size])
	d.b = d.b[size:]
	d.texts = append(d.texts, s)
	return s
}

// bytes reads a number of bytes and so many.
func (d *decoder) bytes(limit uint64) []byte {
	n := d.small(limit)
	if n > len(d.b) {
		d.fail("bytes cut short")
		return nil
	}
	b := slices.Clone(d.b[:n])
	d.b = d.b[n:]
	return b
}

func (d *decoder) end() error {
	if d.err == nil && len(d.b) > 0 {
		d.fail("%d bytes too many", len(d.b))
	}
	return d.err
}

// The stored numbers of words. Their order may only grow.
var (
	outcomes = []task.Outcome{
		"", task.Running, task.OK, task.Failed, task.TimedOut, task.Interrupted,
		task.Unknown, task.Skipped, task.Cancelled, task.Waiting,
	}
	reasons = []task.Reason{
		"", task.ReasonOverlap, task.ReasonPaused, task.ReasonWindow, task.ReasonMissed,
		task.ReasonDeleted, task.ReasonRefused, task.ReasonQueued, task.ReasonPast, task.ReasonCatchUp,
		task.ReasonReplaced, task.ReasonBackoff, task.ReasonEgress,
	}
	deliveries = []task.Delivery{"", task.AtMostOnce, task.AtLeastOnce, task.EffectivelyOnce}
)

func codeOf[W comparable](words []W, w W) uint8 {
	for i, x := range words {
		if x == w {
			return uint8(i)
		}
	}
	return 0
}

func wordOf[W comparable](d *decoder, words []W) W {
	n := d.small(uint64(len(words) - 1))
	return words[n]
}
