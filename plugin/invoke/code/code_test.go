package code

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// services is a host with one service.
type services struct{ asked []string }

func (s *services) Invoke(_ context.Context, service, operation string, params map[string][]string) (Answer, error) {
	s.asked = append(s.asked, service+"."+operation+" "+strings.Join(params["code"], ","))
	return Answer{Rows: 3, Body: []byte("<a/>")}, nil
}

func (s *services) Access(_ context.Context, service, method, path string, _ map[string][]string) (Answer, error) {
	s.asked = append(s.asked, method+" "+service+"/"+path)
	return Answer{}, errors.New("no such product")
}

func (*services) Active(service string) bool { return service == "Stock" }

func call(name string) task.Call {
	return task.Call{
		Info:   task.Info{Key: task.Key{Name: "t"}, Do: &task.Action{Code: &task.CodeCall{Name: name}, Properties: map[string]string{"into": "x"}}},
		FireID: "1-u:1000", Scheduled: time.UnixMilli(1000), Attempt: 2,
	}
}

func TestCodeSeesItsRunAndItsHost(t *testing.T) {
	t.Parallel()
	host := &services{}
	var seen Context
	c := New(Registry{"stocktaking": Func(func(ctx context.Context, tc *Context) error {
		seen = *tc
		if err := tc.CheckServices("Stock"); err != nil {
			return err
		}
		if err := tc.CheckServices("Stock", "Gone"); err == nil || !strings.Contains(err.Error(), "Gone") {
			t.Errorf("services: %v", err)
		}
		if a, err := tc.InvokeOperation(ctx, "Stock", "get", map[string][]string{"code": {"a", "b"}}); err != nil || a.Rows != 3 {
			t.Errorf("operation: %+v, %v", a, err)
		}
		tc.Properties["into"] = "elsewhere" // its own copy
		_, err := tc.AccessResource(ctx, "Stock", "GET", "product/1", nil)
		return err
	})}, host)
	asked := call("stocktaking")
	r := c.Invoke(t.Context(), asked)
	if r.Outcome != task.Failed || r.Error != "no such product" || r.NotSent || r.Open {
		t.Errorf("result %+v", r)
	}
	if got := strings.Join(host.asked, "; "); got != "Stock.get a,b; GET Stock/product/1" {
		t.Errorf("asked %s", got)
	}
	if seen.Task.Name != "t" || seen.FireID != "1-u:1000" || seen.Attempt != 2 || !seen.Scheduled.Equal(time.UnixMilli(1000)) || seen.Event != nil {
		t.Errorf("context %+v", seen)
	}
	if asked.Info.Do.Properties["into"] != "x" {
		t.Error("the definition was written into")
	}
}

func TestHowCodeEnds(t *testing.T) {
	t.Parallel()
	c := New(Registry{
		"ok":     Func(func(context.Context, *Context) error { return nil }),
		"panics": Func(func(context.Context, *Context) error { panic("no stock") }),
		"waits": Func(func(ctx context.Context, _ *Context) error {
			<-ctx.Done()
			return ctx.Err()
		}),
	}, &services{})
	for name, want := range map[string]task.Result{
		"ok":      {Outcome: task.OK},
		"panics":  {Outcome: task.Failed, Error: "panic: no stock"},
		"nowhere": {Outcome: task.Failed, NotSent: true, Error: "this host has no code named nowhere"},
	} {
		if got := c.Invoke(t.Context(), call(name)); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if got := c.Invoke(ctx, call("waits")); got.Outcome != task.TimedOut {
			t.Errorf("late: %+v", got)
		}
		ctx, cancel = context.WithCancel(t.Context())
		cancel()
		if got := c.Invoke(ctx, call("waits")); got.Outcome != task.Failed {
			t.Errorf("cancelled: %+v", got)
		}
	})
	if err := c.Run(t.Context(), "nowhere", &Context{}); err == nil {
		t.Error("code that is not there ran")
	}
}

func TestRegistries(t *testing.T) {
	t.Parallel()
	f := Func(func(context.Context, *Context) error { return nil })
	good := Registry{"b.b": f, "a-1": f}
	if err := good.Check(); err != nil || strings.Join(good.Names(), " ") != "a-1 b.b" {
		t.Errorf("%v %v", err, good.Names())
	}
	for _, bad := range []Registry{{"": f}, {"a b": f}, {"-a": f}, {strings.Repeat("x", 65): f}, {"a": nil}} {
		if bad.Check() == nil {
			t.Errorf("%v was taken", bad.Names())
		}
	}
	c := New(good, &services{})
	delete(good, "a-1")
	if !c.Has("a-1") {
		t.Error("what is registered can be changed from outside")
	}
}
