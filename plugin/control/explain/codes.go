package explain

import (
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Meaning is what a code stands for.
type Meaning struct {
	Code string `json:"code"`
	Text string `json:"text"`
	Next string `json:"next"` // the next step; may be empty
}

// Meanings is the one table of the codes of findings, states and runs, in the order
// in which they are best read: what keeps a task from firing first.
func Meanings() []Meaning {
	return []Meaning{
		{ReasonFine, "Nothing is wrong: the task waits for its next instant, or runs.", ""},
		{string(task.ReasonPaused), "The task is paused: its instants pass and nothing fires.", "belfry task resume NAME; audit tells who paused it"},
		{contract.ReasonNotStarted, "The start of the task is still to come.", "belfry task set NAME --start TIME"},
		{contract.ReasonEnded, "The end of the task is past: it fires nothing more.", "belfry task set NAME --end TIME"},
		{contract.ReasonExhausted, "The task has fired as often as it was to.", "belfry task set NAME --count N"},
		{contract.ReasonTrigger, "The trigger cannot be scheduled: there is no instant, or its expression is wrong.", "belfry cron next EXPRESSION shows what it gives"},
		{contract.ReasonNoCalendar, "A calendar that the task names is not there or cannot be read: it fires nothing.", "belfry calendar list"},
		{contract.ReasonWaiting, "The group waits for more hosts before it fires anything.", "start hosts, or belfry cluster activate"},
		{contract.ReasonNoNode, "There is no host that may own the task: its rules name none that is up, or all are drained.", "belfry node list; belfry task move NAME --anywhere"},
		{contract.ReasonNoOwner, "No host has taken the task's bucket yet.", "belfry placement show; is a host running?"},
		{contract.ReasonUnreachable, "The host that owns the task is not in the group: another takes over when its session has ended.", "belfry node list"},
		{ReasonMoving, "The task is on its way to another host.", "it takes seconds; belfry placement show"},
		{contract.ReasonCorrupt, "The stored state of the task's bucket cannot be read.", "belfry doctor names the record; belfry backup verify"},
		{ReasonNoService, "No host has the data service that the task calls.", "belfry service list"},
		{ReasonInactive, "The data service is deployed and does not answer.", "belfry service show SERVICE tells the fault"},
		{ReasonNoOperation, "The service has no such operation, or it cannot be scheduled.", "belfry operation list SERVICE"},
		{ReasonOverdue, "An instant came, and nobody has decided yet what becomes of it.", "belfry doctor; is the owner overloaded?"},
		{ReasonLate, "The last run began late.", "belfry run list --task NAME -o wide shows by how much"},
		{ReasonAsked, "A run was asked for, and the owner has not taken the request yet.", "belfry request list"},
		{ReasonClockChange, "A change of the clock touches a coming instant: it is skipped, moved or comes twice.", "belfry task next NAME"},
		{contract.ReasonRetry, "An attempt failed; another follows.", "belfry run list --task NAME"},
		{contract.ReasonRun, "The last firing failed, and its retries are used up.", "belfry run list --task NAME; belfry run rerun FIRE-ID"},
		{contract.ReasonReply, "What the task called has not replied yet.", "belfry run show FIRE-ID tells until when it may"},
		{string(task.ReasonOverlap), "An instant was skipped because the run before still went.", "belfry task set NAME --overlap queue, or a longer interval"},
		{string(task.ReasonQueued), "A firing waits for the run before it to end.", "belfry run list --task NAME"},
		{string(task.ReasonWindow), "An instant was outside the task's windows.", "belfry task next NAME --calendar"},
		{string(task.ReasonMissed), "Instants were missed while nobody could fire, and the task skips such.", "belfry task backfill NAME --from TIME, or task set --misfire fire-once"},
		{string(task.ReasonReplaced), "Missed instants were merged into one late firing.", ""},
		{string(task.ReasonCatchUp), "More instants were missed than are made up for; the oldest were skipped.", "belfry task backfill NAME --from TIME"},
		{string(task.ReasonPast), "The instant was due before the task was created, resumed or changed.", ""},
		{string(task.ReasonBackoff), "A timer delayed it, after failures.", ""},
		{string(task.ReasonDeleted), "The task was deleted before the firing ran.", ""},
		{string(task.ReasonRefused), "What was to be called refused the call for good: it is not tried again.", "belfry run show FIRE-ID tells why"},
		{string(task.ReasonEgress), "The host's rules of where it may call refuse the address.", "egress.allow in the host's configuration"},
	}
}
