//go:build e2e

package e2e

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// taskView is the part of the companion's contract that these tests read.
type taskView struct {
	State string     `json:"state"`
	Start *time.Time `json:"start"`
	Next  *string    `json:"next"`
	Fired int64      `json:"fired"`
	Last  *struct {
		Scheduled time.Time `json:"scheduled"`
		Outcome   string    `json:"outcome"`
		Error     string    `json:"error"`
	} `json:"last"`
}

// payroll is a database with one employee, and the original's ScheduleTaskTest
// on it under a name of its own.
type payroll struct {
	service string
	url     string // for --map-datasource
	db      *sql.DB
}

func newPayroll(t *testing.T, service string, d database) payroll {
	t.Helper()
	for _, statement := range []string{
		`CREATE TABLE Employees (employeeNumber INTEGER, lastName VARCHAR(50), firstName VARCHAR(50), email VARCHAR(100), salary DOUBLE PRECISION)`,
		`INSERT INTO Employees VALUES (1002, 'Murphy', 'Diane', 'dmurphy@classicmodelcars.com', 0)`,
	} {
		if _, err := d.db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	return payroll{service, d.url, d.db}
}

func (p payroll) salary(t *testing.T) int64 {
	t.Helper()
	var salary float64
	if err := p.db.QueryRowContext(t.Context(), `SELECT salary FROM Employees`).Scan(&salary); err != nil {
		t.Fatal(err)
	}
	return int64(salary)
}

// descriptor is the original's file under another name and data source.
func (p payroll) descriptor(t *testing.T) string {
	t.Helper()
	text := strings.ReplaceAll(corpus(t, "wso2/descriptors/ScheduleTaskTest.dbs"), `name="ScheduleTaskTest"`, fmt.Sprintf("name=%q", p.service))
	return strings.ReplaceAll(text, "jdbc:mysql://localhost:3306/testDatabase1", "jdbc:mysql://localhost:3306/"+p.service)
}

func (p payroll) mapping() []string {
	return []string{"--map-datasource", "jdbc:mysql:*/" + p.service + "=" + p.url}
}

// corpus reads a file of the corpus, or skips the test.
func corpus(t *testing.T, name string) string {
	t.Helper()
	folder := os.Getenv("BELFRY_CORPUS")
	if folder == "" {
		folder = filepath.Join(root, "..", "shared", "corpus")
	}
	text, err := os.ReadFile(filepath.Join(folder, name))
	if os.IsNotExist(err) {
		t.Skipf("SKIPPED, NOT PASSED: no corpus at %s; set BELFRY_CORPUS", folder)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func hostOf(t *testing.T, payrolls []payroll, args ...string) *host {
	t.Helper()
	services := map[string]string{}
	for _, p := range payrolls {
		services[p.service+".dbs"] = p.descriptor(t)
		args = append(args, p.mapping()...)
	}
	return newHost(t, services, args...)
}

// The original's own test: every second with repeat count 9 raises the salary
// ten times, and stops. Rescheduled with a start ahead, nothing happens until then.
func TestIncrementEmployeeSalary(t *testing.T) {
	t.Parallel()
	for _, d := range databases(t) {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			p := newPayroll(t, "Salary", d)
			h := hostOf(t, []payroll{p})
			h.start()
			h.must("task", "create", "raise", "--service", "Salary", "--operation", "incrementEmployeeSalary", "--interval", "1s", "--count", "9")
			finished(t, h, "raise")
			if got := p.salary(t); got != 100_000 {
				t.Errorf("salary %d, want 100000", got)
			}
			h.must("task", "set", "raise", "--start", "+20s", "--interval", "1s", "--count", "9")
			start := show[taskView](h, "task", "show", "raise").Start
			if start == nil || time.Until(*start) > 20*time.Second {
				t.Fatalf("the start is %s, want 20 s ahead", start)
			}
			for {
				got := p.salary(t)
				if !time.Now().Before(*start) {
					break
				}
				if got != 100_000 {
					t.Fatalf("salary %d, %s before the start", got, time.Until(*start))
				}
				waitABit()
			}
			finished(t, h, "raise")
			if got := p.salary(t); got != 200_000 {
				t.Errorf("salary %d after the second schedule, want 200000", got)
			}
			h.stop()
		})
	}
}

func finished(t *testing.T, h *host, name string) {
	t.Helper()
	eventually(t, patience, name+" is finished", func() bool { return show[taskView](h, "task", "show", name).State == "finished" })
}

func waitABit() { <-time.After(100 * time.Millisecond) }

// kill -9 every few seconds at random moments, and restarts: every scheduled
// instant raises the salary once, by cron and by interval, on every database.
func TestKillMinus9(t *testing.T) {
	t.Parallel()
	const lasts = 2 * time.Minute
	random := seeded(t)

	var payrolls []payroll
	for _, d := range databases(t) {
		payrolls = append(payrolls, newPayroll(t, "cron_"+d.name, d.another(t, "another")), newPayroll(t, "interval_"+d.name, d))
	}
	h := hostOf(t, payrolls)
	h.start()
	first := shortly()
	last := first.Add(lasts)
	schedule(h, payrolls, first, last)
	kills := 0
	for time.Now().Before(last.Add(-3 * time.Second)) {
		<-time.After(time.Duration(500+random.IntN(4500)) * time.Millisecond)
		h.kill()
		kills++
		<-time.After(time.Duration(random.IntN(1500)) * time.Millisecond)
		h.start()
	}
	for _, p := range payrolls {
		finished(t, h, p.service)
		instants := int64(len(h.scheduled(p.service, first, time.Second, int(last.Sub(first)/time.Second)+1)))
		v := show[taskView](h, "task", "show", p.service)
		if got := p.salary(t); got != instants*10_000 {
			t.Errorf("%s: salary %d after %d kills, want %d (%d instants); task %+v", p.service, got, kills, instants*10_000, instants, v)
		}
		if v.Fired != instants {
			t.Errorf("%s: fired %d, want %d: counts do not continue over restarts", p.service, v.Fired, instants)
		}
	}
	t.Logf("%d kills, %d tasks, %s", kills, len(payrolls), lasts)
	h.stop()
}
