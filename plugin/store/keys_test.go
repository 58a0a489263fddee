package store

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/task"
)

func TestSegment(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"nightly-sync":    "nightly-sync",
		"a.b_c":           "a.b_c",
		"":                "%",
		".":               "%2E",
		"..":              "%2E.",
		"a/b":             "a%2Fb",
		"a~b":             "a%7Eb",
		"%":               "%25",
		"naïve task":      "na%C3%AFve%20task",
		"x\x00\n":         "x%00%0A",
		"ünterschätzt-ok": "%C3%BCntersch%C3%A4tzt-ok",
	} {
		if got := Segment(name); got != want {
			t.Errorf("Segment(%q) = %q, want %q", name, got, want)
		}
		if back, err := unescape(Segment(name)); err != nil || back != name {
			t.Errorf("unescape(%q) = %q, %v", Segment(name), back, err)
		}
	}
	long := strings.Repeat("é", 300)
	if a, b := Segment(long), Segment(long+"x"); len(a) > maxSegment || a == b {
		t.Errorf("long names: %q and %q", a, b)
	}
}

// Whatever the parts hold, a key stays a valid one and no two share it.
func TestTaskSegmentsAreUniqueAndComeBack(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	const alphabet = "ab.~%/\\ \x00é_-"
	part := func() string {
		var b strings.Builder
		for range random.IntN(6) {
			b.WriteByte(alphabet[random.IntN(len(alphabet))])
		}
		return b.String()
	}
	seen := make(map[string]task.Key)
	for range 5000 {
		key := task.Key{Tenant: part(), Type: part(), Name: part()}
		segment := taskSegment(key)
		if err := coordclient.CheckKey(keys("/root").task(3, key)); err != nil {
			t.Fatalf("%q: %v", key, err)
		}
		if other, ok := seen[segment]; ok && other != key {
			t.Fatalf("%q and %q share %q", key, other, segment)
		}
		seen[segment] = key
		if back, err := parseTaskSegment(segment); err != nil || back != key {
			t.Fatalf("parse %q = %q, %v; want %q", segment, back, err, key)
		}
	}
}

// These must never change: stored tasks are found by them.
func TestHomeIsStable(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]int{"nightly-sync": 237, "stock-watch": 111, "a": 158, "": 31} {
		if got := Home(task.Key{Tenant: "default", Type: "DATA_SERVICE_TASK", Name: name}, 256); got != want {
			t.Errorf("Home(%q) = %d, want %d", name, got, want)
		}
	}
}

func TestHomeSpreads(t *testing.T) {
	t.Parallel()
	const buckets, tasks = 256, 256 * 100
	counts := make([]int, buckets)
	for i := range tasks {
		counts[Home(task.Key{Tenant: "default", Type: "T", Name: fmt.Sprintf("task-%05d", i)}, buckets)]++
	}
	for b, n := range counts {
		if n < 50 || n > 160 {
			t.Errorf("bucket %d has %d tasks of %d: far from its share", b, n, tasks)
		}
	}
}

func TestCheckKey(t *testing.T) {
	t.Parallel()
	key := func(name string) task.Key { return task.Key{Name: name}.Normal() }
	for _, name := range []string{"a", "Stock_watch-2", "v1.2", "_x", strings.Repeat("n", MaxName)} {
		if err := CheckKey(key(name)); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"", "-x", ".x", "a b", "a/b", "ä", "a~b", strings.Repeat("n", MaxName+1)} {
		if err := CheckKey(key(name)); err == nil {
			t.Errorf("%q passed", name)
		}
	}
	if err := CheckKey(task.Key{Tenant: "a b", Type: "T", Name: "x"}); err == nil || !strings.Contains(err.Error(), "tenant") {
		t.Errorf("tenant: %v", err)
	}
}

func TestBucketOf(t *testing.T) {
	t.Parallel()
	if b, ok := BucketOf(newUID(17, "abc-def")); !ok || b != 17 {
		t.Errorf("got %d, %v", b, ok)
	}
	for _, uid := range []string{"", "17", "17-", "x-1", "-1-a", "1000-a"} {
		if _, ok := BucketOf(uid); ok {
			t.Errorf("%q passed", uid)
		}
	}
}
