package task

import (
	"encoding/json"
	"fmt"
	"strings"
)

// After makes a task fire when others have ended, once for each of their
// firings: as if somebody had asked for it by hand, beside its own trigger.
// A task without a schedule of its own has the trigger Never.
type After struct {
	// Tasks are those that it follows: a name, of the same tenant and type, or
	// "tenant/type/name". At least one, at most MaxAfter.
	Tasks []string `json:"tasks"`
	// On is how they must have ended. Zero: OnSuccess.
	On On `json:"on,omitempty"`
	// All: it fires when each of Tasks has ended so since it last fired; else
	// whenever one of them has.
	All bool `json:"all,omitempty"`
	// With gives values to the parameters of its operation, or of its web call:
	// templates of text/template over Ended.
	With map[string]string `json:"with,omitempty"`
}

// Bounds of chains.
const (
	MaxAfter     = 32
	MaxFollowers = 64
	// MaxChain is the most tasks that follow one after another: what a chain
	// that was made a circle in spite of all checks is stopped at.
	MaxChain = 64
	// MaxInput bounds an Input in bytes.
	MaxInput = 4096
)

// Never is the cron expression of a task without a schedule of its own.
const Never = "@never"

// On is how a firing must have ended for what follows.
type On string

// The ends. SKIPPED and CANCELLED are none of them.
const (
	OnSuccess On = "success" // OK
	OnFailure On = "failure" // FAILED, TIMED_OUT or UNKNOWN, retries used up
	OnEnd     On = "end"     // either
)

// Matches tells whether a firing that ended so is followed.
func (on On) Matches(o Outcome) bool {
	failed := o == Failed || o == TimedOut || o == Unknown
	switch on {
	case OnFailure:
		return failed
	case OnEnd:
		return failed || o == OK
	default:
		return o == OK
	}
}

// Keys are the tasks that a task of this key follows.
func (a *After) Keys(of Key) ([]Key, error) {
	if a == nil {
		return nil, nil
	}
	keys := make([]Key, 0, len(a.Tasks))
	for _, ref := range a.Tasks {
		key := Key{Tenant: of.Tenant, Type: of.Type, Name: ref}
		if parts := strings.Split(ref, "/"); len(parts) == 3 {
			key = Key{Tenant: parts[0], Type: parts[1], Name: parts[2]}
		} else if len(parts) != 1 {
			return nil, fmt.Errorf("after %q: write a name, or tenant/type/name", ref)
		}
		keys = append(keys, key.Normal())
	}
	return keys, nil
}

// NoticeEnded is the kind of the notice that a firing has ended, for its
// followers. It is no alert that can be asked for.
const NoticeEnded AlertKind = "ended"

// Follower is a task that fires when this one has ended. Package control keeps
// the followers of a task in step with the After of theirs.
type Follower struct {
	Key
	On On `json:"on,omitempty"`
}

// Ended is what the templates of After.With see of the firing that ended.
type Ended struct {
	Task      string // its name
	FireID    FireID
	Scheduled string // RFC 3339
	Outcome   Outcome
	Error     string
	Value     string // what a reply returned, or with Info.Output the head of the answer
}

// Input is what a firing is given: a JSON object of texts, at most MaxInput
// bytes; empty: nothing. It is a text so that it can be stored as it is.
type Input string

// NewInput makes an Input of values; of none, the empty one.
func NewInput(values map[string]string) (Input, error) {
	if len(values) == 0 {
		return "", nil
	}
	data, err := json.Marshal(values)
	if err != nil {
		return "", err
	}
	if len(data) > MaxInput {
		return "", fmt.Errorf("input of %d bytes: the limit is %d", len(data), MaxInput)
	}
	return Input(data), nil
}

// Values are what was given; nil for nothing. An Input that was not made by
// NewInput gives an error.
func (i Input) Values() (map[string]string, error) {
	if i == "" {
		return nil, nil
	}
	var values map[string]string
	if err := json.Unmarshal([]byte(i), &values); err != nil {
		return nil, fmt.Errorf("input: %w", err)
	}
	return values, nil
}
