package query_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/query"
	"github.com/seed42aab489/belfry/dataservice/query/inbox"
)

// salaries is what the employees earn together.
func (p *place) salaries() float64 {
	p.Helper()
	return p.number("SELECT sum(salary) FROM Employees")
}

const start = 3500.5 // the salaries at first

// testOnce repeats firings: each raises the salaries once.
func testOnce(p *place) {
	t := p.T
	r := p.rig("ScheduleTaskTest", nil, nil)
	now := time.Now()
	for i := range 9 {
		o, err := r.rt.Run(t.Context(), r.fireReq("incrementEmployeeSalary", fmt.Sprintf("uid:%d", i%3), now, nil), drop{})
		if err != nil {
			t.Fatal(err, errors.Unwrap(err))
		}
		if o.Replayed != (i >= 3) || o.Rows != 2 {
			t.Errorf("call %d: %+v", i, o)
		}
	}
	if got := p.salaries(); got != start+2*3*10000 {
		t.Errorf("salaries %v, want %v", got, start+60000)
	}
	ok, why, err := r.rt.Transactional(t.Context(), "incrementEmployeeSalaryQuery")
	if !ok || err != nil {
		t.Errorf("not transactional: %s, %v", why, err)
	}
}

// testRace lets several executors, as of several members, fire the same instants
// at once.
func testRace(p *place) { race(p, "") }

// testSerializable does so under the strictest isolation.
func testSerializable(p *place) { race(p, "TRANSACTION_SERIALIZABLE") }

func race(p *place, isolation string) {
	t := p.T
	var rigs []*rig
	for range 3 {
		svc := load(t, "ScheduleTaskTest")
		svc.Sources[0].Properties["defaultTransactionIsolation"] = isolation
		rigs = append(rigs, rigOf(t, svc, p.server.URL, nil, nil))
	}
	now := time.Now()
	const firings = 10
	var wg sync.WaitGroup
	for _, r := range rigs {
		for range 2 {
			wg.Go(func() {
				for i := range firings {
					for attempt := 0; ; attempt++ {
						_, err := r.rt.Run(t.Context(), r.fireReq("incrementEmployeeSalary", fmt.Sprintf("uid:%d", i), now, nil), drop{})
						if err == nil {
							break
						}
						var f *dataservice.Fault
						if !errors.As(err, &f) || f.Kind != dataservice.FaultInProgress && f.Kind != dataservice.FaultBusy || attempt > 100 {
							t.Errorf("firing %d: %v (%v)", i, err, errors.Unwrap(err))
							return
						}
					}
				}
			})
		}
	}
	wg.Wait()
	if got := p.salaries(); got != start+2*firings*10000 {
		t.Errorf("salaries %v, want %v", got, start+2*firings*10000)
	}
}

