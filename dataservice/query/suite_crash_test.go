package query_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/query"
	"github.com/seed42aab489/belfry/dataservice/source"
)

// childURL and childFirings tell the test binary that it is a member that fires.
const (
	childURL     = "BELFRY_TEST_CHILD_URL"
	childFirings = 300
)

// TestMain turns the test binary into such a member, if it is told to.
func TestMain(m *testing.M) {
	if url := os.Getenv(childURL); url != "" {
		if err := child(url); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// child fires every instant until each was answered for good.
func child(url string) error {
	engine, err := query.New(query.Options{
		Sources: source.NewSet(source.Options{Mappings: []source.Mapping{{Match: "*", URL: url}}}),
		Inbox:   query.InboxOptions{LockWait: time.Second},
	})
	if err != nil {
		return err
	}
	svc := &dataservice.Service{
		Name: "Child", Active: true,
		Sources: []*dataservice.Source{{ID: "default", Kind: dataservice.SourceSQL, Properties: map[string]string{"url": "jdbc:h2:x"}}},
		Queries: []*dataservice.Query{{ID: "q", Source: "default", SQL: map[string]string{"": "update Employees set salary=salary+10000"}}},
	}
	rt, err := engine.Open(context.Background(), svc, nil)
	if err != nil {
		return err
	}
	claimed := time.Now()
	for i := range childFirings {
		for attempt := 0; ; attempt++ {
			_, err := rt.Run(context.Background(), dataservice.Request{
				Name: "o", Target: dataservice.CallQuery{Query: "q"},
				Fire: &dataservice.FireKey{ID: fmt.Sprintf("uid:%d", i), ClaimedAt: claimed},
			}, drop{})
			if err == nil {
				break
			}
			if attempt > 200 {
				return fmt.Errorf("firing %d: %w: %w", i, err, errors.Unwrap(err))
			}
		}
	}
	return rt.Close()
}

// testKilled lets two members fire the same instants and kills them with SIGKILL
// at random moments, again and again: each instant has its effect once.
func testKilled(p *place) {
	t := p.T
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	var wg sync.WaitGroup
	var kills atomic.Int64
	for n := range 2 {
		rnd := rand.New(rand.NewPCG(seed, uint64(n)))
		wg.Go(func() {
			for life := 0; ; life++ {
				ctx, cancel := context.WithCancel(t.Context())
				if life < 12 {
					time.AfterFunc(time.Duration(20+rnd.IntN(100))*time.Millisecond, cancel)
				}
				cmd := exec.CommandContext(ctx, os.Args[0])
				cmd.Env = append(os.Environ(), childURL+"="+p.server.URL)
				out, err := cmd.CombinedOutput()
				killed := ctx.Err() != nil
				cancel()
				if err == nil {
					return
				}
				kills.Add(1)
				if !killed {
					t.Errorf("member %d: %v: %s", n, err, out)
					return
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d kills", kills.Load())
	if got := p.salaries(); got != start+2*childFirings*10000 {
		t.Errorf("salaries %v, want %v", got, start+2*childFirings*10000)
	}
	if got := p.number("SELECT count(*) FROM belfry_inbox"); got != childFirings {
		t.Errorf("%v rows in the inbox, want %d", got, childFirings)
	}
}

// frozen is a bell that stops inside the transaction, as a frozen process does,
// the first time.
func frozen() (b *bell, inside <-chan struct{}, thaw func()) {
	in, go_ := make(chan struct{}), make(chan struct{})
	var once sync.Once
	b = &bell{rings: func(dataservice.Observation) bool {
		once.Do(func() {
			close(in)
			<-go_
		})
		return false
	}}
	return b, in, sync.OnceFunc(func() { close(go_) })
}

// testFrozen freezes a member inside the transaction of a firing: the database
// ends it, another member fires, and the frozen one fails when it wakes.
func testFrozen(p *place) {
	t := p.T
	if p.server.Driver == "sqlite" {
		t.Log("a process that is frozen with SQLite's lock holds up the others until it dies: nothing to show here")
		return
	}
	b, inside, thaw := frozen()
	defer thaw()
	quick := func(o *query.Options) { o.Inbox.LockWait, o.Inbox.Idle = 100*time.Millisecond, 3*time.Second }
	first := p.rig("EventingSample", b, quick)
	v := one("productCode", "S10_1678", "quantityInStock", "5")
	failed := make(chan error, 1)
	go func() { // ends when it is thawed
		_, err := first.rt.Run(t.Context(), first.fireReq("updateProductQuantity", "f", time.Now(), v), drop{})
		failed <- err
	}()
	<-inside
	other := p.rig("EventingSample", &bell{rings: func(dataservice.Observation) bool { return false }}, quick)
	v2 := one("productCode", "S10_1678", "quantityInStock", "7")
	busy := 0
	for {
		o, err := other.rt.Run(t.Context(), other.fireReq("updateProductQuantity", "f", time.Now(), v2), drop{})
		if err == nil {
			if o.Replayed {
				t.Error("the frozen member's firing counts as done")
			}
			break
		}
		wantFault(t, err, dataservice.FaultInProgress)
		if busy++; busy > 200 {
			t.Fatal("the frozen transaction does not end")
		}
	}
	if busy == 0 {
		t.Error("the key was free although a transaction held it")
	}
	thaw()
	err := <-failed
	var f *dataservice.Fault
	if !errors.As(err, &f) || errors.Is(err, query.ErrRecorded) {
		t.Errorf("the frozen member: %v", err)
	}
	if got := p.number("SELECT quantityInStock FROM Products WHERE productCode='S10_1678'"); got != 7 {
		t.Errorf("quantity %v, want 7", got)
	}
}

// testFunction fires a query that writes after all, by a function.
func testFunction(p *place) {
	t := p.T
	switch p.server.Driver {
	case "sqlite":
		t.Log("SQLite has no functions that write")
		return
	case "pgx":
		p.exec(`CREATE FUNCTION raise_all() RETURNS integer LANGUAGE sql AS 'update Employees set salary=salary+10000; select 1'`)
	case "mysql":
		p.exec(`CREATE FUNCTION raise_all() RETURNS integer DETERMINISTIC MODIFIES SQL DATA BEGIN update Employees set salary=salary+10000; RETURN 1; END`)
	}
	svc := parse(t, `<query id="q"><sql>select raise_all() as n</sql><result element="R"><element name="n" column="n" xsdType="integer"/></result></query><operation name="o"><call-query href="q"/></operation>`)
	r := rigOf(t, svc, p.server.URL, nil, nil)
	for i := range 2 {
		o, err := r.rt.Run(t.Context(), r.fireReq("o", "f", time.Now(), nil), drop{})
		if err != nil || o.Replayed != (i == 1) {
			t.Fatalf("call %d: %+v, %v (%v)", i, o, err, errors.Unwrap(err))
		}
	}
	if got := p.salaries(); got != start+2*10000 {
		t.Errorf("salaries %v", got)
	}
}

// testLoose: a table without transactions offers at-least-once, and says so.
func testLoose(p *place) {
	t := p.T
	if p.server.Driver != "mysql" {
		t.Logf("%s has transactions on every table", p.server.Driver)
		return
	}
	p.exec("ALTER TABLE Employees ENGINE=MyISAM")
	r := p.rig("ScheduleTaskTest", nil, nil)
	ok, why, err := r.rt.Transactional(t.Context(), "incrementEmployeeSalaryQuery")
	if ok || err != nil || !strings.Contains(why, "employees is on a storage engine without transactions") {
		t.Errorf("%v, %q, %v", ok, why, err)
	}
	for range 2 {
		if o, err := r.rt.Run(t.Context(), r.fireReq("incrementEmployeeSalary", "f", time.Now(), nil), drop{}); err != nil || o.Replayed {
			t.Fatalf("%+v, %v", o, err)
		}
	}
	if got := p.salaries(); got != start+2*2*10000 {
		t.Errorf("salaries %v, want both runs' effect", got)
	}
	if ok, _, err := r.rt.Transactional(t.Context(), "employeesByNumberSQL"); !ok || err != nil {
		t.Errorf("a query that reads: %v, %v", ok, err)
	}
}

// testOff switches the inbox off.
func testOff(p *place) {
	t := p.T
	r := p.rig("ScheduleTaskTest", nil, func(o *query.Options) { o.Inbox.Off = true })
	for range 2 {
		if o, err := r.rt.Run(t.Context(), r.fireReq("incrementEmployeeSalary", "f", time.Now(), nil), drop{}); err != nil || o.Replayed {
			t.Fatalf("%+v, %v", o, err)
		}
	}
	if ok, why, _ := r.rt.Transactional(t.Context(), "incrementEmployeeSalaryQuery"); ok || why != "the inbox is switched off" {
		t.Errorf("%v, %q", ok, why)
	}
	var n int
	if err := p.db.QueryRow("SELECT count(*) FROM belfry_inbox").Scan(&n); err == nil {
		t.Error("the inbox was made although it is off")
	}
}
