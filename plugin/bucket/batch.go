package bucket

import (
	"fmt"

	"github.com/seed42aab489/belfry/plugin/task"
)

// The bits that say which fields of a record follow.
const (
	hasManual = 1 << iota
	hasRange
	hasError
	isFinal
	isNotSent
	isOpen
	hasRows
	hasRetry
	hasValue  // since formatReplies
	hasInput  // since formatInputs
	isRefused // since formatRefusals
)

// Encode writes the batch in its stored form.
func (b *Batch) Encode() []byte {
	e := newEncoder(magicBatch, 64+48*len(b.Records))
	e.int(b.Epoch)
	e.int(b.Seq)
	e.int(b.Op)
	e.int(b.Time)
	e.text(b.Node)
	e.uint(uint64(len(b.Records)))
	for i := range b.Records {
		b.Records[i].encode(e, b.Time)
	}
	return e.done()
}

// DecodeBatch reads a stored batch. Errors: ErrCorrupt, ErrNewer.
func DecodeBatch(data []byte) (*Batch, error) {
	d := newDecoder(magicBatch, data)
	b := &Batch{Epoch: d.int(), Seq: d.int(), Op: d.int(), Time: d.int(), Node: d.text()}
	n := d.count()
	if n > MaxRecords {
		d.fail("%d records", n)
		n = 0
	}
	b.Records = make([]Record, 0, n)
	for range n {
		var r Record
		r.decode(d, b.Time)
		if d.err != nil {
			break
		}
		b.Records = append(b.Records, r)
	}
	if err := d.end(); err != nil {
		return nil, fmt.Errorf("batch: %w", err)
	}
	return b, nil
}

func flag(on bool, bit uint64) uint64 {
	if on {
		return bit
	}
	return 0
}

// encode writes times relative to the batch's, which makes them short.
func (r *Record) encode(e *encoder, base int64) {
	e.b = append(e.b, byte(r.Kind))
	e.text(r.UID)
	flags := flag(r.Manual != "", hasManual) | flag(r.Until != 0, hasRange) | flag(r.Error != "", hasError) |
		flag(r.Final, isFinal) | flag(r.NotSent, isNotSent) | flag(r.Open, isOpen) | flag(r.Rows != 0, hasRows) |
		flag(r.RetryAt != 0, hasRetry) | flag(r.Value != "", hasValue) | flag(r.Input != "", hasInput) | flag(r.Refused, isRefused)
	if r.Value != "" || r.Outcome == task.Waiting {
		e.needs(formatReplies)
	}
	if r.Input != "" {
		e.needs(formatInputs)
	}
	if r.Refused {
		e.needs(formatRefusals)
	}
	if r.Kind == Give || r.Kind == Adopt {
		e.needs(formatMoves)
	}
	e.uint(flags)
	e.int(r.At - base)
	if r.Manual != "" {
		e.text(r.Manual)
	}
	switch r.Kind {
	case Claim, Reclaim:
		e.uint(uint64(r.Attempt))
		e.int(r.Revision)
		e.uint(r.Meaning)
		e.text(r.Hash)
		e.b = append(e.b, codeOf(deliveries, r.Delivery))
	case Settle:
		e.uint(uint64(r.Attempt))
		e.int(r.Start)
		e.int(r.End - base)
		e.b = append(e.b, codeOf(outcomes, r.Outcome))
	case Skip:
		e.uint(uint64(r.Count))
	case Defer, Alerted:
		e.int(r.Start)
	case Adopt:
		e.uint(uint64(len(r.Parcel)))
		e.b = append(e.b, r.Parcel...)
	}
	if r.Kind == Skip || r.Kind == Defer {
		e.b = append(e.b, codeOf(reasons, r.Reason))
	}
	if flags&hasRange != 0 {
		e.int(r.Until)
	}
	if flags&hasError != 0 {
		e.text(bounded(r.Error))
	}
	if flags&hasRows != 0 {
		e.int(r.Rows)
	}
	if flags&hasRetry != 0 {
		e.int(r.RetryAt)
	}
	if flags&hasValue != 0 {
		e.text(r.Value)
	}
	if flags&hasInput != 0 {
		e.text(string(r.Input))
	}
}

func (r *Record) decode(d *decoder, base int64) {
	r.Kind = Kind(d.small(uint64(Adopt)))
	r.UID = d.text()
	flags := d.uint()
	r.At = d.int() + base
	r.Final, r.NotSent, r.Open, r.Refused = flags&isFinal != 0, flags&isNotSent != 0, flags&isOpen != 0, flags&isRefused != 0
	if flags&hasManual != 0 {
		r.Manual = d.text()
	}
	switch r.Kind {
	case Claim, Reclaim:
		r.Attempt = d.small(maxAttempts)
		r.Revision = d.int()
		r.Meaning = d.uint()
		r.Hash = d.text()
		r.Delivery = wordOf(d, deliveries)
	case Settle:
		r.Attempt = d.small(maxAttempts)
		r.Start = d.int()
		r.End = d.int() + base
		r.Outcome = wordOf(d, outcomes)
	case Skip:
		r.Count = d.small(MaxCount)
	case Defer, Alerted:
		r.Start = d.int()
	case Adopt:
		r.Parcel = d.bytes(MaxParcel)
	case Forget, Give:
	default:
		d.fail("record of %s", r.Kind)
	}
	if r.Kind == Skip || r.Kind == Defer {
		r.Reason = wordOf(d, reasons)
	}
	if flags&hasRange != 0 {
		r.Until = d.int()
	}
	if flags&hasError != 0 {
		r.Error = d.text()
	}
	if flags&hasRows != 0 {
		r.Rows = d.int()
	}
	if flags&hasRetry != 0 {
		r.RetryAt = d.int()
	}
	if flags&hasValue != 0 {
		r.Value = d.text()
	}
	if flags&hasInput != 0 {
		r.Input = task.Input(d.text())
	}
}
