package control

import (
	"context"
	"io"

	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/control/backup"
	"github.com/seed42aab489/belfry/plugin/control/failure"
)

// SaveBackup writes a backup, a bucket of tasks at a time, and tells how many
// tasks it holds so far. Codes: unavailable; and the errors of w.
func (c *Control) SaveBackup(ctx context.Context, w io.Writer, by string, tell func(tasks int)) (backup.Summary, error) {
	cluster, err := c.store.Cluster(ctx)
	if err != nil {
		return backup.Summary{}, failure.Wrap(err)
	}
	calendars, err := c.calendarDefinitions(ctx)
	if err != nil {
		return backup.Summary{}, err
	}
	out, err := backup.Begin(w, cluster.UUID, by, c.now(), calendars)
	if err != nil {
		return backup.Summary{}, err
	}
	saved := 0
	for bucket := range cluster.Buckets {
		infos, err := c.store.Named(ctx, bucket)
		if err != nil {
			return backup.Summary{}, failure.Wrap(err)
		}
		for i := range infos {
			if infos[i].Deleted {
				continue
			}
			if saved, err = out.Task(&infos[i]); err != nil {
				return backup.Summary{}, err
			}
		}
		tell(saved)
	}
	return out.End()
}

func (c *Control) calendarDefinitions(ctx context.Context) ([]calendar.Definition, error) {
	all, err := c.store.Calendars(ctx)
	if err != nil {
		return nil, failure.Wrap(err)
	}
	definitions := make([]calendar.Definition, 0, len(all))
	for i := range all {
		definitions = append(definitions, all[i].Definition)
	}
	return definitions, nil
}
