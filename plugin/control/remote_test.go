package control

import (
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/task"
)

// A service of another system is scheduled like our own, and stays what it was
// when the task was made.
func TestRemoteServices(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := w.Context()
	payroll := task.RemoteService{
		Name: "Payroll", WSDL: "https://example.org/payroll?wsdl", Endpoint: "https://example.org/payroll", Version: "1.2",
		Operations: []task.RemoteOperation{
			{Name: "raise", Action: "urn:raise", Payload: `<p:raise xmlns:p="u"/>`},
			{Name: "raiseBy", Parameters: []string{"percent"}, Why: "it has parameters: percent"},
		},
	}
	v, err := w.control.AddService(ctx, payroll)
	if err != nil || v.Status != contract.StatusRemote || len(v.Operations) != 2 || v.Deployed == nil || v.File != payroll.WSDL {
		t.Fatalf("%+v, %v", v, err)
	}
	_, err = w.control.AddService(ctx, payroll)
	refused(t, err, failure.CodeExists)
	for _, bad := range []task.RemoteService{
		{Name: "Stock", Endpoint: payroll.Endpoint}, {Name: "a/b", Endpoint: payroll.Endpoint}, {Name: "x", Endpoint: "file:///x"},
	} {
		if _, err := w.control.AddService(ctx, bad); err == nil {
			t.Errorf("%+v was added", bad)
		}
	}
	info := minutely("raise")
	info.Service, info.Operation = "Payroll", "raise"
	got := w.create(info)
	want := &task.SOAPCall{
		Endpoint: payroll.Endpoint, WSDL: payroll.WSDL, Operation: "raise", Action: "urn:raise", Version: "1.2", Payload: `<p:raise xmlns:p="u"/>`,
	}
	if got.Kind != task.KindSOAP || got.Calls != "Payroll.raise" || got.Delivery != task.AtLeastOnce ||
		got.Do.Hash() != (&task.Action{SOAP: want}).Hash() {
		t.Errorf("%+v, %+v", got, got.Do.SOAP)
	}
	info.Name, info.Operation = "by", "raiseBy"
	_, _, err = w.control.CreateTask(ctx, info)
	if e := refused(t, err, failure.CodeInvalid); !strings.Contains(e.Message, "it has parameters: percent") || !strings.Contains(e.Hint, "Payroll.raise") {
		t.Errorf("%s (%s)", e.Message, e.Hint)
	}
	info.Operation, info.Delivery = "raise", task.EffectivelyOnce
	_, _, err = w.control.CreateTask(ctx, info)
	refused(t, err, failure.CodeInvalid)
	_, err = w.control.TryOperation(ctx, "Payroll", "raise", nil, "")
	refused(t, err, failure.CodeInvalid)
	_, err = w.control.FetchWSDL(ctx, payroll.WSDL)
	refused(t, err, failure.CodeUnavailable) // no host is up
	if err := w.control.RemoveService(ctx, "Payroll"); err != nil {
		t.Fatal(err)
	}
	refused(t, w.control.RemoveService(ctx, "Payroll"), failure.CodeNotFound)
	if v := w.task("raise"); v.Kind != task.KindSOAP {
		t.Errorf("the task went with its service: %+v", v)
	}
}
