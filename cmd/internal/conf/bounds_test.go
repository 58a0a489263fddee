package conf

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The first entry that matches counts, and what it does not say is as limits has it.
func TestLimitsOf(t *testing.T) {
	file := filepath.Join(t.TempDir(), "belfryd.yaml")
	text := `limits:
  rows: 50
  rate: 9
service_limits:
  - service: Reports/*
    rows: 1000000
    request_time: 5m
    rate: 0
  - {service: Stock, body: 2KiB, concurrency: 3}
  - {service: "*", query_depth: 2}
  - {service: Stock, body: 4KiB}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	loaded := load(t, "--config", file)
	c := loaded.Config
	reports, stock, other, plain := c.LimitsOf("Reports/a/b"), c.LimitsOf("Stock"), c.LimitsOf("Stocks"), c.Limits
	if reports.Rows != 1_000_000 || reports.RequestTime != 5*time.Minute || reports.Rate != 0 || reports.QueryDepth != plain.QueryDepth {
		t.Errorf("%+v", reports)
	}
	if stock.Rows != 50 || stock.Body != 2*KiB || stock.Concurrency != 3 || stock.Rate != 9 || stock.QueryDepth != plain.QueryDepth {
		t.Errorf("%+v", stock)
	}
	if other.QueryDepth != 2 || other.Body != plain.Body {
		t.Errorf("%+v", other)
	}
	t.Setenv("BELFRY_SERVICE_LIMITS", "Stock rows=7 held=1MiB\n* request_time=2s")
	loaded = load(t, "--config", file)
	c = loaded.Config
	if s := c.LimitsOf("Stock"); s.Rows != 7 || s.Held != MiB || s.Body != plain.Body || c.LimitsOf("x").RequestTime != 2*time.Second {
		t.Errorf("%+v", s)
	}
	for _, v := range c.Values(loaded.Origins) {
		if v.Name == "service_limits" && (v.Text != "Stock rows=7 held=1MiB\n* request_time=2s" || v.Origin.Where != "BELFRY_SERVICE_LIMITS") {
			t.Errorf("it is shown as %q from %s", v.Text, v.Origin)
		}
	}
}

func TestServiceLimitsRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"service_limits: a\n":                                                 "1:17: service_limits must be a list of entries with service and bounds",
		"service_limits:\n  - 5\n":                                            "2:5: service_limits: an entry has service and bounds",
		"service_limits:\n  - service: S\n":                                   "2:5: service_limits: the entry of S has no bound; it may have rows, query_depth,",
		"service_limits:\n  - rows: 5\n":                                      `2:5: service_limits: "" is not the name of a service`,
		"service_limits:\n  - service: S\n    row: 5\n":                       `3:5: unknown setting "row" of an entry of service_limits; did you mean "rows"?`,
		"service_limits:\n  - service: S\n    rows: many\n":                   "3:11: rows of an entry of service_limits: it is a YAML str",
		"service_limits:\n  - service: S\n    rows: 0\n":                      "3:11: rows of an entry of service_limits: 0 is not between 1 and",
		"service_limits:\n  - service: S\n    rows: 1\n    rows: 2\n":         "2:5: service_limits: rows of S is given twice",
		"service_limits:\n  - service: S\n    service: T\n    rows: 2\n":      "3:5: service of an entry of service_limits is given twice",
		"service_limits:\n  - service: [S]\n    rows: 2\n":                    "2:14: service of an entry of service_limits: it must be one value",
		"service_limits:\n  - service: S T\n    request_time: 2s\n":           `2:5: service_limits: "S T" is not the name of a service`,
		"service_limits:\n  - service: S\n    limits:\n      rows: 2\n":       `3:5: unknown setting "limits" of an entry of service_limits`,
		"service_limits:\n  - service: S\n    body: 1MB\n    request_time: 5": `3:11: body of an entry of service_limits: "1MB" is not a size`,
	} {
		file := filepath.Join(t.TempDir(), "belfryd.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := Check(file); err == nil || !strings.Contains(err.Error(), "belfryd.yaml:"+want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	for line, want := range map[string]string{
		"": "it is empty", "S": "has no bound", "S rows": `rows of S: "" is not a whole number`, "S rows=1 rows=2": "rows of S is given twice", "S x=1": `unknown bound "x" of S`,
	} {
		if _, err := ParseServiceLimits(line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", line, err, want)
		}
	}
}
