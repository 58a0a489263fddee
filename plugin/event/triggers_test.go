package event

import (
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

const lowStock = `/updateProductQuantityQuery/quantityInStock<10`

func low(change func(*TriggerSpec)) TriggerSpec {
	s := TriggerSpec{
		ID: "product_stock_low", Expression: lowStock, Topic: "product_stock_low_topic",
		Subscriptions: []string{"mailto:test@test.com"},
	}
	if change != nil {
		change(&s)
	}
	return s
}

func quantity(n int, request string, at time.Time) Observation {
	return Observation{
		Service: "Stock", Query: "updateProductQuantityQuery", Trigger: "product_stock_low", Input: true, Request: request, At: at,
		Document: fmt.Appendf(nil, "<updateProductQuantityQuery><quantityInStock>%d</quantityInStock>"+
			"<productCode>S10_1678</productCode></updateProductQuantityQuery>", n),
	}
}

// observe shows observations of one request and accepts their hits.
func observe(t *testing.T, tr *Triggers, os ...Observation) [][]byte {
	t.Helper()
	var hits [][]byte
	for _, o := range os {
		hit, err := tr.Observe(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if hit != nil {
			hits = append(hits, hit)
		}
	}
	if err := tr.Accept(t.Context(), hits); err != nil {
		t.Fatal(err)
	}
	return hits
}

// corpus reads the event triggers of a descriptor that users have.
func corpus(t *testing.T, name string) []TriggerSpec {
	t.Helper()
	dir := os.Getenv("BELFRY_CORPUS")
	if dir == "" {
		dir = "../../../shared/corpus"
	}
	data, err := os.ReadFile(filepath.Join(dir, "wso2", "descriptors", name))
	if err != nil {
		t.Skipf("SKIPPED: the corpus is not here (%v); name its folder in BELFRY_CORPUS", err)
	}
	var d struct {
		Triggers []struct {
			ID            string   `xml:"id,attr"`
			Language      string   `xml:"language,attr"`
			Expression    string   `xml:"expression"`
			Topic         string   `xml:"target-topic"`
			Subscriptions []string `xml:"subscriptions>subscription"`
		} `xml:"event-trigger"`
	}
	if err := xml.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	var specs []TriggerSpec
	for _, x := range d.Triggers {
		specs = append(specs, TriggerSpec{
			ID: x.ID, Language: x.Language, Expression: x.Expression, Topic: x.Topic, Subscriptions: x.Subscriptions,
		})
	}
	return specs
}

func TestEventingSample(t *testing.T) {
	t.Parallel()
	m := newMemory()
	tr := newTriggers(t, m)
	specs := corpus(t, "EventingSample.dbs")
	if len(specs) != 2 {
		t.Fatalf("%d triggers", len(specs))
	}
	deploy(t, tr, "EventingSample", specs...)
	input := func(n int) Observation {
		o := quantity(n, fmt.Sprint("r", n), start)
		o.Service, o.Trigger = "EventingSample", "product_stock_low_trigger"
		return o
	}
	observe(t, tr, input(50))
	if got := m.messages(); len(got) != 0 {
		t.Fatalf("a quantity of 50 rang: %+v", got)
	}
	observe(t, tr, input(5))
	got := m.messages()
	if len(got) != 1 {
		t.Fatalf("a quantity of 5 raised %d messages, want 1", len(got))
	}
	msg := got[0]
	if want := "[belfry] EventingSample: product_stock_low_trigger rang: quantityInStock 5"; msg.Subject != want {
		t.Errorf("subject %q, want %q", msg.Subject, want)
	}
	if msg.To != "mailto:test@test.com" || msg.Source.Topic != "product_stock_low_topic" {
		t.Errorf("to %s, source %+v", msg.To, msg.Source)
	}
	golden(t, "eventing-sample.txt", msg.Subject+"\n\n"+msg.Text+"\n"+string(msg.Event)+"\n")

	line := func(l string) Observation {
		return Observation{
			Service: "EventingSample", Query: "getProductByCodeQuery", Trigger: "product_line_motorcycles_trigger",
			Request: l, At: start, Document: []byte(`<Products xmlns="http://ws.wso2.org/dataservice/samples/eventing_sample"><Product>` +
				`<productCode>S10_1678</productCode><productLine>` + l + `</productLine></Product></Products>`),
		}
	}
	observe(t, tr, line("Ships"))
	observe(t, tr, line("Motorcycles"))
	if got := m.messages(); len(got) != 2 {
		t.Errorf("%d messages, want 2", len(got))
	}
}

func TestScheduledTextGolden(t *testing.T) {
	t.Parallel()
	m := newMemory()
	tr := newTriggers(t, m)
	deploy(t, tr, "Stock", TriggerSpec{
		ID: "low", Expression: "//qty < 10 or sum(//qty) < 5", Topic: "t", Subscriptions: []string{"mailto:a@b.example, c@d.example", "MAILTO:A@b.example"},
	})
	rows := ""
	for i := range 25 {
		rows += fmt.Sprintf("<row><code>C%02d</code><qty>%d</qty><name>A product of a name that is much too long %d</name></row>", i, i+8, i)
	}
	key := task.Key{Tenant: "default", Type: "DATA_SERVICE_TASK", Name: "watch"}
	observe(t, tr, Observation{
		Service: "Stock", Query: "lowQuery", Trigger: "low", Request: "u1:1764000000000", FireID: "u1:1764000000000", Task: &key,
		At: start, Document: []byte("<rows>" + rows + "</rows>"),
	})
	got := m.messages()
	if len(got) != 2 || got[0].ID == got[1].ID {
		t.Fatalf("%d messages, want one for each of two addresses", len(got))
	}
	golden(t, "scheduled.txt", got[0].Subject+"\n\n"+got[0].Text)
}

func TestAcceptIsIdempotent(t *testing.T) {
	t.Parallel()
	m := newMemory()
	tr := newTriggers(t, m)
	deploy(t, tr, "Stock", low(nil))
	// Three updates in one request: a batch, of which two rang, one like the other.
	hits := observe(t, tr, quantity(5, "r", start), quantity(50, "r", start), quantity(5, "r", start))
	if n := len(m.messages()); n != 2 {
		t.Fatalf("%d messages, want 2", n)
	}
	m.outbox = map[string]Pending{} // delivered meanwhile
	for range 3 {
		if err := tr.Accept(t.Context(), hits); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(m.messages()); n != 0 {
		t.Errorf("the replay raised %d messages again", n)
	}
	// And by another host, on which the service is not even deployed.
	if err := newTriggers(t, m).Accept(t.Context(), hits); err != nil || len(m.messages()) != 0 {
		t.Errorf("%v, %d messages", err, len(m.messages()))
	}
}

// TestManyHits: a request of many rings takes few commits, each within bounds,
// and its replay none.
func TestManyHits(t *testing.T) {
	t.Parallel()
	m, commits := newMemory(), 0
	m.fail = func(op string, after bool) error {
		if op == "accept" && after {
			commits++
		}
		return nil
	}
	tr := newTriggers(t, m)
	deploy(t, tr, "Stock", low(func(s *TriggerSpec) { s.Subscriptions = []string{"mailto:a@b,c@d"} }))
	var all []Observation
	for i := range 200 {
		all = append(all, quantity(i%10, "r", start.Add(time.Duration(i)*time.Millisecond)))
	}
	hits := observe(t, tr, all...)
	if n := len(m.messages()); n != 400 || commits > 4 || m.sizes > MaxAccept {
		t.Errorf("%d messages in %d commits, the largest of %d bytes", n, commits, m.sizes)
	}
	commits = 0
	if err := tr.Accept(t.Context(), hits); err != nil || commits != 0 {
		t.Errorf("the replay: %v, %d commits", err, commits)
	}
}

// TestAcceptUnderFaults: whatever the store answers, after the retry that
// succeeds each hit has raised its message exactly once.
func TestAcceptUnderFaults(t *testing.T) {
	t.Parallel()
	m := newMemory()
	rng := newRand()
	m.fail = func(_ string, after bool) error {
		switch rng.IntN(4) {
		case 0:
			if after {
				return ErrUnknownOutcome
			}
			return ErrConflict
		case 1:
			if !after {
				return ErrUnavailable
			}
		}
		return nil
	}
	tr := newTriggers(t, m)
	deploy(t, tr, "Stock", low(nil))
	for i := range 50 {
		fired := quantity(5, fmt.Sprint("r", i), start)
		fired.FireID = task.FireID(fmt.Sprintf("3-abc:%d", i))
		hit, err := tr.Observe(t.Context(), fired)
		if err != nil {
			t.Fatal(err)
		}
		for tr.Accept(t.Context(), [][]byte{hit}) != nil {
			continue // as a request does whose settlement is tried again
		}
	}
	if len(m.ever) != 50 {
		t.Errorf("%d messages, want 50", len(m.ever))
	}
	for id, n := range m.ever {
		if n != 1 {
			t.Errorf("message %s was raised %d times", id, n)
		}
	}
}

func TestHoldAndDigestAcrossRestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		spec := low(func(s *TriggerSpec) { s.Edge, s.Hold, s.Digest = true, "30s", "1m" })
		first := newTriggers(t, m)
		deploy(t, first, "Stock", spec)
		if err := first.Start(); err != nil {
			t.Fatal(err)
		}
		observe(t, first, quantity(5, "r1", time.Now()))
		time.Sleep(10 * time.Second)
		if err := first.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(40 * time.Second) // the hold ended while nobody was up

		second := newTriggers(t, m)
		deploy(t, second, "Stock", spec)
		if err := second.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(39 * time.Second)
		synctest.Wait()
		if n := len(m.messages()); n != 0 {
			t.Fatalf("%d messages before the digest is due, at 30s + 1m", n)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if n := len(m.messages()); n != 1 {
			t.Fatalf("%d messages, want the digest", n)
		}
		if err := second.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := second.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

// TestTimersOfTwoHosts: both watch the same hold, one rings.
func TestTimersOfTwoHosts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		spec := low(func(s *TriggerSpec) { s.Hold = "10s" })
		a, b := newTriggers(t, m), newTriggers(t, m)
		for _, tr := range []*Triggers{a, b} {
			deploy(t, tr, "Stock", spec)
			if err := tr.Start(); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(rescan / 2)
		observe(t, a, quantity(5, "r1", time.Now()))
		if err := a.Stop(t.Context()); err != nil { // a dies; b finds out by itself
			t.Fatal(err)
		}
		time.Sleep(rescan + time.Second)
		synctest.Wait()
		if n := m.ever; len(n) != 1 {
			t.Errorf("raised %v, want one message", n)
		}
		if err := b.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}
