package event

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestDeployRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*TriggerSpec)
		want   string
	}{
		{"no id", func(s *TriggerSpec) { s.ID = "" }, `12:3: event trigger "": it has no id`},
		{"bad expression", func(s *TriggerSpec) { s.Expression = "//a[" }, `expression: 1:5: expected a path step, not end of the expression`},
		{"language", func(s *TriggerSpec) { s.Language = "XQuery" }, `language "XQuery" is not known: use XPath or CEL`},
		{"scheme", func(s *TriggerSpec) { s.Subscriptions = []string{"jms:/topic"} }, `subscription "jms:/topic": scheme`},
		{"no subscription", func(s *TriggerSpec) { s.Subscriptions = nil }, "it has no subscription"},
		{"too many", func(s *TriggerSpec) {
			for i := range 17 {
				s.Subscriptions = append(s.Subscriptions, fmt.Sprintf("mailto:a%d@b", i))
			}
		}, "at most 16"},
		{"hold", func(s *TriggerSpec) { s.Hold = "soon" }, `hold: duration "soon"`},
		{"negative", func(s *TriggerSpec) { s.CoolDown = "-5s" }, "cool-down: -5s is not between"},
		{"too long", func(s *TriggerSpec) { s.Digest = "1000h" }, "digest: 1000h is not between"},
		{"re-arm without edge", func(s *TriggerSpec) { s.Rearm = "//a" }, "a re-arm condition needs edge"},
		{"re-arm", func(s *TriggerSpec) { s.Edge, s.Rearm = true, "//a//" }, "re-arm condition: 1:6"},
		{"template name", func(s *TriggerSpec) { s.Subject = "{{.Servce}}" }, "subject template: subject:1:2: executing"},
		{"template syntax", func(s *TriggerSpec) { s.Body = "a\n{{" }, "body template: body:2"},
		{"endless template", func(s *TriggerSpec) { s.Body = "{{range 1000000000}}{{end}}" }, "a loop goes over"},
		{"endless template by a variable", func(s *TriggerSpec) { s.Body = "{{$n := 1000000000}}{{range $n}}{{end}}" }, "a loop goes over"},
		{"deep loops", func(s *TriggerSpec) {
			s.Body = "{{range $.Rows}}{{range $.Rows}}{{range $.Rows}}{{end}}{{end}}{{end}}"
		}, "nest at most 2"},
		{"wide printf", func(s *TriggerSpec) { s.Body = `{{printf "%999999d" 1}}` }, "at most two digits"},
		{"recursion", func(s *TriggerSpec) { s.Body = `{{define "x"}}{{template "x"}}{{end}}{{template "x"}}` }, "not available"},
	} {
		tr := newTriggers(t, newMemory())
		spec := low(c.change)
		spec.Line, spec.Column = 12, 3
		err := tr.Deploy("Stock", []TriggerSpec{spec})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "12:3: event trigger ") {
			t.Errorf("%s: %v, want it to say %s", c.name, err, c.want)
		}
	}
	tr := newTriggers(t, newMemory())
	if err := tr.Deploy("Stock", []TriggerSpec{low(nil), low(nil)}); err == nil || !strings.Contains(err.Error(), "same id") {
		t.Errorf("two of one id: %v", err)
	}
}

func TestRefusedDeploymentKeepsTheOldOne(t *testing.T) {
	t.Parallel()
	m := newMemory()
	tr := newTriggers(t, m)
	deploy(t, tr, "Stock", low(nil))
	if err := tr.Deploy("Stock", []TriggerSpec{low(func(s *TriggerSpec) { s.Expression = "]" })}); err == nil {
		t.Fatal("accepted")
	}
	observe(t, tr, quantity(5, "r", start))
	if len(m.messages()) != 1 {
		t.Error("the old version is gone")
	}
	tr.Undeploy("Stock")
	if _, err := tr.Observe(t.Context(), quantity(5, "r2", start)); err == nil {
		t.Error("an undeployed trigger was evaluated")
	}
}

