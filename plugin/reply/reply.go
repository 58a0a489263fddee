// Package reply makes calls that are answered later, and tells who may answer.
// A task with Info.Reply is called like any other; with the call go a correlation
// id, which is the fire id, the addresses to which a reply may be sent, and a
// token that proves that the reply comes from what was called.
//
// The token is derived by HMAC-SHA256 from the fire id and a secret of the
// cluster, which is kept in the coordination store. So every host can tell a
// forged reply from a right one without looking at the run, also after the host
// that made the call is gone, and no token is stored or logged. A token is good
// for one firing, at whatever attempt.
package reply

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// Token proves that who sends a reply to the firing was called by it.
func Token(secret []byte, id task.FireID) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("belfry reply\x00"))
	mac.Write([]byte(id))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Proves tells in constant time whether the token is that of the firing.
func Proves(secret []byte, id task.FireID, token string) bool {
	return hmac.Equal([]byte(token), []byte(Token(secret, id)))
}

// Secrets reads the cluster's reply secret once. Safe for concurrent use.
type Secrets struct {
	read func(ctx context.Context) ([]byte, error)

	mu     sync.Mutex // guards secret
	secret []byte
}

// NewSecrets makes one of what reads the secret (store.Store.ReplySecret).
func NewSecrets(read func(ctx context.Context) ([]byte, error)) *Secrets { return &Secrets{read: read} }

// Get gives the secret. Its errors are those of reading it; the next call reads
// again.
func (s *Secrets) Get(ctx context.Context) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.secret == nil {
		secret, err := s.read(ctx)
		if err != nil {
			return nil, err
		}
		s.secret = secret
	}
	return s.secret, nil
}

// Invoker is what makes calls.
type Invoker interface {
	Invoke(ctx context.Context, call task.Call) task.Result
}

// Asker lets the calls of tasks that wait for a reply carry what it takes to
// reply, and says of those that got through that they wait. Other calls pass it
// untouched. Safe for concurrent use.
type Asker struct {
	Invoker Invoker
	Secrets *Secrets
	// Addresses gives the base addresses at which hosts take replies now, this
	// host's first.
	Addresses func(ctx context.Context) []string
	Now       func() time.Time
}

// Invoke makes one attempt.
func (a *Asker) Invoke(ctx context.Context, call task.Call) task.Result {
	wait := call.Info.Reply
	if wait == nil {
		return a.Invoker.Invoke(ctx, call)
	}
	secret, err := a.Secrets.Get(ctx)
	if err != nil {
		return task.Result{Outcome: task.Failed, NotSent: true, Error: fmt.Sprintf("no token for a reply: %v", err)}
	}
	call.ReplyTo = &task.ReplyTo{
		Token: Token(secret, call.FireID), Deadline: a.Now().Add(wait.Wait()), Window: call.Window,
	}
	for _, base := range a.Addresses(ctx) {
		call.ReplyTo.Addresses = append(call.ReplyTo.Addresses, base+string(call.FireID))
	}
	if len(call.ReplyTo.Addresses) == 0 {
		return task.Result{
			Outcome: task.Failed, NotSent: true,
			Error: "no host can be named for the reply: set tasks.reply_url to an address below which hosts are reached",
		}
	}
	return sent(a.Invoker.Invoke(ctx, call), &call)
}

// sent says what the end of a call means for a run whose end is a reply.
func sent(r task.Result, call *task.Call) task.Result {
	switch {
	case r.Outcome == task.OK:
		r.Outcome = task.Waiting
	case r.NotSent || r.Answered:
		return r // nothing has arrived, or it was turned down
	case call.Info.Delivery == task.AtMostOnce:
		r.Outcome = task.Waiting // it may have arrived: a reply would tell
	default:
		// It may have arrived, so it is sent again with the same id until somebody
		// answers; a reply that comes meanwhile counts.
		r.Open = true
		return r
	}
	r.Deadline = call.ReplyTo.Deadline
	return r
}
