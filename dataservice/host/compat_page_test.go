//go:build integration

package host

import (
	"crypto/sha256"
	"fmt"
	"html"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// seen gives what a call answered on a database over a transport, by their
// indexes.
type seen func(db, via int, c *callee) answer

// longest is how much of an answer a golden file holds.
const longest = 1200

// writeGolden compares the answers on SQLite, and where another database answers
// otherwise that too, with a file for each descriptor.
func writeGolden(t *testing.T, all []*callee, at seen) {
	t.Helper()
	texts := map[string]*strings.Builder{}
	for _, c := range all {
		b := texts[c.service.Name]
		if b == nil {
			b = &strings.Builder{}
			texts[c.service.Name] = b
			fmt.Fprintf(b, "%s\n", filepath.Base(c.service.File))
		}
		fmt.Fprintf(b, "\n%s\n  lines %s\n  with %s\n", c.name, c.lines, show(c))
		for via, way := range transports {
			first := at(0, via, c)
			fmt.Fprintf(b, "  %s: %s\n", way.name, first.cut())
			for db := 1; db < len(databases); db++ {
				if other := at(db, via, c); !alike(first, other) {
					fmt.Fprintf(b, "  %s on %s: %s\n", way.name, databases[db].name, other.cut())
				}
			}
		}
	}
	dir := filepath.Join("testdata", "compatibility")
	if *update {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, b := range texts {
		file := filepath.Join(dir, strings.ReplaceAll(name, "/", "_")+".txt")
		if *update {
			if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Errorf("%v: run the test with -update to write it", err)
			continue
		}
		if got := b.String(); got != string(want) {
			t.Errorf("%s differs (-update writes it anew) at: %s", file, firstDifference(got, string(want)))
		}
	}
}

// firstDifference gives the first lines that are not the same.
func firstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d\n got %s\nwant %s", i+1, a[i], b[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(a), len(b))
}

func show(c *callee) string {
	var list []string
	for _, one := range c.inner {
		list = append(list, one.soap+"("+show(one)+")")
	}
	for _, name := range slices.Sorted(maps.Keys(c.values)) {
		list = append(list, name+"="+strings.Join(c.values[name], ","))
	}
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, " ")
}

