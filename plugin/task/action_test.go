package task

import (
	"encoding/json"
	"testing"
)

func actions() map[Kind]*Action {
	return map[Kind]*Action{
		KindHTTP: {
			HTTP: &HTTPCall{
				Method: "POST", URL: "https://example.org/hook?token=s3cret", Headers: []Header{{"Authorization", "Bearer $file{hook}"}},
				Body: `{"id":"{{.FireID}}"}`, Expect: []string{"2xx", "404"}, Condition: &Condition{Expression: "/ok"},
			},
			Properties: map[string]string{"b": "2", "a": "1"},
		},
		KindSOAP: {SOAP: &SOAPCall{
			Endpoint: "http://example.org/services/Stock", Operation: "getStock", Action: "urn:getStock", Payload: "<p/>",
			Headers: []Header{{"X", "y"}}, Condition: &Condition{Expression: "/x"},
		}},
		KindTimer: {Timer: &TimerEvent{Data: json.RawMessage(`{"b": 1, "a": "<&>"}`), Backoff: 5}},
		KindCode:  {Code: &CodeCall{Name: "salaries"}},
	}
}

// A hash must outlive the store: claims made before are compared with it.
func TestHashSurvivesTheStore(t *testing.T) {
	t.Parallel()
	seen := map[string]Kind{}
	for kind, a := range actions() {
		if a.Kind() != kind || a.Check() != nil {
			t.Errorf("%s: kind %q, %v", kind, a.Kind(), a.Check())
		}
		text, err := json.Marshal(Info{Do: a})
		var back Info
		if err != nil || json.Unmarshal(text, &back) != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		if got := back.Do.Hash(); got != a.Hash() || len(got) != 32 {
			t.Errorf("%s: hash %s, and read back %s", kind, a.Hash(), got)
		}
		if other, ok := seen[a.Hash()]; ok {
			t.Errorf("%s and %s have the same hash", kind, other)
		}
		seen[a.Hash()] = kind
	}
	// Written down, because claims in stores have it.
	if got, want := (&Action{Code: &CodeCall{Name: "salaries"}}).Hash(), "3a9baee76d3128a0a80df78b7fce40d2"; got != want {
		t.Errorf("the hash of a known action is now %s, was %s", got, want)
	}
}

func TestClonesShareNothing(t *testing.T) {
	t.Parallel()
	for kind, a := range actions() {
		c := a.Clone()
		if c.Hash() != a.Hash() {
			t.Errorf("%s: a clone differs", kind)
		}
		before := a.Hash()
		switch kind {
		case KindHTTP:
			c.HTTP.Headers[0].Value, c.HTTP.Expect[0], c.HTTP.Condition.Expression, c.Properties["a"] = "x", "x", "x", "x"
		case KindSOAP:
			c.SOAP.Headers[0].Value, c.SOAP.Condition.Expression = "x", "x"
		case KindTimer:
			c.Timer.Data[1] = 'x'
		case KindCode:
			c.Code.Name = "x"
		}
		if a.Hash() != before {
			t.Errorf("%s: writing into a clone changed the action", kind)
		}
	}
	if (*Action)(nil).Clone() != nil {
		t.Error("the clone of none is one")
	}
}

func TestNothingOrTwoThingsAreNoAction(t *testing.T) {
	t.Parallel()
	for _, a := range []*Action{{}, {Properties: map[string]string{"a": "1"}}, {Code: &CodeCall{}, Timer: &TimerEvent{}}} {
		if a.Kind() != "" || a.Check() == nil {
			t.Errorf("%+v: kind %q, %v", a, a.Kind(), a.Check())
		}
	}
}

func TestCallsShowNoSecrets(t *testing.T) {
	t.Parallel()
	all := actions()
	for _, c := range []struct {
		info        Info
		calls, need string
	}{
		{Info{Service: "Stock", Operation: "getLow"}, "Stock.getLow", "Stock"},
		{Info{Do: all[KindHTTP]}, "POST https://example.org/hook?…", ""},
		{Info{Do: &Action{HTTP: &HTTPCall{URL: "http://u:p@example.org/#x"}}}, "GET http://example.org/", ""},
		{Info{Do: all[KindSOAP]}, "SOAP getStock http://example.org/services/Stock", ""},
		{Info{Service: "Remote", Operation: "getStock", Do: all[KindSOAP]}, "Remote.getStock", ""},
		{Info{Do: all[KindTimer]}, "timer event", TimerService},
		{Info{Do: all[KindCode]}, "code salaries", "code:salaries"},
		{Info{Do: &Action{}}, "nothing known", ""},
	} {
		if got := c.info.Calls(); got != c.calls {
			t.Errorf("calls %q, want %q", got, c.calls)
		}
		if got := c.info.Needs(); got != c.need {
			t.Errorf("%s needs %q, want %q", c.calls, got, c.need)
		}
	}
}

func TestStatuses(t *testing.T) {
	t.Parallel()
	h := HTTPCall{Expect: []string{"3xx", "404", "200-204"}}
	for status, want := range map[int]bool{199: false, 200: true, 204: true, 205: false, 300: true, 399: true, 404: true, 405: false} {
		if got := h.Expected(status); got != want {
			t.Errorf("%d: %v", status, got)
		}
	}
	if !(&HTTPCall{}).Expected(226) || (&HTTPCall{}).Expected(301) {
		t.Error("by default 2xx is expected, and nothing else")
	}
	for _, bad := range []string{"", "xx", "2x", "6xx", "99", "600", "204-200", "200-", "-200", "ok", "2xx-3xx"} {
		if _, _, err := Statuses(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}
