package engine_test

import (
	"fmt"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

func pick[T any](w *world, all ...T) T { return all[w.rand.IntN(len(all))] }

// randomTask needs w.mu.
func (w *world) randomTask(i int) task.Info {
	info := task.Info{
		Key: task.Key{Name: fmt.Sprint("t", i)}, Service: fmt.Sprint("S", w.rand.IntN(3)), Operation: "op",
		Trigger: w.randomTrigger(), Misfire: pick(w, task.MisfireFireAll, task.MisfireFireAll, task.MisfireFireOnce, task.MisfireSkip),
		Overlap:  pick(w, task.OverlapAllow, task.OverlapAllow, task.OverlapQueue, task.OverlapSkip),
		Delivery: pick(w, task.EffectivelyOnce, task.AtLeastOnce, task.AtMostOnce),
		Retry:    task.Retry{Max: w.rand.IntN(3), Backoff: task.Duration(w.some(2 * time.Second))},
		Timeout:  task.Duration(time.Second + w.some(3*time.Second)), Paused: w.rand.IntN(10) == 0,
	}
	info.Windows = w.randomWindows()
	if info.Delivery != task.EffectivelyOnce && w.rand.IntN(2) == 0 {
		info.Reply = &task.ReplyWait{
			Deadline:   task.Duration(time.Second + w.some(15*time.Second).Truncate(time.Millisecond)),
			OnDeadline: pick(w, "", task.DeadlineFail, task.DeadlineRetry),
		}
	}
	return info
}

// randomTrigger needs w.mu.
func (w *world) randomTrigger() task.TriggerInfo {
	now := time.Now().Truncate(time.Millisecond)
	switch w.rand.IntN(5) {
	case 0:
		return task.TriggerInfo{
			Cron: pick(w, "* * * * * ?", "0/2 * * * * ?", "3-50/4 * * * * ?", "1,2,3,30 * * * * ?"),
			TZ:   pick(w, "", "Asia/Kolkata"),
		}
	case 1:
		return task.TriggerInfo{At: now.Add(w.some(time.Minute))}
	case 2:
		return task.TriggerInfo{Interval: task.Duration(time.Second), Count: w.rand.IntN(40), Start: now.Add(w.some(20 * time.Second))}
	case 3:
		return task.TriggerInfo{Cron: "0/3 * * * * ?", End: now.Add(w.some(100 * time.Second))}
	default:
		return task.TriggerInfo{
			Interval: task.Duration(700*time.Millisecond + w.some(4*time.Second).Truncate(time.Millisecond)),
			Count:    -1, Start: now.Add(w.some(10*time.Second) - 5*time.Second),
		}
	}
}
