package socket

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
)

// TestErrorsCross holds the table both ways: what the host returns is to the
// companion the same error, with the same words.
func TestErrorsCross(t *testing.T) {
	t.Parallel()
	req := request{op: opCommit, ops: []coordclient.Op{coordclient.Create("/a", nil), coordclient.Set("/b", nil, 3)}}
	all := []error{
		coordclient.ErrNotFound, coordclient.ErrConflict, coordclient.ErrExists, coordclient.ErrUnavailable,
		coordclient.ErrUnknownOutcome, coordclient.ErrTooLarge, coordclient.ErrNotMember, coordclient.ErrNoSuchVerb, coordclient.ErrInvalidKey,
	}
	if len(all) != len(sentinels) {
		t.Errorf("the table has %d errors, this test %d", len(sentinels), len(all))
	}
	for i, want := range all {
		far := cross(t, req, fmt.Errorf("commit: %w", want))
		for j, other := range all {
			if errors.Is(far, other) != (i == j) {
				t.Errorf("%v came as %v", want, far)
			}
		}
		if far.Error() != "commit: "+want.Error() {
			t.Errorf("%v came with the words %q", want, far)
		}
		var ce *coordclient.CommitError
		far = cross(t, req, fmt.Errorf("commit: %w", &coordclient.CommitError{Index: 1, Op: req.ops[1], Err: want}))
		if !errors.As(far, &ce) || ce.Index != 1 || ce.Op.Key != "/b" || !errors.Is(far, want) {
			t.Errorf("a *CommitError with %v came as %v", want, far)
		}
		if got := far.Error(); got != "set /b: "+want.Error() {
			t.Errorf("a *CommitError with %v came with the words %q", want, got)
		}
	}
	far := cross(t, req, fmt.Errorf("ask: %w", &coordclient.RemoteError{Code: "c", Message: "m"}))
	var remote *coordclient.RemoteError
	if !errors.As(far, &remote) || remote.Code != "c" || remote.Message != "m" {
		t.Errorf("a *RemoteError came as %v", far)
	}
	far = cross(t, req, errors.New("something else"))
	for _, other := range all {
		if errors.Is(far, other) || far.Error() != "something else" {
			t.Errorf("an error of none of these came as %v", far)
		}
	}
	if far := cross(t, req, nil); far != nil {
		t.Errorf("no error came as %v", far)
	}
	both := fmt.Errorf("%w: %w", coordclient.ErrUnavailable, coordclient.ErrUnknownOutcome)
	if far := cross(t, req, both); !errors.Is(far, coordclient.ErrUnknownOutcome) {
		t.Errorf("of two the graver one must come, and not %v", far)
	}
}

func cross(t *testing.T, req request, err error) error {
	t.Helper()
	r, derr := decodeReply(req, reply{err: err}.encode(req.op))
	if derr != nil {
		t.Fatalf("%v: %v", err, derr)
	}
	return r.err
}

func TestMessagesCross(t *testing.T) {
	t.Parallel()
	requests := []request{
		{op: opGet, key: "/a"},
		{op: opList, key: "/"},
		{op: opSync, key: "/ä"},
		{op: opCommit, ops: []coordclient.Op{}},
		{op: opCommit, ops: []coordclient.Op{
			{Kind: coordclient.OpCreate, Key: "/a", Value: []byte("v")},
			{Kind: coordclient.OpSet, Key: "/b", Value: []byte{}, Version: 7},
			{Kind: coordclient.OpDelete, Key: "/c", Value: []byte{}, Version: coordclient.AnyVersion},
			{Kind: coordclient.OpCheckMember, Key: "n.00", Value: []byte{}},
		}},
		{op: opMembers},
		{op: opSend, key: "n.00", verb: "v", body: []byte("b")},
		{op: opBroadcast, verb: "v", body: []byte{}},
	}
	for _, want := range requests {
		got, err := decodeRequest(want.encode())
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v came as %+v, %v", want, got, err)
		}
	}
	at := time.UnixMilli(1_234_567_890_123).UTC()
	for _, c := range []struct {
		req  request
		want reply
	}{
		{requests[0], reply{entry: coordclient.Entry{Key: "/a", Value: []byte("v"), Version: 3, Modified: at}}},
		{requests[1], reply{}},
		{requests[1], reply{names: []string{"a", "b", ""}}},
		{requests[2], reply{}},
		{requests[5], reply{members: []coordclient.Member{{ID: "n.00", Joined: at, Value: []byte("{}")}}}},
		{requests[6], reply{body: []byte("b")}},
	} {
		got, err := decodeReply(c.req, c.want.encode(c.req.op))
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v came as %+v, %v", c.req.op, c.want, got, err)
		}
	}
}

