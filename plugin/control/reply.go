package control

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/reply"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
)

// VerbReply is the verb by which a member of the group is handed a reply: a
// ReplyRequest as JSON, answered with a ReplyAnswer.
const VerbReply = "control.reply"

// Replied is what became of a reply.
type Replied string

// What becomes of a reply. Only Accepted may still end its run; the others
// change nothing, and there is no use in sending them again.
const (
	// ReplyAccepted: it is stored for good. It ends its run, unless the run ends
	// before the reply is looked at.
	ReplyAccepted Replied = "accepted"
	// ReplyRepeated: the run has ended with a reply that said the same.
	ReplyRepeated Replied = "repeated"
	// ReplyAnswered: the run has, or will end with, another reply.
	ReplyAnswered Replied = "answered"
	// ReplyEnded: the run has ended without a reply: its deadline is past, it was
	// cancelled, or nobody knows.
	ReplyEnded Replied = "ended"
)

// ReplyRequest is a reply to a run that waits for one.
type ReplyRequest struct {
	FireID string `json:"fire_id"`
	// Token that came with the call.
	Token string `json:"token"`
	task.Reply
}

// ReplyAnswer says what became of it.
type ReplyAnswer struct {
	State   Replied `json:"state"`
	Outcome string  `json:"outcome"` // of the run, if it has ended
}

// Reply hands in a reply from what a run has called. Codes: unauthorised (the
// token is not that of the run), not_found (there is no such run, or it is too
// long ago), invalid, unavailable, unknown_outcome (hand it in again).
func (c *Control) Reply(ctx context.Context, r ReplyRequest) (ReplyAnswer, error) {
	secret, err := c.secrets.Get(ctx)
	if err != nil {
		return ReplyAnswer{}, failure.Wrap(err)
	}
	if !reply.Proves(secret, task.FireID(r.FireID), r.Token) {
		return ReplyAnswer{}, &failure.Error{
			Code: failure.CodeUnauthorised, Message: "the token is not that of the run", Hint: "send the token that came with the call",
		}
	}
	return c.EndRun(ctx, r.FireID, r.Reply)
}

// EndRun is Reply for an administrator, who needs no token: where what was
// called is known to have ended, and its reply was lost. Codes as of Reply.
func (c *Control) EndRun(ctx context.Context, fireID string, said task.Reply) (ReplyAnswer, error) {
	if len(said.Value) > task.MaxReplyValue {
		return ReplyAnswer{}, failure.Invalid("value of %d bytes: the limit is %d; reply with where it is to be found", len(said.Value), task.MaxReplyValue)
	}
	l, err := c.look(ctx, fireID)
	switch {
	case err != nil:
		return ReplyAnswer{}, err
	case len(l.attempts) == 0:
		return ReplyAnswer{}, l.nothing(fireID)
	}
	last := l.attempts[len(l.attempts)-1]
	switch {
	case !l.open:
		return endedBefore(last, said), nil
	case l.info.Reply == nil && last.Outcome != string(task.Waiting):
		return ReplyAnswer{}, failure.Invalid("run %s does not wait for a reply", fireID)
	case last.Deadline != nil && last.Deadline.Before(c.now().Add(-lateReply)) && !l.info.Reply.Retries():
		return ReplyAnswer{State: ReplyEnded, Outcome: string(task.TimedOut)}, nil
	}
	err = c.store.Reply(ctx, l.info.Key, task.FireID(fireID), said)
	switch {
	case errors.Is(err, store.ErrReplied):
		return ReplyAnswer{State: ReplyAnswered}, nil
	case err != nil:
		return ReplyAnswer{}, failure.Wrap(err)
	}
	return c.accepted(ctx, fireID, said), nil
}

// accepted tells what became of a reply that was stored. Another one may have
// ended the run between the look at it and the commit.
func (c *Control) accepted(ctx context.Context, fireID string, said task.Reply) ReplyAnswer {
	l, err := c.look(ctx, fireID)
	if err == nil && !l.open && len(l.attempts) > 0 {
		if before := endedBefore(l.attempts[len(l.attempts)-1], said); before.State != ReplyRepeated {
			return before
		}
	}
	return ReplyAnswer{State: ReplyAccepted}
}

// lateReply is by how much this clock may be ahead of the owner's, which decides
// what is late.
const lateReply = 5 * time.Second

// endedBefore tells why a reply to a run that has ended changes nothing.
func endedBefore(last contract.RunView, said task.Reply) ReplyAnswer {
	answer := ReplyAnswer{State: ReplyEnded, Outcome: last.Outcome}
	ok := last.Outcome == string(task.OK)
	switch {
	case ok == said.OK && last.Value == said.Value && (ok || last.Value != ""):
		answer.State = ReplyRepeated
	case ok || last.Value != "":
		answer.State = ReplyAnswered
	}
	return answer
}

// ServeReplies lets a member take replies over the group.
func ServeReplies(handler coordclient.Handler, c *Control) {
	handler.Handle(VerbReply, func(ctx context.Context, request []byte) ([]byte, error) {
		var r ReplyRequest
		if err := json.Unmarshal(request, &r); err != nil {
			return nil, failure.Sent(failure.Invalid("request: %v", err))
		}
		answer, err := c.Reply(ctx, r)
		if err != nil {
			return nil, failure.Sent(failure.Of(err))
		}
		return json.Marshal(answer)
	})
}
