package order

import (
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

func TestParseEnd(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]struct {
		at    time.Time
		fault string // part of it
		flag  string
	}{
		"":                          {},
		"  ":                        {},
		"2h":                        {at: now.Add(2 * time.Hour), flag: "--for 2h"},
		" 1h30m ":                   {at: now.Add(90 * time.Minute), flag: "--for 1h30m"},
		"+2h":                       {at: now.Add(2 * time.Hour), flag: "--until +2h"},
		"2026-12-01":                {at: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), flag: "--until 2026-12-01"},
		"2026-12-01T08:00:00+01:00": {at: time.Date(2026, 12, 1, 7, 0, 0, 0, time.UTC), flag: "--until 2026-12-01T08:00:00+01:00"},
		"0s":                        {fault: "is over already", flag: "--for 0s"},
		"-2h":                       {fault: "is over already", flag: "--for -2h"},
		"2026-11-23T12:00:00Z":      {fault: "is over already", flag: "--until 2026-11-23T12:00:00Z"},
		"50000h":                    {fault: "it may last", flag: "--for 50000h"},
		"to morrow":                 {fault: "write it like", flag: "--until 'to morrow'"},
	} {
		e := ParseEnd(text, now)
		if !e.At.Equal(want.at) || (e.Fault == "") != (want.fault == "") || !strings.Contains(e.Fault, want.fault) {
			t.Errorf("%q: %s, fault %q; want %s, %q", text, e.At, e.Fault, want.at, want.fault)
		}
		o := Order{Verb: Pause, Tasks: []task.Key{{Name: "a"}}, Until: e}
		if got, want := o.Commands()[0], strings.TrimSpace("belfry task pause a "+want.flag); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
		o.Verb = Resume
		if got := o.Commands()[0]; got != "belfry task resume a" {
			t.Errorf("%q: a resumption that ends: %s", text, got)
		}
	}
}
