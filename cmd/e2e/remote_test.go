//go:build e2e

package e2e

import (
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/dataservice/source/sourcetest"
)

// A service known only by its WSDL: one host has the original's sample, another
// knows of it what `service add` reads, and raises the salary there.
func TestServiceKnownByItsWSDL(t *testing.T) {
	t.Parallel()
	p := newPayroll(t, "Payroll", open(t, "sqlite", sourcetest.OpenSQLite(t)))
	theirs := newHost(t, map[string]string{"payroll.dbs": p.descriptor(t)}, p.mapping()...)
	theirs.start()
	ours := newHost(t, nil, "--config", "belfryd.yaml")
	ours.write("belfryd.yaml", "egress: {allow: [loopback]}\n")
	ours.start()

	_, stderr, code := ours.belfry("service", "add", "Pay", "--wsdl", theirs.url("/services/"))
	if code == 0 || !strings.Contains(stderr, "answered") && !strings.Contains(stderr, "neither WSDL") {
		t.Errorf("a page was taken for a WSDL: exit %d, %s", code, stderr)
	}
	out := ours.must("service", "add", "Pay", "--wsdl", theirs.url("/services/Payroll?wsdl"))
	if !strings.Contains(out, "incrementEmployeeSalary()") || !strings.Contains(out, "it has parameters") {
		t.Errorf("added:\n%s", out)
	}
	ours.must("task", "create", "raise", "--service", "Pay", "--operation", "incrementEmployeeSalary", "--interval", "1s", "--count", "4")
	eventually(t, patience, "five raises", func() bool { return p.salary(t) == 50000 })
	if _, stderr, code := ours.belfry("task", "create", "add", "--service", "Pay", "--operation", "addEmployee", "--interval", "1s"); code == 0 || !strings.Contains(stderr, "it has parameters") {
		t.Errorf("an operation with parameters was scheduled: %s", stderr)
	}
	v := show[struct {
		Kind  string `json:"kind"`
		Calls string `json:"calls"`
	}](ours, "task", "show", "raise")
	if v.Kind != "soap" || v.Calls != "Pay.incrementEmployeeSalary" {
		t.Errorf("%+v", v)
	}
	ours.must("service", "remove", "Pay", "--yes")
	ours.stop()
	theirs.stop()
}
