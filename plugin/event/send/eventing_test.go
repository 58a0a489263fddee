package send

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/event"
	"github.com/seed42aab489/belfry/plugin/task"
)

// states keeps one trigger's state, over an outbox.
type states struct {
	*outbox
	data    []byte
	version int64
}

func (s *states) Get(context.Context, event.Ref) ([]byte, int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.data, s.version, nil
}

func (s *states) Accept(_ context.Context, _ event.Ref, version int64, data []byte, messages []task.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if version != s.version {
		return event.ErrConflict
	}
	s.data, s.version = data, version+1
	for _, m := range messages {
		if _, have := s.all[m.ID]; !have {
			s.all[m.ID] = event.Pending{Message: m, Key: m.ID}
		}
	}
	s.notify()
	return nil
}

// TestEventing is the original's EventingSample from the condition to a real
// SMTP server that is down at first: a quantity of 50 sends nothing, one of 5
// exactly one mail, also when the request's hits are accepted again.
func TestEventing(t *testing.T) {
	t.Parallel()
	down := newMailServer(t, TLSNone, "", nil)
	down.stop()
	mail := sender(t, down, nil)
	store := &states{outbox: newOutbox(), version: -1}
	triggers := event.New(event.Config{States: store, Sender: Router{Mail: mail}, Reporter: discard{}, Now: time.Now})
	err := triggers.Deploy("EventingSample", []event.TriggerSpec{{
		ID: "product_stock_low_trigger", Language: "XPath", Expression: "/updateProductQuantityQuery/quantityInStock<10",
		Topic: "product_stock_low_topic", Subscriptions: []string{"mailto:test@test.com"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	dispatcher(t, store.outbox, mail)
	for _, n := range []int{50, 5} {
		hit, err := triggers.Observe(t.Context(), event.Observation{
			Service: "EventingSample", Query: "updateProductQuantityQuery", Trigger: "product_stock_low_trigger", Input: true,
			Request: fmt.Sprint("r", n), At: time.Now(), Document: fmt.Appendf(nil, "<updateProductQuantityQuery>"+
				"<quantityInStock>%d</quantityInStock><productCode>S10_1678</productCode></updateProductQuantityQuery>", n),
		})
		if err != nil || (hit != nil) != (n == 5) {
			t.Fatalf("a quantity of %d: hit %s, %v", n, hit, err)
		}
		for range 2 {
			if hit == nil {
				continue
			}
			if err := triggers.Accept(t.Context(), [][]byte{hit}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 3 {
		<-store.updated // attempts in vain
	}
	up := newMailServer(t, TLSNone, down.addr, nil)
	<-store.done
	got := up.mails()
	if len(got) != 1 {
		t.Fatalf("%d mails, want one", len(got))
	}
	p := parse(t, got[0].data)
	if p.subject != "[belfry] EventingSample: product_stock_low_trigger rang: quantityInStock 5" || !strings.Contains(p.text, "S10_1678") ||
		!strings.HasPrefix(p.event, "<data-services-event><service-name>EventingSample</service-name>") {
		t.Errorf("subject %q, text %q, event %q", p.subject, p.text, p.event)
	}
}
