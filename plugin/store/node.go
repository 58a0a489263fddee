package store

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/task"
)

// MaxEdited is how many of the last edits a bucket's node tells. An owner that
// missed more reads every definition.
const MaxEdited = 64

// Holds: how an owner gets a word in between many edits.
const (
	// HoldAfter batches lost in a row to edits, an owner sets a hold.
	HoldAfter = 3
	// HoldTime is how long administrators then wait, each by its own clock from
	// when it saw the hold.
	HoldTime = 250 * time.Millisecond
)

// Node is the value of a bucket's node. Its version is the fence F.
type Node struct {
	Format int `json:"format"`
	// Epoch grows with each acquisition.
	Epoch int64 `json:"epoch"`
	// Member is the owner, or who was it last. Empty: there was none yet.
	Member coordclient.MemberID `json:"member,omitempty"`
	// Released by its owner: anybody may take it.
	Released bool `json:"released,omitempty"`
	// Edit counts the edits. Edited holds the marks of the last of them, the
	// newest last: a task's segment, or "@" and the segment of a request.
	Edit   int64    `json:"edit"`
	Edited []string `json:"edited,omitempty"`
	// HoldMS asks administrators to wait.
	HoldMS int64 `json:"hold_ms,omitempty"`
}

const requestMark = "@"

// mendMark begins the mark of an edit that changed neither task nor request.
const mendMark = "!"

func decodeNode(data []byte) (Node, error) {
	var n Node
	if err := decode(data, coordclient.MaxValue, &n, &n.Format); err != nil {
		return Node{}, err
	}
	if n.Epoch < 0 || n.Edit < 0 || len(n.Edited) > MaxEdited || n.HoldMS < 0 {
		return Node{}, errors.New("numbers out of bounds")
	}
	return n, nil
}

func (n Node) encode() ([]byte, error) {
	n.Format = Format
	return encode(n, coordclient.MaxValue)
}

// Owned tells whether member owns the bucket.
func (n Node) Owned(member coordclient.MemberID) bool {
	return !n.Released && n.Member == member && member != ""
}

// leftBy tells whether member released the bucket in this epoch, and nobody has
// taken it since.
func (n Node) leftBy(member coordclient.MemberID, epoch int64) bool {
	return n.Released && n.Member == member && n.Epoch == epoch
}

// edited is n after edits with these marks.
func (n Node) edited(marks ...string) Node {
	n.Edit += int64(len(marks))
	all := append(slices.Clone(n.Edited), marks...)
	n.Edited = all[max(0, len(all)-MaxEdited):]
	n.HoldMS = 0
	return n
}

// after gives the marks of the edits after the edit number; false: more went by
// than the node still tells.
func (n Node) after(edit int64) ([]string, bool) {
	missed := n.Edit - edit
	if missed < 0 || missed > int64(len(n.Edited)) {
		return nil, false
	}
	return n.Edited[len(n.Edited)-int(missed):], true
}

// marked tells whether the mark may be among the edits after the edit number.
func (n Node) marked(mark string, edit int64) bool {
	marks, ok := n.after(edit)
	return !ok || slices.Contains(marks, mark)
}

// since lists the tasks edited after the edit number, each once; false: more
// edits went by than the node still tells.
func (n Node) since(edit int64) ([]task.Key, bool) {
	marks, ok := n.after(edit)
	if !ok {
		return nil, false
	}
	marks = slices.Clone(marks)
	slices.Sort(marks)
	var keys []task.Key
	for _, mark := range slices.Compact(marks) {
		if strings.HasPrefix(mark, requestMark) || strings.HasPrefix(mark, mendMark) {
			continue
		}
		key, err := parseTaskSegment(mark)
		if err != nil {
			return nil, false
		}
		keys = append(keys, key)
	}
	return keys, true
}