// testInProgress holds the key in an unfinished transaction, as a frozen member
// would, then lets it die.
func testInProgress(p *place) {
	t := p.T
	r := p.rig("ScheduleTaskTest", nil, func(o *query.Options) { o.Inbox.LockWait = 200 * time.Millisecond })
	now := time.Now()
	if _, err := r.rt.Run(t.Context(), r.fireReq("incrementEmployeeSalary", "first", now, nil), drop{}); err != nil {
		t.Fatal(err)
	}
	tx, err := p.db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback() //nolint:errcheck // it may be over
	if _, err := tx.Exec("INSERT INTO belfry_inbox (fire_id, claimed_at, executed_at, state) VALUES ('held', 0, 0, 'open')"); err != nil {
		t.Fatal(err)
	}
	_, err = r.rt.Run(t.Context(), r.fireReq("incrementEmployeeSalary", "held", now, nil), drop{})
	kind := dataservice.FaultInProgress
	if p.server.Driver == "sqlite" {
		kind = dataservice.FaultBusy // the whole file is locked
	}
	if f := wantFault(t, err, kind); errors.Is(f, query.ErrRecorded) || f.Final {
		t.Error("a firing in progress counts as recorded")
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	o, err := r.rt.Run(t.Context(), r.fireReq("incrementEmployeeSalary", "held", now, nil), drop{})
	if err != nil || o.Replayed {
		t.Fatalf("%+v, %v", o, err)
	}
	if got := p.salaries(); got != start+2*2*10000 {
		t.Errorf("salaries %v", got)
	}
}

// testFailure records a failure of the business with the firing.
func testFailure(p *place) {
	t := p.T
	r := p.rig("ScheduleTaskTest", nil, nil)
	v := one("employeeNumber", "1002", "lastName", "Twice", "firstName", "x", "email", "a@b.com", "salary", "1")
	first := ""
	for i := range 2 {
		_, err := r.rt.Run(t.Context(), r.fireReq("addEmployee", "dup", time.Now(), v), drop{})
		f := wantFault(t, err, dataservice.FaultInternal)
		if !errors.Is(err, query.ErrRecorded) || !f.Final || !strings.Contains(f.Message, "exists already") {
			t.Errorf("call %d: %v (%v)", i, f, f.Err)
		}
		if i == 0 {
			first = f.Message
			p.exec("DELETE FROM Employees WHERE employeeNumber = 1002") // the reason is gone, the answer stays
		} else if f.Message != first {
			t.Errorf("answered %q, then %q", first, f.Message)
		}
	}
	if got := p.number("SELECT count(*) FROM Employees"); got != 1 {
		t.Errorf("%v employees, want 1", got)
	}
	// The database's own words are for the log only.
	_, err := r.xml("addEmployee", one("employeeNumber", "1056", "lastName", "Twice", "firstName", "x", "email", "a@b.com", "salary", "1"))
	if f := wantFault(t, err, dataservice.FaultInternal); strings.Contains(f.Message, "1056") || f.Err == nil {
		t.Errorf("%v", f)
	}
}

// testLostEvents lets the events' store fail after the commit: asked again, the
// inbox raises the same.
func testLostEvents(p *place) {
	t := p.T
	down := true
	b := &bell{rings: func(dataservice.Observation) bool { return true }, acceptBy: func() error {
		if down {
			return errors.New("the store is away")
		}
		return nil
	}}
	r := p.rig("EventingSample", b, nil)
	v := one("productCode", "S10_1678", "quantityInStock", "5")
	_, err := r.rt.Run(t.Context(), r.fireReq("updateProductQuantity", "e", time.Now(), v), drop{})
	if f := wantFault(t, err, dataservice.FaultInternal); errors.Is(err, query.ErrRecorded) || f.Final {
		t.Error("the fault counts as recorded")
	}
	down = false
	for range 2 {
		o, err := r.rt.Run(t.Context(), r.fireReq("updateProductQuantity", "e", time.Now(), v), drop{})
		if err != nil || !o.Replayed {
			t.Fatalf("%+v, %v", o, err)
		}
	}
	hits := b.accepted()
	if len(hits) != 2 || hits[0] != hits[1] || !strings.HasPrefix(hits[0], "product_stock_low_trigger|") {
		t.Errorf("hits %q", hits)
	}
	if len(b.seen) != 1 {
		t.Errorf("observed %d times, want once", len(b.seen))
	}
}

// testReadEvents: a firing that only reads needs no row, unless it rang.
func testReadEvents(p *place) {
	t := p.T
	ring := false
	b := &bell{rings: func(dataservice.Observation) bool { return ring }}
	r := p.rig("EventingSample", b, nil)
	v := one("productCode", "S10_1678")
	run := func(id string) query.Outcome {
		t.Helper()
		o, err := r.rt.Run(t.Context(), r.fireReq("getProductByCode", id, time.Now(), v), drop{})
		if err != nil {
			t.Fatal(err, errors.Unwrap(err))
		}
		return o
	}
	if o := run("quiet"); o.Replayed || o.Rows != 1 {
		t.Errorf("%+v", o)
	}
	if o := run("quiet"); o.Replayed {
		t.Errorf("a firing without events was recorded: %+v", o)
	}
	ring = true
	if o := run("loud"); o.Replayed {
		t.Errorf("%+v", o)
	}
	ring = false // the condition does not hold any more; the event stays
	if o := run("loud"); !o.Replayed || o.Rows != 1 {
		t.Errorf("%+v", o)
	}
	if hits := b.accepted(); len(hits) != 2 || hits[0] != hits[1] {
		t.Errorf("hits %q", hits)
	}
	if got := p.number("SELECT count(*) FROM belfry_inbox"); got != 1 {
		t.Errorf("%v rows in the inbox, want 1", got)
	}
}

// testHorizon sweeps, and then refuses what was claimed before.
func testHorizon(p *place) {
	t := p.T
	now := time.Now()
	clock := now
	r := p.rig("ScheduleTaskTest", nil, func(o *query.Options) { o.Now = func() time.Time { return clock } })
	if err := r.engine.Sweep(t.Context()); err != nil {
		t.Errorf("a sweep before there is an inbox: %v", err)
	}
	fire := func(id string, at time.Time) error {
		_, err := r.rt.Run(t.Context(), r.fireReq("incrementEmployeeSalary", id, at, nil), drop{})
		return err
	}
	for i := range 3 {
		if err := fire(fmt.Sprint("old", i), now); err != nil {
			t.Fatal(err)
		}
	}
	clock = now.Add(inbox.DefaultRetention + time.Hour)
	if err := fire("new", clock); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := r.engine.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := p.number("SELECT count(*) FROM belfry_inbox WHERE fire_id <> '!horizon'"); got != 1 {
		t.Errorf("%v rows left, want 1", got)
	}
	wantFault(t, fire("old1", now), dataservice.FaultExpired)
	if err := fire("new", clock); err != nil {
		t.Error(err)
	}
	if got := p.salaries(); got != start+4*2*10000 {
		t.Errorf("salaries %v", got)
	}
}
