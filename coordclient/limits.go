package coordclient

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxKey is the longest key in bytes.
const MaxKey = 1024

// ErrInvalidKey says that a key is not an absolute slash-separated path. Nothing
// was done, and nothing will be until the caller is corrected.
var ErrInvalidKey = errors.New("invalid key")

// CheckKey tells whether key is one that every implementation accepts: at least
// one segment, each after a slash, none of them empty, "." or "..", valid UTF-8
// without control characters. Errors: ErrInvalidKey, ErrTooLarge.
func CheckKey(key string) error {
	if len(key) > MaxKey {
		return fmt.Errorf("key of %d bytes: %w (the limit is %d)", len(key), ErrTooLarge, MaxKey)
	}
	if fault := keyFault(key); fault != "" {
		return fmt.Errorf("%w %q: %s", ErrInvalidKey, key, fault)
	}
	return nil
}

func keyFault(key string) string {
	switch {
	case !strings.HasPrefix(key, "/"):
		return "it does not begin with a slash"
	case !utf8.ValidString(key):
		return "it is not valid UTF-8"
	}
	for segment := range strings.SplitSeq(key[1:], "/") {
		switch segment {
		case "":
			return "it has an empty segment"
		case ".", "..":
			return "it has a relative segment"
		}
	}
	for _, r := range key {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return "it has a control character"
		}
	}
	return ""
}

// CheckPrefix is CheckKey for List, which also takes the root "/".
func CheckPrefix(prefix string) error {
	if prefix == "/" {
		return nil
	}
	return CheckKey(prefix)
}

// CheckOps tells whether a commit is within the limits, before anything is
// read. Errors: ErrTooLarge for the whole, *CommitError for one operation.
func CheckOps(ops []Op) error {
	if len(ops) > MaxOps {
		return fmt.Errorf("commit of %d operations: %w (the limit is %d)", len(ops), ErrTooLarge, MaxOps)
	}
	sum := 0
	for i, op := range ops {
		if err := checkOp(op); err != nil {
			return &CommitError{Index: i, Op: op, Err: err}
		}
		sum += len(op.Key) + len(op.Value)
	}
	if sum > MaxCommit {
		return fmt.Errorf("commit of %d bytes: %w (the limit is %d)", sum, ErrTooLarge, MaxCommit)
	}
	return nil
}

func checkOp(op Op) error {
	if op.Kind < OpCreate || op.Kind > OpCheckMember {
		return fmt.Errorf("unknown operation %d", op.Kind)
	}
	if len(op.Value) > MaxValue {
		return fmt.Errorf("value of %d bytes: %w (the limit is %d)", len(op.Value), ErrTooLarge, MaxValue)
	}
	if op.Kind == OpCheckMember {
		return nil
	}
	return CheckKey(op.Key)
}
