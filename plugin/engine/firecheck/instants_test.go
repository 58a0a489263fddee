package firecheck

import (
	"fmt"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/plugin/trigger"
)

// The judge's list of instants and the one that the engine goes by are written
// apart; where they differ, one of them is wrong.
func TestBruteForceAgrees(t *testing.T) {
	t.Parallel()
	from := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	end := from.Add(3 * time.Minute)
	var compiler trigger.Compiler
	for _, info := range []task.TriggerInfo{
		{Cron: "* * * * * ?"},
		{Cron: "0/5 * * * * ?"},
		{Cron: "3,10-20/3,59 * * * * ?", TZ: "Asia/Kolkata"},
		{Cron: "15 1/2 * * * ?"},
		{Interval: task.Duration(1500 * time.Millisecond), Count: -1, Start: from.Add(-time.Minute)},
		{Interval: task.Duration(time.Second), Count: 9, Start: from.Add(20 * time.Second)},
		{At: from.Add(time.Minute)},
		{Cron: "* * * * * ?", Start: from.Add(9 * time.Second), End: from.Add(20 * time.Second)},
	} {
		tr, err := compiler.Compile(info, from, "uid")
		if err != nil {
			t.Fatal(err)
		}
		var got []int64
		for at := range tr.All(from, end) {
			got = append(got, at.UnixMilli())
		}
		want := Instants(task.Info{From: from, Trigger: info}, 0, end.UnixMilli())
		if fmt.Sprint(got) != fmt.Sprint(want) || len(want) == 0 {
			t.Errorf("%v: trigger %v, brute force %v", info, got, want)
		}
	}
}
