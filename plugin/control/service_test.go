package control

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/call"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/store"
)

func names(services []contract.ServiceView) string {
	var all []string
	for _, s := range services {
		all = append(all, s.Name+"@"+s.Node+":"+s.Status)
	}
	return strings.Join(all, " ")
}

func TestServicesAreThoseOfLivingHosts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const known = "Broken@n1:failed Sheets@n1:active Stock@n1:active"
	check := func(want string) {
		t.Helper()
		services, err := w.control.Services(t.Context())
		if err != nil || names(services) != want {
			t.Errorf("%s, %v; want %s", names(services), err, want)
		}
	}
	check(known) // no host is up: what was
	w.join("n2")
	if err := Publish(t.Context(), w.owner, catalogue()[:1]); err != nil {
		t.Fatal(err)
	}
	check("Stock@n2:active")
	_, err := w.control.Service(t.Context(), "Stok")
	if e := refused(t, err, failure.CodeNotFound); e.Hint != "did you mean Stock?" {
		t.Errorf("hint %q", e.Hint)
	}
	ops, err := w.control.Operations(t.Context(), "")
	if err != nil || len(ops) != 2 || ops[0].Name != "getLowStock" || ops[0].Parameters == nil {
		t.Errorf("%+v, %v", ops, err)
	}
	w.leave()
	check(known + " Stock@n2:active")
	if s, err := w.control.Service(t.Context(), "Stock"); err != nil || s.Node != "n1" {
		t.Errorf("%+v, %v", s, err)
	}
}

// host answers as the composition root's does.
type host func(ctx context.Context, r call.TryRequest) (call.TryResult, error)

func (h host) TryOperation(ctx context.Context, r call.TryRequest) (call.TryResult, error) {
	return h(ctx, r)
}

func TestTryOperation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	_, err := w.control.TryOperation(ctx, "Stock", "setStock", nil, "")
	refused(t, err, failure.CodeUnavailable) // no host
	w.join("n1")
	_, err = w.control.TryOperation(ctx, "Stock", "setStock", nil, "")
	refused(t, err, failure.CodeUnavailable) // it does not answer yet
	call.ServeTries(w.member, host(func(_ context.Context, r call.TryRequest) (call.TryResult, error) {
		switch r.Params["code"][0] {
		case "refused":
			return call.TryResult{}, &failure.Error{Code: failure.CodeInvalid, Message: "quantity is missing", Hint: "add it"}
		case "odd":
			return call.TryResult{}, errors.New("odd")
		case "big":
			return call.TryResult{Body: make([]byte, call.MaxTryBody+1)}, nil
		case "most":
			return call.TryResult{Body: make([]byte, call.MaxTryBody)}, nil
		}
		return call.TryResult{ContentType: r.Accept, Rows: 2, Body: []byte(r.Service + "\n\n" + strings.Join(r.Params["code"], ","))}, nil
	}))
	try := func(codes ...string) (call.TryResult, error) {
		return w.control.TryOperation(ctx, "Stock", "setStock", map[string][]string{"code": codes}, "text/plain")
	}
	r, err := try("a", "b")
	if err != nil || r.ContentType != "text/plain" || r.Rows != 2 || string(r.Body) != "Stock\n\na,b" || r.Elapsed < 0 || r.Elapsed > time.Minute {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err = try("most"); err != nil || len(r.Body) != call.MaxTryBody {
		t.Errorf("%d bytes, %v", len(r.Body), err)
	}
	_, err = try("refused")
	if e := refused(t, err, failure.CodeInvalid); e.Message != "quantity is missing (add it)" {
		t.Errorf("%q", e.Message)
	}
	_, err = try("odd")
	refused(t, err, failure.CodeInternal)
	_, err = try("big")
	refused(t, err, failure.CodeInvalid)
	_, err = w.control.TryOperation(ctx, "Stock", "setStok", nil, "")
	if e := refused(t, err, failure.CodeNotFound); e.Hint != "did you mean setStock?" {
		t.Errorf("hint %q", e.Hint)
	}
	_, err = w.control.TryOperation(ctx, "Nope", "x", nil, "")
	refused(t, err, failure.CodeNotFound)
}

func TestEventsAndNodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.join("n2")
	at := time.UnixMilli(1_700_000_000_000)
	for _, text := range []string{"first", "second"} {
		e := store.Event{Time: at, Level: "warn", Code: "RUN_FAILED", Object: "x", Text: text}
		if err := store.New(w.member, store.Options{}).Append(t.Context(), "n2", e); err != nil {
			t.Fatal(err)
		}
	}
	events, err := w.control.Events(t.Context(), 1)
	want := contract.EventView{Time: at.UTC(), Level: "warn", Code: "RUN_FAILED", Object: "x", Text: "second", Node: "n2"}
	if err != nil || !slices.Equal(events, []contract.EventView{want}) {
		t.Errorf("%+v, %v", events, err)
	}
	nodes, err := w.control.Nodes(t.Context())
	if err != nil || len(nodes) != 1 || nodes[0].Name != "n2" || nodes[0].Running != 3 || nodes[0].Address != "127.0.0.1:8280" {
		t.Errorf("%+v, %v", nodes, err)
	}
}

// Before any host was there, everything says so.
func TestAnEmptyStore(t *testing.T) {
	t.Parallel()
	client := newEmpty()
	c := New(Deps{KV: client, Members: client, Caller: client})
	_, err := c.Status(t.Context())
	refused(t, err, failure.CodeUnavailable)
	_, _, err = c.CreateTask(t.Context(), minutely("x"))
	refused(t, err, failure.CodeInvalid) // nothing is deployed
	_, err = c.Runs(t.Context(), RunFilter{Task: "x"})
	refused(t, err, failure.CodeUnavailable)
}