// cut gives an answer in a line, a long one with the hash of all of it.
func (a answer) cut() string {
	body := strings.ReplaceAll(a.body, "\n", " ")
	if len(body) > longest {
		body = strings.ToValidUTF8(body[:longest], "") + fmt.Sprintf("… %d bytes, SHA-256 %x", len(a.body), sha256.Sum256([]byte(a.body)))
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s", a.status, body))
}

// alike tells whether two databases gave the same answer, their rows in any
// order: the statements of many samples ask for none.
func alike(a, b answer) bool {
	return a.status == b.status && (a.body == b.body || slices.Equal(tokens(a.body), tokens(b.body)))
}

var token = regexp.MustCompile(`[^<>{},]+`)

func tokens(s string) []string {
	list := token.FindAllString(s, -1)
	slices.Sort(list)
	return list
}

var (
	reasonXML  = regexp.MustCompile(`(?s)<(?:\w+:)?nested_exception>(.*?)</`)
	reasonJSON = regexp.MustCompile(`"faultstring":("(?:[^"\\]|\\.)*")`)
)

// why says why a call does not work; empty: it does.
func (a answer) why() string {
	if a.status >= 200 && a.status < 300 {
		return ""
	}
	text := fmt.Sprintf("status %d", a.status)
	if m := reasonXML.FindStringSubmatch(a.body); m != nil {
		text = html.UnescapeString(m[1])
	} else if m := reasonJSON.FindStringSubmatch(a.body); m != nil {
		if s, err := strconv.Unquote(m[1]); err == nil {
			text = s
		}
	}
	return strings.ReplaceAll(text, "|", "\\|")
}

// noticesOf gives what each service says that it does not support, beside its
// operations and resources.
func noticesOf(f *fixture) map[string][]string {
	out := map[string][]string{}
	for _, v := range f.Services() {
		said := map[string]bool{}
		for _, u := range v.Unsupported {
			if said[u.What] || strings.HasPrefix(u.What, "operation ") || strings.HasPrefix(u.What, "resource ") {
				continue
			}
			said[u.What] = true
			out[v.Name] = append(out[v.Name], fmt.Sprintf("line %d, %s: %s", u.Line, u.What, u.Why))
		}
	}
	return out
}

const pageHead = `# Compatibility with WSO2's samples

<!-- Written by TestCompatibility in dataservice/host (make integration); do not edit. -->

The descriptors of WSO2's samples and tests, deployed as they are, their data sources mapped to a database that holds the
samples' tables: SQLite, PostgreSQL and MariaDB in turn. Every operation and resource was called with valid input as REST in
JSON and in XML, and over SOAP 1.1 and 1.2; so was a batch of what can be one, and a box with all of a service's operations.
What did not work says why, with the message of its fault. What the database itself refuses is the statement's own matter:
some are in H2's dialect. The answers are in [testdata](../dataservice/host/testdata/compatibility), each with the lines of
the descriptor that its shape follows from. MySQL goes by MariaDB's driver; SQL Server has a driver of its own, which is
**untested against a real server** (see [data services](guides/data-services.md#sql-server)).

`

// compatibilityPage writes the table.
func compatibilityPage(all []*callee, notices map[string][]string, at seen) string {
	var b strings.Builder
	b.WriteString(pageHead)
	works, total := 0, 0
	var body strings.Builder
	last := ""
	for _, c := range all {
		if c.service.Name != last {
			last = c.service.Name
			fmt.Fprintf(&body, "\n## %s\n\n", filepath.Base(c.service.File))
			for _, n := range notices[last] {
				fmt.Fprintf(&body, "- %s\n", n)
			}
			if len(notices[last]) > 0 {
				body.WriteString("\n")
			}
			body.WriteString("| Operation or resource | Line | Transport | Works on | Why not |\n|---|---|---|---|---|\n")
		}
		// Transports that fared the same share a line.
		var fates []string
		ways := map[string][]string{}
		for via, way := range transports {
			fate, n := fateOf(c, via, at)
			works, total = works+n, total+len(databases)
			if ways[fate] == nil {
				fates = append(fates, fate)
			}
			ways[fate] = append(ways[fate], way.name)
		}
		line, _, _ := strings.Cut(c.lines, ",")
		for _, fate := range fates {
			way := strings.Join(ways[fate], ", ")
			if len(ways[fate]) == len(transports) {
				way = "all"
			}
			fmt.Fprintf(&body, "| `%s` | %s | %s | %s |\n", strings.TrimPrefix(c.name, "operation "), line, way, fate)
		}
	}
	fmt.Fprintf(&b, "%d of %d calls work: %d operations and resources over %d transports on %d databases.\n", works, total, len(all), len(transports), len(databases))
	return b.String() + body.String()
}

// fateOf says on which databases a call works over a transport, and why not on
// the others.
func fateOf(c *callee, via int, at seen) (text string, works int) {
	var good, reasons []string
	bad := map[string][]string{}
	for db, d := range databases {
		why := at(db, via, c).why()
		switch {
		case why == "":
			good = append(good, d.name)
		case bad[why] == nil:
			reasons = append(reasons, why)
			fallthrough
		default:
			bad[why] = append(bad[why], d.name)
		}
	}
	var why []string
	for _, r := range reasons {
		if len(bad[r]) < len(databases) {
			r = strings.Join(bad[r], ", ") + ": " + r
		}
		why = append(why, r)
	}
	where := strings.Join(good, ", ")
	switch len(good) {
	case 0:
		where = "none"
	case len(databases):
		where = "all"
	}
	return where + " | " + strings.Join(why, "; "), len(good)
}
