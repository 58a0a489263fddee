package app

import (
	"time"

	"github.com/seed42aab489/belfry/plugin/event"
)

// The codes of what the host reports of its services.
const (
	codeDeployed   = "SERVICE_DEPLOYED"
	codeUndeployed = "SERVICE_UNDEPLOYED"
	codeRefused    = "SERVICE_REFUSED"
)

// reportServices gives a function that reports what changed in the deployed set
// since it was called last. It is called by one goroutine at a time.
func (a *App) reportServices() func() {
	type known struct {
		revision int64
		err      string
	}
	before := map[string]known{}
	return func() {
		after := map[string]known{}
		report := func(level, code, object, text string) {
			a.plugin.Report(event.Report{At: time.Now(), Level: level, Code: code, Object: object, Text: text})
		}
		for _, v := range a.services.Services() {
			now, old := known{v.Revision, v.Error}, before[v.Name]
			after[v.Name] = now
			if now.revision != old.revision && now.revision > 0 {
				report("info", codeDeployed, v.Name, v.File)
			}
			if now.err != old.err && now.err != "" {
				report("error", codeRefused, v.Name, v.Error)
			}
		}
		for name, old := range before {
			if _, still := after[name]; !still && old.revision > 0 {
				report("info", codeUndeployed, name, "")
			}
		}
		before = after
	}
}
