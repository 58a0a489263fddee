package call

import (
	"context"
	"encoding/json"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/task"
)

// verbReply is the verb by which a member of the group is handed a reply: a
// ReplyRequest as JSON, answered with a ReplyAnswer.
const verbReply = "control.reply"

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

// Replier takes replies.
type Replier interface {
	Reply(ctx context.Context, r ReplyRequest) (ReplyAnswer, error)
}

// ServeReplies lets a member take replies over the group.
func ServeReplies(handler coordclient.Handler, r Replier) {
	handler.Handle(verbReply, func(ctx context.Context, request []byte) ([]byte, error) {
		var q ReplyRequest
		if err := json.Unmarshal(request, &q); err != nil {
			return nil, failure.Sent(failure.Invalid("request: %v", err))
		}
		answer, err := r.Reply(ctx, q)
		if err != nil {
			return nil, failure.Sent(failure.Of(err))
		}
		return json.Marshal(answer)
	})
}
