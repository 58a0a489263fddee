package engine_test

import (
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// agent is what a call reached that is to be replied to: at once or late, once
// or more often, with one answer or two, or not at all. It needs w.mu.
func (w *world) agent(call task.Call) {
	if call.Info.Reply == nil || w.chance(100) {
		return
	}
	answer := task.Reply{OK: w.rand.IntN(4) > 0, Value: "of " + string(call.FireID)}
	for range 1 + w.rand.IntN(3) {
		wait := w.some(100 * time.Millisecond)
		if w.chance(500) {
			wait = w.some(25 * time.Second)
		}
		if w.chance(50) {
			answer.OK = !answer.OK
		}
		said := answer
		w.agents.Go(func() { // ends soon after wait
			time.Sleep(wait)
			_ = w.admin.Reply(w.life, call.Info.Key, call.FireID, said) // another may be there
		})
	}
}
