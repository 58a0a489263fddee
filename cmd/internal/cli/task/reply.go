package task

import (
	"errors"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// replyWait is what a definition says of replies once they may come for so long.
// Zero: it ends with its call.
func replyWait(before *task.ReplyWait, within time.Duration) *task.ReplyWait {
	if within == 0 {
		return nil
	}
	after := task.ReplyWait{}
	if before != nil {
		after = *before
	}
	after.Deadline = task.Duration(within)
	return &after
}

func setOnDeadline(info *task.Info, word string) error {
	if info.Reply == nil {
		return errors.New("the task waits for no reply: say for how long with --reply-within")
	}
	on, err := oneOf(word, task.DeadlineFail, task.DeadlineRetry)
	if err != nil {
		return err
	}
	info.Reply = &task.ReplyWait{Deadline: info.Reply.Deadline, OnDeadline: on}
	return nil
}