func TestFramesMix(t *testing.T) {
	t.Parallel()
	large, other := bytes.Repeat([]byte("l"), 3*maxPayload), bytes.Repeat([]byte("o"), maxPayload)
	var wire []byte
	for i := 0; i < len(large); i += maxPayload {
		last := i+maxPayload == len(large)
		wire = appendFrame(wire, frame{kind: kindReply, stream: 1, more: !last, payload: large[i : i+maxPayload]})
		wire = appendFrame(wire, frame{kind: kindReply, stream: 2, more: !last, payload: other[:maxPayload/3]})
		wire = appendFrame(wire, frame{kind: kindChanged, stream: uint32(i)})
	}
	r, a := bytes.NewReader(wire), assembler{limit: maxReply}
	got := map[uint32]int{}
	changed := 0
	for {
		f, err := readFrame(r)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		m, whole, err := a.add(f)
		switch {
		case err != nil:
			t.Fatal(err)
		case whole && m.kind == kindChanged:
			changed++
		case whole:
			got[m.stream] = len(m.payload)
		}
	}
	want := map[uint32]int{1: len(large), 2: 3 * (maxPayload / 3)}
	if !reflect.DeepEqual(got, want) || changed != 3 || len(a.partial) != 0 || a.total != 0 {
		t.Errorf("got %v and %d changes, want %v and 3; left: %d messages, %d bytes", got, changed, want, len(a.partial), a.total)
	}
}

func TestAssemblerIsBounded(t *testing.T) {
	t.Parallel()
	part := make([]byte, maxPayload)
	a := assembler{limit: 2 * maxPayload}
	var err error
	for n := 0; err == nil && n < 4; n++ {
		_, _, err = a.add(frame{kind: kindRequest, stream: 1, more: true, payload: part})
	}
	if !errors.Is(err, errProtocol) {
		t.Errorf("a message without end: %v, want errProtocol", err)
	}
	a, err = assembler{limit: maxReply}, nil
	for n := uint32(0); err == nil && n < 2*maxPartial/maxPayload; n++ {
		_, _, err = a.add(frame{kind: kindRequest, stream: n, more: true, payload: part})
	}
	if !errors.Is(err, errProtocol) || a.total > maxPartial+maxPayload {
		t.Errorf("messages without number: %v with %d bytes, want errProtocol", err, a.total)
	}
	a = assembler{limit: maxReply}
	if _, _, err := a.add(frame{kind: kindRequest, more: true}); !errors.Is(err, errProtocol) {
		t.Errorf("an empty part: %v, want errProtocol", err)
	}
	_, _, _ = a.add(frame{kind: kindRequest, stream: 9, more: true, payload: part})
	if _, _, err := a.add(frame{kind: kindCancel, stream: 9}); !errors.Is(err, errProtocol) {
		t.Errorf("a message that changes its kind: %v, want errProtocol", err)
	}
}

// FuzzWire reads anything as frames, and what they carry as every message.
func FuzzWire(f *testing.F) {
	for _, r := range []request{
		{op: opGet, key: "/a"},
		{op: opCommit, ops: []coordclient.Op{coordclient.Create("/a", []byte("v")), coordclient.Set("/b", nil, 3)}},
		{op: opSend, key: "n", verb: "v", body: []byte("b")},
	} {
		f.Add(appendFrame(nil, frame{kind: kindRequest, stream: 1, payload: r.encode()}))
	}
	f.Add(appendFrame(nil, frame{kind: kindReply, stream: 1, more: true, payload: reply{names: []string{"a"}}.encode(opList)}))
	f.Add(appendFrame(nil, frame{kind: kindReply, payload: reply{err: &coordclient.CommitError{Index: 1, Err: coordclient.ErrConflict}}.encode(opCommit)}))
	f.Add([]byte(strings.Repeat("\x00", headerSize)))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, a := bytes.NewReader(text), assembler{limit: maxRequest}
		for {
			in, err := readFrame(r)
			if err != nil {
				return
			}
			if len(in.payload) > maxPayload {
				t.Fatalf("a frame of %d bytes", len(in.payload))
			}
			m, whole, err := a.add(in)
			if err != nil {
				return
			}
			if whole {
				fuzzMessage(t, m.payload)
			}
		}
	})
}

func fuzzMessage(t *testing.T, payload []byte) {
	t.Helper()
	if req, err := decodeRequest(payload); err == nil {
		again, err := decodeRequest(req.encode())
		if err != nil || !reflect.DeepEqual(req, again) {
			t.Fatalf("%+v became %+v, %v", req, again, err)
		}
	}
	ops := []coordclient.Op{coordclient.Create("/a", nil), coordclient.Create("/b", nil)}
	for op := opGet; op <= opBroadcast; op++ {
		a, _, err := decodeAnswer(request{op: op, ops: ops}, payload)
		var ce *coordclient.CommitError
		if err == nil && errors.As(a.err, &ce) && ce.Index >= len(ops) {
			t.Fatalf("%s: %v names operation %d of %d", op, a.err, ce.Index, len(ops))
		}
	}
}
