package inbox

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/result"
)

// The states of an inbox's row. Open is only ever seen inside the transaction.
const (
	stateOpen   = "open"
	stateDone   = "done"
	stateFailed = "failed"
)

// maxAnswer bounds the answer that is kept in the inbox, in bytes. A larger one is
// not kept: a repeated firing is then answered without a result.
const maxAnswer = 256 << 10

// Entry is the recorded outcome of a firing.
type Entry struct {
	Rows   int64
	Answer *result.Recording // nil: none
	Hits   [][]byte
	Fault  *dataservice.Fault // nil: it succeeded
}

func (e *Entry) state() string {
	if e.Fault != nil {
		return stateFailed
	}
	return stateDone
}

// storedFault is a fault as the inbox keeps it.
type storedFault struct {
	Code    dataservice.FaultCode `json:"code"`
	Kind    dataservice.FaultKind `json:"kind"`
	Message string                `json:"message"`
	Query   string                `json:"query,omitempty"`
}

const entryVersion = 1

var errEntry = errors.New("inbox: a row is not understood")

func (e *Entry) encode() (answer, hits []byte, fault any, err error) {
	if e.Answer != nil && !e.Answer.Empty() && e.Answer.Len() <= maxAnswer {
		if answer, err = e.Answer.MarshalBinary(); err != nil {
			return nil, nil, nil, err
		}
	}
	if len(e.Hits) > 0 {
		hits = []byte{entryVersion}
		for _, h := range e.Hits {
			hits = binary.AppendUvarint(hits, uint64(len(h)))
			hits = append(hits, h...)
		}
	}
	if e.Fault != nil {
		f := storedFault{Code: e.Fault.Code, Kind: e.Fault.Kind, Message: e.Fault.Message, Query: e.Fault.Query}
		b, err := json.Marshal(f)
		if err != nil {
			return nil, nil, nil, err
		}
		fault = string(b)
	}
	return answer, hits, fault, nil
}

func (e *Entry) decode(state string, answer, hits, fault []byte) error {
	if len(answer) > 0 {
		e.Answer = &result.Recording{}
		if err := e.Answer.UnmarshalBinary(answer); err != nil {
			return fmt.Errorf("inbox: %w", err)
		}
	}
	if len(hits) > 0 && hits[0] != entryVersion {
		return errEntry
	}
	for len(hits) > 1 {
		n, size := binary.Uvarint(hits[1:])
		if size <= 0 || n > uint64(len(hits)-1-size) {
			return errEntry
		}
		e.Hits = append(e.Hits, hits[1+size:1+size+int(n)])
		hits = hits[size+int(n):] // its first byte stands for the version
	}
	if len(fault) > 0 {
		var f storedFault
		if err := json.Unmarshal(fault, &f); err != nil {
			return errEntry
		}
		e.Fault = &dataservice.Fault{Code: f.Code, Kind: f.Kind, Message: f.Message, Query: f.Query, Final: true, Err: ErrRecorded}
	}
	if state != e.state() {
		return errEntry
	}
	return nil
}
