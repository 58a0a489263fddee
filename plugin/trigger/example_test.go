package trigger_test

import (
	"fmt"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/plugin/trigger"
)

// A time that a change of clocks leaves out is not lost.
func ExampleCron_Next() {
	cron, err := trigger.ParseCron("0 30 2 ? * SAT-SUN")
	if err != nil {
		fmt.Println(err)
		return
	}
	zone, err := trigger.LoadZone("America/New_York")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(cron.Describe())
	at := time.Date(2026, 3, 6, 0, 0, 0, 0, zone)
	for range 3 {
		at, _ = cron.Next(at, zone)
		fmt.Printf("%s %q\n", at.Format(time.RFC3339), cron.Note(at, zone))
	}
	// Output:
	// at 02:30, on Saturday and Sunday
	// 2026-03-07T02:30:00-05:00 ""
	// 2026-03-08T03:00:00-04:00 "02:30 does not exist (clock +1h): fires at 03:00"
	// 2026-03-14T02:30:00-04:00 ""
}

// What an hour's outage left behind of a task that fires every ten minutes.
func ExampleTrigger_Count() {
	created := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	var compiler trigger.Compiler
	t, err := compiler.Compile(task.TriggerInfo{
		Interval: task.Duration(10 * time.Minute), Count: -1, Start: created.Add(time.Minute),
	}, created, "a-uid")
	if err != nil {
		fmt.Println(err)
		return
	}
	cursor, now := created.Add(time.Hour), created.Add(2*time.Hour)
	last, _ := t.Last(cursor, now)
	fmt.Println(t.Count(cursor, now), "due, the last at", last.Format(time.TimeOnly))
	// Output:
	// 6 due, the last at 13:51:00
}
