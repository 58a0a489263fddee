package app

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/seed42aab489/belfry/cmd/internal/conf"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/task"
)

// sampleFile is the database that the sample descriptor names, and sampleSQL
// what makes it, below the conf folder.
const (
	sampleFile = "var/stock.db"
	sampleSQL  = "samples/stock.sql"
)

// sampleTasks is what is scheduled in the sample: somebody buys, somebody watches.
func sampleTasks() []task.Info {
	every := func(name, operation, description string, interval time.Duration) task.Info {
		return task.Info{
			Key: task.Key{Name: name}.Normal(), Service: "Stock", Operation: operation, Description: description,
			Trigger: task.TriggerInfo{Interval: task.Duration(interval), Count: -1},
		}
	}
	return []task.Info{
		every("sell-one", "sellOne", "somebody buys a hand bell", 3*time.Second),
		every("watch-stock", "getLowStock", "rings when a product runs low", 5*time.Second),
	}
}

// sampleDatabase makes the sample's database, unless it is there.
func sampleDatabase(ctx context.Context, c conf.Config) error {
	script, err := os.ReadFile(filepath.Join(c.Conf, sampleSQL))
	if err != nil {
		return fmt.Errorf("sample database: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(sampleFile), 0o700); err != nil {
		return fmt.Errorf("sample database: %w", err)
	}
	// Several hosts of one machine may make it at the same time.
	db, err := sql.Open("sqlite", sampleFile+"?_pragma=busy_timeout(10000)")
	if err != nil {
		return fmt.Errorf("sample database: %w", err)
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, string(script)); err != nil {
		return fmt.Errorf("sample database: %s: %w", sampleSQL, err)
	}
	return nil
}

// sampleTask schedules the sample's tasks, unless they were before.
func (a *App) sampleTask(ctx context.Context) error {
	c := control.New(control.Deps{KV: a.plugin.Link(), Members: a.plugin.Link(), Caller: a.plugin.Link()})
	for _, info := range sampleTasks() {
		err := patiently(ctx, func() error {
			_, _, err := c.CreateTask(ctx, info)
			return err
		})
		if err != nil && failure.Of(err).Code == failure.CodeExists {
			continue
		}
		if err != nil {
			return fmt.Errorf("sample task %s: %w", info.Name, err)
		}
		a.log.Info("sample task scheduled", "task", info.Name, "every", info.Trigger.Interval.String())
	}
	return nil
}

// sampleWait is how long the sample waits for a store that is away, and samplePace
// after how long it asks again.
const (
	sampleWait = time.Minute
	samplePace = 200 * time.Millisecond
)

// patiently does something again as long as the store is away.
func patiently(ctx context.Context, do func() error) error {
	ctx, cancel := context.WithTimeout(ctx, sampleWait)
	defer cancel()
	for {
		err := do()
		if err == nil {
			return nil
		}
		if code := failure.Of(err).Code; code != failure.CodeUnavailable && code != failure.CodeUnknownOutcome {
			return err
		}
		select {
		case <-time.After(samplePace):
		case <-ctx.Done():
			return err
		}
	}
}
