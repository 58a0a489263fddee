package trigger

import (
	"fmt"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"github.com/seed42aab489/belfry/plugin/task"
)

// BenchmarkNext asks for one instant after another, in the zone of a task that
// changes its clocks.
func BenchmarkNext(b *testing.B) {
	for _, c := range []struct{ name, expr string }{
		{"second", "* * * * * ?"},
		{"five-minutes", "0 0/5 * * * ?"},
		{"daily", "0 30 2 * * ?"},
		{"friday", "0 0 12 ? * FRI"},
		{"last-of-month", "0 0 12 L * ?"},
		{"leap-day", "0 0 0 29 2 ?"},
		{"no-such-day", "0 0 0 30 2 ?"},
		{"every", "@every 5m"},
	} {
		for _, zone := range []string{"UTC", "America/New_York"} {
			b.Run(c.name+"/"+zone, func(b *testing.B) {
				tr := compile(b, task.TriggerInfo{Cron: c.expr, TZ: zone})
				at := from
				b.ReportAllocs()
				for b.Loop() {
					next, ok := tr.Next(at)
					if at = next; !ok || next.Year() > 2035 {
						at = from
					}
				}
			})
		}
	}
}

// BenchmarkCompile tells the time and the memory of a task whose expression
// and zone are known already, and of one whose expression is new.
func BenchmarkCompile(b *testing.B) {
	exprs := make([]string, 50_000)
	for i := range exprs {
		exprs[i] = fmt.Sprintf("%d %d %d * * ?", i%60, i/60%60, i/3600)
	}
	for _, distinct := range []int{1, len(exprs)} {
		b.Run(fmt.Sprintf("expressions=%d", distinct), func(b *testing.B) {
			var c Compiler
			kept := make([]Trigger, 0, len(exprs))
			before := heap()
			for b.Loop() {
				tr, err := c.Compile(task.TriggerInfo{Cron: exprs[len(kept)%distinct], TZ: "America/New_York"}, from, "u")
				if err != nil {
					b.Fatal(err)
				}
				if len(kept) < cap(kept) {
					kept = append(kept, tr)
				}
			}
			if len(kept) == cap(kept) {
				b.ReportMetric(float64(heap()-before)/float64(len(kept))+float64(unsafe.Sizeof(Trigger{})), "B/task")
			}
			runtime.KeepAlive(kept)
		})
	}
}

// BenchmarkOutage asks what a week without a host left behind.
func BenchmarkOutage(b *testing.B) {
	tr := compile(b, task.TriggerInfo{Cron: "0/10 * 8-17 ? * MON-FRI", TZ: "America/New_York"})
	end := from.Add(7 * 24 * time.Hour)
	b.Run("count", func(b *testing.B) {
		for b.Loop() {
			tr.Count(from, end)
		}
	})
	b.Run("last", func(b *testing.B) {
		for b.Loop() {
			tr.Last(from, end)
		}
	})
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
