package store

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/seed42aab489/belfry/plugin/task"
)

// Bounds of names in bytes.
const (
	MaxName   = task.MaxName
	MaxTenant = 64 // of a tenant or a type
	// maxSegment bounds a percent-encoded segment; a longer one ends in a hash.
	maxSegment = 200
)

// CheckKey tells whether a key may be given to a new task; see task.NameFault.
func CheckKey(key task.Key) error {
	for _, part := range []struct {
		what, value string
		limit       int
	}{{"name", key.Name, MaxName}, {"tenant", key.Tenant, MaxTenant}, {"type", key.Type, MaxTenant}} {
		if fault := task.NameFault(part.value, part.limit); fault != "" {
			return fmt.Errorf("%s %q: %s", part.what, part.value, fault)
		}
	}
	return nil
}

// Home is the bucket of a task: the first eight bytes, big-endian, of the
// SHA-256 of tenant, NUL, type, NUL, name, modulo the number of buckets. It
// must never change: stored definitions are found by it.
func Home(key task.Key, buckets int) int {
	return hashed(key.Tenant+"\x00"+key.Type+"\x00"+key.Name, buckets)
}

func hashed(s string, buckets int) int {
	sum := sha256.Sum256([]byte(s))
	return int(binary.BigEndian.Uint64(sum[:8]) % uint64(buckets)) //nolint:gosec // both are small and positive
}

// Segment makes one segment of a key of any name: letters, digits, "_", "-"
// and "." stay (the dot not in front), all else becomes %XX. A segment beyond
// 200 bytes is cut and ends in "~" and the name's SHA-256.
func Segment(name string) string {
	s := escape(name)
	if len(s) <= maxSegment {
		return s
	}
	sum := sha256.Sum256([]byte(name))
	digest := hex.EncodeToString(sum[:])
	return s[:maxSegment-len(digest)-1] + "~" + digest
}

func escape(name string) string {
	var b strings.Builder
	for i := range len(name) {
		if c := name[i]; task.InName(c) && (c != '.' || i > 0) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	if b.Len() == 0 {
		return "%"
	}
	return b.String()
}

func unescape(segment string) (string, error) {
	if segment == "%" {
		return "", nil
	}
	return url.PathUnescape(segment)
}

const separator = "~"

func taskSegment(key task.Key) string {
	return escape(key.Tenant) + separator + escape(key.Type) + separator + escape(key.Name)
}

func parseTaskSegment(segment string) (task.Key, error) {
	parts := strings.Split(segment, separator)
	if len(parts) != 3 {
		return task.Key{}, fmt.Errorf("task key %q: want tenant~type~name", segment)
	}
	for i, part := range parts {
		plain, err := unescape(part)
		if err != nil {
			return task.Key{}, fmt.Errorf("task key %q: %w", segment, err)
		}
		parts[i] = plain
	}
	return task.Key{Tenant: parts[0], Type: parts[1], Name: parts[2]}, nil
}

// keys builds the keys below a root.
type keys string

// top is above all keys.
func (k keys) top() string { return cmp.Or(string(k), "/") }

func (k keys) cluster() string { return string(k) + "/cluster" }

func (k keys) of(kind string, b int) string { return string(k) + "/" + kind + "/" + strconv.Itoa(b) }

func (k keys) bucket(b int) string   { return k.of("buckets", b) }
func (k keys) page(b int) string     { return k.bucket(b) + "/page/0" }
func (k keys) logs(b int) string     { return k.bucket(b) + "/log" }
func (k keys) runs(b int) string     { return k.of("runs", b) }
func (k keys) tasks(b int) string    { return k.of("tasks", b) }
func (k keys) requests(b int) string { return k.of("requests", b) }
func (k keys) outbox(b int) string   { return k.of("outbox", b) }

func (k keys) log(b int, seq int64) string { return fmt.Sprintf("%s/%012d", k.logs(b), seq) }

func (k keys) task(b int, key task.Key) string { return k.tasks(b) + "/" + taskSegment(key) }

func (k keys) request(b int, id string) string { return k.requests(b) + "/" + Segment(id) }

func (k keys) message(b int, id string) string { return k.outbox(b) + "/" + Segment(id) }

func (k keys) trigger(service, trigger string) string {
	return string(k) + "/triggers/" + Segment(service) + "/" + Segment(trigger)
}

func (k keys) catalogue() string { return string(k) + "/catalogue" }

func (k keys) node(node string) string { return k.catalogue() + "/" + Segment(node) }

func (k keys) events() string { return string(k) + "/events" }
