package trigger

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// corpusFile finds a file of the corpus of real inputs, or skips the test.
func corpusFile(t *testing.T, path ...string) *os.File {
	t.Helper()
	dir := os.Getenv("BELFRY_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "corpus")
	}
	f, err := os.Open(filepath.Join(append([]string{dir}, path...)...))
	if err != nil {
		t.Skipf("SKIPPED, nothing was compared with Java Quartz: no corpus (set BELFRY_CORPUS to its folder): %v", err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// TestEqualsJavaQuartz holds every line of the corpus: an expression, a zone
// without daylight saving, a start, and what Java Quartz 2.3.2 answers.
func TestEqualsJavaQuartz(t *testing.T) {
	t.Parallel()
	lines := bufio.NewScanner(corpusFile(t, "cron", "quartz-2.3.2.psv"))
	n := 0
	for lines.Scan() {
		n++
		part := strings.Split(lines.Text(), "|")
		if len(part) != 5 {
			t.Fatalf("line %d: %d parts, want 5", n, len(part))
		}
		expr, want := part[0], part[4]
		zone, err := LoadZone(part[1])
		if err != nil {
			t.Fatal(err)
		}
		start, _ := strconv.ParseInt(part[2], 10, 64)
		count, _ := strconv.Atoi(part[3])
		if got := answer(expr, zone, start, count); got != want {
			t.Errorf("line %d: %s\n got %s\nwant %s", n, lines.Text(), got, want)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if n < 1000 {
		t.Errorf("%d lines in the corpus, want the whole of it", n)
	}
}

// answer writes the next count instants as the corpus does.
func answer(expr string, zone *time.Location, start int64, count int) string {
	cron, err := ParseCron(expr)
	if err != nil {
		return "ERR"
	}
	var out []string
	at := time.Unix(start, 0)
	for range count {
		next, ok := cron.Next(at, zone)
		if !ok {
			out = append(out, "end")
			break
		}
		out = append(out, strconv.FormatInt(next.Unix(), 10))
		at = next
	}
	return strings.Join(out, " ")
}
