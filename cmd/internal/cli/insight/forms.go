package insight

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
)

// nagios writes one line: status, text, and the numbers as performance data.
func nagios(w io.Writer, v verdict) error {
	var data []string
	for _, m := range v.Values {
		data = append(data, fmt.Sprintf("%s=%s%s", m.Name, number(m.Value), m.Unit))
	}
	text := strings.ReplaceAll(output.Clean(v.Text), "|", "/")
	_, err := fmt.Fprintf(w, "BELFRY %s - %s: %s | %s\n", v.Status, v.Object, text, strings.Join(data, " "))
	return err
}

// prometheus writes the text format: the status, and the numbers as gauges.
func prometheus(w io.Writer, v verdict) error {
	kind, _, _ := strings.Cut(v.Object, "/")
	label := fmt.Sprintf("{object=%s}", strconv.Quote(v.Object))
	var b strings.Builder
	gauge := func(name, help string, value float64) {
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s gauge\n%s%s %s\n", name, help, name, name, label, number(value))
	}
	gauge("belfry_check_status", "0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.", float64(v.status))
	for _, m := range v.Values {
		name := "belfry_check_" + kind + "_" + m.Name
		if m.Unit == "s" {
			name += "_seconds"
		}
		gauge(name, m.help, m.Value)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func asJSON(e *env.Env) func(io.Writer, verdict) error {
	return func(w io.Writer, v verdict) error {
		p := e.Printer()
		p.Out, p.Format = w, output.JSON
		return p.Value(v)
	}
}
