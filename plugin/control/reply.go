package control

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/call"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/reply"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Reply hands in a reply from what a run has called. Codes: unauthorised (the
// token is not that of the run), not_found (there is no such run, or it is too
// long ago), invalid, unavailable, unknown_outcome (hand it in again).
func (c *Control) Reply(ctx context.Context, r call.ReplyRequest) (call.ReplyAnswer, error) {
	secret, err := c.secrets.Get(ctx)
	if err != nil {
		return call.ReplyAnswer{}, failure.Wrap(err)
	}
	if !reply.Proves(secret, task.FireID(r.FireID), r.Token) {
		return call.ReplyAnswer{}, &failure.Error{
			Code: failure.CodeUnauthorised, Message: "the token is not that of the run", Hint: "send the token that came with the call",
		}
	}
	return c.EndRun(ctx, r.FireID, r.Reply)
}

// EndRun is Reply for an administrator, who needs no token: where what was
// called is known to have ended, and its reply was lost. Codes as of Reply.
func (c *Control) EndRun(ctx context.Context, fireID string, said task.Reply) (call.ReplyAnswer, error) {
	said = worded(said)
	if len(said.Value) > task.MaxReplyValue {
		return call.ReplyAnswer{}, failure.Invalid("value of %d bytes: the limit is %d; reply with where it is to be found", len(said.Value), task.MaxReplyValue)
	}
	l, err := c.look(ctx, fireID)
	switch {
	case err != nil:
		return call.ReplyAnswer{}, err
	case len(l.attempts) == 0:
		return call.ReplyAnswer{}, l.nothing(fireID)
	}
	last := l.attempts[len(l.attempts)-1]
	switch {
	case !l.open:
		return endedBefore(last, said), nil
	case l.info.Reply == nil && last.Outcome != string(task.Waiting):
		return call.ReplyAnswer{}, failure.Invalid("run %s does not wait for a reply", fireID)
	case last.Deadline != nil && last.Deadline.Before(c.now().Add(-lateReply)) && !l.info.Reply.Retries():
		return call.ReplyAnswer{State: call.ReplyEnded, Outcome: string(task.TimedOut)}, nil
	}
	err = c.store.Reply(ctx, l.info.Key, task.FireID(fireID), said)
	switch {
	case errors.Is(err, store.ErrReplied):
		return call.ReplyAnswer{State: call.ReplyAnswered}, nil
	case err != nil:
		return call.ReplyAnswer{}, failure.Wrap(err)
	}
	return c.accepted(ctx, fireID, said), nil
}

// worded is a reply as it is kept. An exception is told to a person: of a long one
// its head, since nobody could send it shorter once the work has failed, and one
// without words is said to be one.
func worded(said task.Reply) task.Reply {
	if said.OK {
		return said
	}
	said.Value = task.Head([]byte(said.Value), task.MaxReplyValue)
	if strings.TrimSpace(said.Value) == "" {
		said.Value = "an exception without a message"
	}
	return said
}

// accepted tells what became of a reply that was stored. Another one may have
// ended the run between the look at it and the commit; or it was stored after the
// deadline, by the store's clock, which is the one that counts.
func (c *Control) accepted(ctx context.Context, fireID string, said task.Reply) call.ReplyAnswer {
	l, err := c.look(ctx, fireID)
	if err != nil || len(l.attempts) == 0 {
		return call.ReplyAnswer{State: call.ReplyAccepted}
	}
	last := l.attempts[len(l.attempts)-1]
	switch {
	case !l.open:
		if before := endedBefore(last, said); before.State != call.ReplyRepeated {
			return before
		}
	case l.reply != nil && last.Deadline != nil && l.reply.Asked.After(*last.Deadline) && !l.info.Reply.Retries():
		return call.ReplyAnswer{State: call.ReplyEnded, Outcome: string(task.TimedOut)}
	}
	return call.ReplyAnswer{State: call.ReplyAccepted}
}

// lateReply is by how much this clock may be ahead of the owner's, which decides
// what is late.
const lateReply = 5 * time.Second

// endedBefore tells why a reply to a run that has ended changes nothing.
func endedBefore(last contract.RunView, said task.Reply) call.ReplyAnswer {
	answer := call.ReplyAnswer{State: call.ReplyEnded, Outcome: last.Outcome}
	ok := last.Outcome == string(task.OK)
	switch {
	case ok == said.OK && last.Value == said.Value && (ok || last.Value != ""):
		answer.State = call.ReplyRepeated
	case ok || last.Value != "":
		answer.State = call.ReplyAnswered
	}
	return answer
}
