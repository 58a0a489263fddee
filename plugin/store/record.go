package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Format is the number of the record formats that this package writes and the
// highest that it reads.
const Format = 1

// Bounds of records in bytes.
const (
	MaxDefinition = 64 << 10
	// maxCarried is how much longer one is while its task's state travels.
	maxCarried = bucket.MaxParcel*4/3 + 64
	// MaxRequest holds a reply's value, each byte of it escaped.
	MaxRequest = 32 << 10
	// MaxMessage leaves room in a commit for the state of a trigger.
	MaxMessage = 480 << 10
)

// CorruptError is a record that cannot be read. It harms nothing but itself.
type CorruptError struct {
	Key string
	Err error
}

// Error names the key and what is wrong there.
func (e *CorruptError) Error() string { return fmt.Sprintf("record %s: %v", e.Key, e.Err) }

// Unwrap gives the cause.
func (e *CorruptError) Unwrap() error { return e.Err }

// encode writes a record as JSON within a limit. Error: coordclient.ErrTooLarge.
func encode(record any, limit int) ([]byte, error) {
	data, err := json.Marshal(record)
	if err != nil {
		return nil, err
	}
	if len(data) > limit {
		return nil, fmt.Errorf("record of %d bytes: %w (the limit is %d)", len(data), coordclient.ErrTooLarge, limit)
	}
	return data, nil
}

// decode reads a record and its format number.
func decode(data []byte, limit int, record any, format *int) error {
	if len(data) > limit {
		return fmt.Errorf("%d bytes: %w (the limit is %d)", len(data), coordclient.ErrTooLarge, limit)
	}
	if err := json.Unmarshal(data, record); err != nil {
		return err
	}
	switch {
	case *format < 1:
		return errors.New("no format number")
	case *format > Format:
		return fmt.Errorf("format %d is of a newer Belfry; this one reads up to %d", *format, Format)
	}
	return nil
}

type definitionRecord struct {
	Format int `json:"format"`
	task.Info
}

func encodeDefinition(info task.Info) ([]byte, error) {
	limit := MaxDefinition
	if len(info.Seat.Carried()) > 0 {
		limit += maxCarried
	}
	return encode(definitionRecord{Format, info}, limit)
}

// decodeDefinition reads the definition of key, as of the version and time of
// its last commit.
func decodeDefinition(data []byte, key task.Key, version int64, modified time.Time) (task.Info, error) {
	var r definitionRecord
	if err := decode(data, MaxDefinition+maxCarried, &r, &r.Format); err != nil {
		return task.Info{}, err
	}
	if r.Key != key {
		return task.Info{}, fmt.Errorf("it says that it is %s", r.Key)
	}
	if err := r.check(); err != nil {
		return task.Info{}, err
	}
	r.Revision = version + 1
	r.From = orTime(r.From, modified)
	made := task.Edit{At: modified}
	if r.Edit != nil {
		made.ID, made.By, made.Reason = r.Edit.ID, r.Edit.By, r.Edit.Reason
	}
	r.Edit = &made
	if r.Paused {
		r.PausedAt = orTime(r.PausedAt, modified)
	}
	if r.Deleted {
		r.DeletedAt = orTime(r.DeletedAt, modified)
	}
	return r.Info, nil
}

// check tells what no definition lacks.
func (r *definitionRecord) check() error {
	switch {
	case r.UID == "" || strings.Contains(r.UID, ":"):
		return fmt.Errorf("uid %q cannot be", r.UID)
	case r.Do == nil && (r.Service == "" || r.Operation == ""):
		return errors.New("no service or no operation")
	case r.Do != nil && r.Do.Kind() == "":
		return errors.New("it does nothing that this version knows")
	}
	return nil
}

func orTime(t, otherwise time.Time) time.Time {
	if t.IsZero() {
		return otherwise
	}
	return t
}

type requestRecord struct {
	Format int `json:"format"`
	task.Request
}

func decodeRequest(data []byte, modified time.Time) (task.Request, error) {
	var r requestRecord
	if err := decode(data, MaxRequest, &r, &r.Format); err != nil {
		return task.Request{}, err
	}
	switch {
	case r.ID == "" || r.UID == "":
		return task.Request{}, errors.New("no id or no uid")
	case r.Kind == task.RequestReply:
		if r.Reply == nil || len(r.Reply.Value) > task.MaxReplyValue {
			return task.Request{}, errors.New("no reply, or too long a one")
		}
	case r.Kind != task.RequestRun && r.Kind != task.RequestCancel:
		return task.Request{}, fmt.Errorf("kind %q is unknown", r.Kind)
	}
	r.Asked = orTime(r.Asked, modified)
	return r.Request, nil
}

type messageRecord struct {
	Format int `json:"format"`
	task.Message
}

func encodeMessage(m task.Message) ([]byte, error) {
	return encode(messageRecord{Format, m}, MaxMessage)
}

func decodeMessage(data []byte) (task.Message, error) {
	var r messageRecord
	if err := decode(data, MaxMessage, &r, &r.Format); err != nil {
		return task.Message{}, err
	}
	if r.ID == "" || r.To == "" {
		return task.Message{}, errors.New("no id or no receiver")
	}
	return r.Message, nil
}