func TestTemplates(t *testing.T) {
	t.Parallel()
	m := newMemory()
	tr := newTriggers(t, m)
	deploy(t, tr, "Stock", low(func(s *TriggerSpec) {
		s.Subject = "{{.Service}}:\n{{(index .Values 0).Value}} left"
		s.Body = "{{range .Values}}{{.Name}}={{.Value}};{{end}}{{range .Rows}}{{range .}}[{{.}}]{{end}}{{end}}"
	}))
	observe(t, tr, quantity(5, "r", start))
	got := m.messages()[0]
	if got.Subject != "Stock: 5 left" || got.Text != "quantityInStock=5;[S10_1678][5]" {
		t.Errorf("subject %q, text %q", got.Subject, got.Text)
	}
	// A template that fails at run time does not lose the event.
	deploy(t, tr, "Stock", low(func(s *TriggerSpec) { s.Body = "{{range .Rows}}{{.nothing}}{{end}}" }))
	observe(t, tr, quantity(4, "r2", start.Add(time.Hour)))
	if got := m.messages()[1]; !strings.Contains(got.Text, "quantityInStock = 4") || !strings.Contains(got.Text, "template of this trigger failed") {
		t.Errorf("text %q", got.Text)
	}
}

func TestCELTrigger(t *testing.T) {
	t.Parallel()
	m := newMemory()
	tr := newTriggers(t, m)
	deploy(t, tr, "Stock", low(func(s *TriggerSpec) {
		s.Language, s.Expression, s.Edge, s.Rearm = "CEL", "doc.quantityInStock < 10", true, "doc.quantityInStock >= 15"
	}))
	for i, n := range []int{50, 9, 8, 12, 7, 15, 6} {
		observe(t, tr, quantity(n, fmt.Sprint(i), start.Add(time.Duration(i)*time.Second)))
	}
	var subjects []string
	for _, msg := range m.messages() {
		subjects = append(subjects, msg.Subject)
	}
	if want := []string{"[belfry] Stock: product_stock_low rang: quantityInStock 9", "[belfry] Stock: product_stock_low rang: quantityInStock 6"}; !slices.Equal(subjects, want) {
		t.Errorf("rang %q, want %q", subjects, want)
	}
}

// TestLargeEvents: a commit stays within bounds however much there is to say.
func TestLargeEvents(t *testing.T) {
	t.Parallel()
	for _, subscriptions := range []int{1, 16} {
		m := newMemory()
		tr := newTriggers(t, m)
		deploy(t, tr, "Stock", low(func(s *TriggerSpec) {
			s.Expression, s.Hold, s.Subscriptions = "//row", "1h", nil
			for i := range subscriptions {
				s.Subscriptions = append(s.Subscriptions, fmt.Sprintf("mailto:a%d@b", i))
			}
		}))
		for i, size := range []int{1 << 10, 7 << 10, 100 << 10, 127 << 10, 1 << 20} {
			o := quantity(1, fmt.Sprint(i), start.Add(time.Duration(i)*2*time.Hour))
			o.Document = []byte("<r><row><x>" + strings.Repeat("&lt;<!-- -->", size/12) + "</x></row></r>")
			observe(t, tr, o)
		}
		if m.sizes > MaxAccept || len(m.messages()) == 0 {
			t.Errorf("%d subscriptions: a commit of %d bytes, at most %d; %d messages", subscriptions, m.sizes, MaxAccept, len(m.messages()))
		}
	}
}

func TestUnevaluatedIsReported(t *testing.T) {
	t.Parallel()
	r := &reports{}
	tr := New(Config{States: newMemory(), Sender: &receiver{}, Reporter: r, Now: time.Now})
	deploy(t, tr, "Stock", low(func(s *TriggerSpec) { s.Language, s.Expression = "CEL", "doc.missing < 10" }))
	if _, err := tr.Observe(t.Context(), quantity(5, "r", start)); err == nil || !strings.Contains(err.Error(), "Stock/product_stock_low") {
		t.Errorf("error %v", err)
	}
	if got := r.codes(); !slices.Equal(got, []string{CodeUnevaluated}) {
		t.Errorf("reported %v", got)
	}
}
