//go:build e2e

package e2e

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/engine/firecheck"
	"github.com/seed42aab489/belfry/plugin/task"
)

// workTime is how long the receiver takes for a call.
const workTime = 5 * time.Millisecond

// witness is an HTTP target that writes down which runs reached it. It knows
// nothing of hosts.
type witness struct {
	url string

	mu     sync.Mutex
	events []firecheck.Event // guarded by mu
	starts []time.Time       // guarded by mu
}

func newWitness(t *testing.T) *witness {
	r := &witness{}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

// ServeHTTP takes a run: its key is the fire id, its body tells the attempt.
func (r *witness) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	e := firecheck.Event{What: firecheck.Began, At: time.Now(), Fire: task.FireID(q.Header.Get("Idempotency-Key"))}
	var body struct{ Attempt int }
	if err := json.NewDecoder(q.Body).Decode(&body); err != nil || e.Fire == "" {
		http.Error(w, "no attempt or no key", http.StatusBadRequest)
		return
	}
	e.Attempt = body.Attempt
	effect := e
	effect.What = firecheck.Effected
	r.mu.Lock()
	r.events = append(r.events, e, effect)
	r.starts = append(r.starts, e.At)
	r.mu.Unlock()
	<-time.After(workTime)
	e.What, e.At = firecheck.Ended, time.Now()
	r.mu.Lock()
	r.events = append(r.events, e)
	r.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}

// since is how many runs have begun since a time.
func (r *witness) since(from time.Time) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for i := len(r.starts) - 1; i >= 0 && r.starts[i].After(from); i-- {
		n++
	}
	return n
}

// firsts gives when each task first fired after a time, by its uid.
func (r *witness) firsts(after time.Time) map[string]time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	first := map[string]time.Time{}
	for _, e := range slices.Backward(r.events) {
		if e.At.Before(after.Add(-time.Second)) {
			break // they are in order, give or take what happens at once
		}
		if e.What == firecheck.Began && !e.At.Before(after) {
			first[e.Fire.UID()] = e.At
		}
	}
	return first
}

// all is what was written down.
func (r *witness) all() []firecheck.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]firecheck.Event{}, r.events...)
}

// signed gives a payroll on PostgreSQL that writes down when it was raised and by
// which firing: by a trigger of the database, in the transaction of the raise,
// which finds the firing in the inbox row of the same transaction.
func (d database) signed(t *testing.T, service string) payroll {
	t.Helper()
	p := newPayroll(t, service, d)
	for _, statement := range []string{
		`CREATE TABLE Ledger (at DOUBLE PRECISION, fire TEXT)`,
		`CREATE FUNCTION ledger() RETURNS trigger LANGUAGE plpgsql AS
		'BEGIN
			INSERT INTO Ledger SELECT extract(epoch from clock_timestamp()),
				(SELECT max(fire_id) FROM belfry_inbox WHERE xmin = pg_current_xact_id()::xid);
			RETURN NULL;
		END'`,
		`CREATE TRIGGER ledger AFTER UPDATE ON Employees FOR EACH ROW EXECUTE FUNCTION ledger()`,
	} {
		if _, err := d.db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	return p
}

// effects gives what the ledger says.
func (p payroll) effects(t *testing.T) []firecheck.Event {
	t.Helper()
	rows, err := p.db.QueryContext(t.Context(), `SELECT at, coalesce(fire, '') FROM Ledger ORDER BY at`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []firecheck.Event
	for rows.Next() {
		var at float64
		var fire string
		if err := rows.Scan(&at, &fire); err != nil {
			t.Fatal(err)
		}
		if fire == "" {
			t.Errorf("%s was raised by no firing", p.service)
		}
		all = append(all, firecheck.Event{What: firecheck.Effected, At: time.UnixMicro(int64(at * 1e6)), Fire: task.FireID(fire)})
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if got := p.salary(t); got != int64(len(all))*10_000 {
		t.Errorf("%s: salary %d after %d raises", p.service, got, len(all))
	}
	return all
}
