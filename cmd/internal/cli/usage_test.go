package cli

import (
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/plugin/cluster"
)

// Who says the verb first is told the command, and who names what is not there, where
// to look, without the same words twice.
func TestErrorsNameTheNextStep(t *testing.T) {
	t.Parallel()
	g := &group{T: t, socket: "/no/such/socket", config: t.TempDir()}
	for line, want := range map[string]string{
		"logs":                        "did you mean `belfry events`?",
		"task rm nightly":             "did you mean `belfry task delete`?",
		"context delete prod":         "did you mean `belfry context remove`?",
		"get tasks":                   "the noun goes first: `belfry task list`",
		"get task nightly":            "the noun goes first: `belfry task show nightly`",
		"describe node n1":            "the noun goes first: `belfry node show n1`",
		"pause task nightly":          "the noun goes first: `belfry task pause nightly`",
		"tsk":                         "did you mean `belfry task`?",
		"get nothing":                 "unknown command \"get\" for \"belfry\"  [invalid]\n",
		"status --connect unix:///no": "Error: no host answers at unix:///no: connect: no such file or directory  [unavailable]\n  is belfryd running?",
	} {
		_, errs, code := g.belfry(strings.Fields(line)...)
		if code == 0 || !strings.Contains(errs, want) {
			t.Errorf("belfry %s: %d, %q, want %q", line, code, errs, want)
		}
	}
	alone := newGroup(t, cluster.Options{}, "n1")
	for line, want := range map[string]string{
		"task show zzz":          "Error: there is no task zzz  [not_found]\n  see task list\n",
		"calendar show zzz":      "Error: there is no calendar zzz  [not_found]\n  see calendar list\n",
		"node show zzz":          "Error: there is no node zzz  [not_found]\n  see node list\n",
		"task list --state late": "Error: state late is unknown  [invalid]\n  ",
	} {
		if _, errs, code := alone.belfry(strings.Fields(line)...); code == 0 || !strings.HasPrefix(errs, want) {
			t.Errorf("belfry %s: %d, %q, want %q", line, code, errs, want)
		}
	}
}
