package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/task"
)

// maxJoin bounds a record of which tasks have ended, in bytes.
const maxJoin = 32 << 10

// Follow asks for a firing because the firing of another task has ended.
type Follow struct {
	Task  task.Info // that is to fire
	From  task.Key  // whose firing ended
	Ended task.FireID
	Input task.Input
	// All are the tasks that must each have ended since it last fired; nil: it
	// fires at once.
	All []task.Key
}

// joinRecord says which of the tasks that another waits for have ended.
type joinRecord struct {
	Format int `json:"format"`
	// Ended is the firing by the task's key.
	Ended map[string]task.FireID `json:"ended"`
}

// Follow asks for the firing, or notes that one of All has ended; however often
// it is called for the same end, it is done once. It tells the fire id that was
// asked for; empty: others are still to end, or it was done before. Errors:
// coordclient.ErrNotFound (the task is gone), ErrTooLarge, ErrUnavailable,
// ErrUnknownOutcome: call it again.
func (s *Store) Follow(ctx context.Context, f Follow) (task.FireID, error) {
	receipt := Receipt{ID: "after:" + string(f.Ended) + ">" + f.Task.UID}
	for try := range maxRefetch {
		if _, err := s.Receipt(ctx, receipt.ID); err == nil || !errors.Is(err, coordclient.ErrNotFound) {
			return "", err
		}
		join, complete, err := s.join(ctx, f)
		if err != nil {
			return "", fmt.Errorf("task %s after %s: %w", f.Task.Key, f.Ended, err)
		}
		id, err := s.follow(ctx, f, receipt, join, complete)
		switch {
		case err == nil:
			return id, nil
		case errors.Is(err, ErrCarriedOut):
			return "", nil
		case !errors.Is(err, coordclient.ErrConflict) && !errors.Is(err, coordclient.ErrExists):
			return "", fmt.Errorf("task %s after %s: %w", f.Task.Key, f.Ended, err)
		}
		if err := backoff(ctx, try); err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("task %s after %s: %w: what it waits for moved %d times meanwhile", f.Task.Key, f.Ended, coordclient.ErrUnavailable, maxRefetch)
}

func (s *Store) follow(ctx context.Context, f Follow, receipt Receipt, join []coordclient.Op, complete bool) (task.FireID, error) {
	if complete {
		_, err := s.request(ctx, task.Request{
			ID: FollowID(f.Ended, f.Task.UID), Kind: task.RequestRun, Task: f.Task.Key, UID: f.Task.UID, Input: f.Input, Follows: true,
			Reason: "after " + f.From.Name + ": " + string(f.Ended),
		}, &receipt, join...)
		return receipt.FireID, err
	}
	receipt.Task, receipt.UID = f.Task.Key, f.Task.UID
	proof, err := s.receiptOp(&receipt)
	if err != nil {
		return "", err
	}
	return "", s.receipted(&receipt, s.kv.Commit(ctx, append(proof, join...)...))
}

// join says what is to be noted of who has ended, and whether all have.
func (s *Store) join(ctx context.Context, f Follow) (ops []coordclient.Op, complete bool, err error) {
	if len(f.All) == 0 {
		return nil, true, nil
	}
	key := s.keys.join(f.Task.UID)
	e, _, err := s.kv.Get(ctx, key)
	there := err == nil
	if err != nil && !errors.Is(err, coordclient.ErrNotFound) {
		return nil, false, err
	}
	r := joinRecord{Format: Format}
	if there {
		if err := decode(e.Value, maxJoin, &r, &r.Format); err != nil {
			return nil, false, &CorruptError{key, err}
		}
	}
	if r.Ended == nil {
		r.Ended = map[string]task.FireID{}
	}
	r.Ended[f.From.String()] = f.Ended
	complete = !slices.ContainsFunc(f.All, func(k task.Key) bool { return r.Ended[k.String()] == "" })
	switch {
	case complete && there:
		return []coordclient.Op{coordclient.Delete(key, e.Version)}, true, nil
	case complete:
		return nil, true, nil
	}
	value, err := encode(r, maxJoin)
	if err != nil {
		return nil, false, err
	}
	if there {
		return []coordclient.Op{coordclient.Set(key, value, e.Version)}, false, nil
	}
	return []coordclient.Op{coordclient.Create(key, value)}, false, nil
}

// ForgetJoin removes what was noted of who has ended for a task that is gone.
// Errors as of coordclient.KV.
func (s *Store) ForgetJoin(ctx context.Context, uid string) error {
	err := s.kv.Commit(ctx, coordclient.Delete(s.keys.join(uid), coordclient.AnyVersion))
	if errors.Is(err, coordclient.ErrNotFound) {
		return nil
	}
	return err
}

const followMark = "after"

// FollowID is the id of the request for the firing of the task uid because
// another firing has ended: "after<n>-<hash>", n being how many tasks have
// followed one another so far.
func FollowID(ended task.FireID, uid string) string {
	sum := sha256.Sum256([]byte(string(ended) + ">" + uid))
	return followMark + strconv.Itoa(FollowDepth(ended)+1) + "-" + hex.EncodeToString(sum[:12])
}

// FollowDepth tells how many tasks have followed one another up to a firing; one
// that nothing made follow has 0.
func FollowDepth(id task.FireID) int {
	_, request, _ := strings.Cut(string(id), ":m:"+followMark)
	number, _, _ := strings.Cut(request, "-")
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

func (k keys) join(uid string) string { return string(k) + "/joins/" + Segment(uid) }
