package control

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/store"
)

// A backup holds what administrators made: every calendar, and the definition of
// every task, whether it is paused, and the instants that it counts from. What hosts make of it
// (claims, runs, messages on their way) is not in it: restored tasks fire nothing
// that was due before they were restored, and go on in step.
//
// It is a text: a line of JSON for its head, one for each calendar, one for each
// task, and one for its end, which has their numbers and the SHA-256 of all bytes before it. So it is
// written and read in parts, and one that was cut is found out.

// BackupFormat is the highest number of a format that is written and read; a
// backup without calendars is of format 1.
const BackupFormat = calendarsFormat

// maxBackupLine bounds a line of a backup in bytes.
const maxBackupLine = 2 * max(store.MaxDefinition, store.MaxCalendar)

// Backup describes one.
type Backup struct {
	Format    int       `json:"belfry_backup"`
	Cluster   string    `json:"cluster"` // the uuid of the group that it was made of
	Made      time.Time `json:"made"`
	By        string    `json:"by"`
	Calendars int       `json:"calendars"`
	Tasks     int       `json:"tasks"`
	SHA256    string    `json:"sha256"`
}

type backupHead struct {
	Format  int       `json:"belfry_backup"`
	Cluster string    `json:"cluster"`
	Made    time.Time `json:"made"`
	By      string    `json:"by"`
}

type backupEnd struct {
	End struct {
		Calendars int    `json:"calendars,omitempty"`
		Tasks     int    `json:"tasks"`
		SHA256    string `json:"sha256"`
	} `json:"end"`
}

// summed writes lines, and sums them.
type summed struct {
	w   io.Writer
	sum hash.Hash
}

func (s *summed) line(record any) error {
	text, err := json.Marshal(record)
	if err != nil {
		return err
	}
	text = append(text, '\n')
	s.sum.Write(text)
	_, err = s.w.Write(text)
	return err
}

// SaveBackup writes a backup, a bucket of tasks at a time, and tells how many
// tasks it holds so far. Codes: unavailable; and the errors of w.
func (c *Control) SaveBackup(ctx context.Context, w io.Writer, by string, tell func(tasks int)) (Backup, error) {
	cluster, err := c.store.Cluster(ctx)
	if err != nil {
		return Backup{}, failure.Wrap(err)
	}
	calendars, err := c.calendarDefinitions(ctx)
	if err != nil {
		return Backup{}, err
	}
	out := summed{w: w, sum: sha256.New()}
	b := Backup{Format: 1, Cluster: cluster.UUID, Made: c.now().UTC().Truncate(time.Second), By: by, Calendars: len(calendars)}
	if b.Calendars > 0 {
		b.Format = calendarsFormat
	}
	if err := out.line(backupHead{b.Format, b.Cluster, b.Made, b.By}); err != nil {
		return b, fmt.Errorf("write backup: %w", err)
	}
	if err := c.saveCalendars(&out, calendars); err != nil {
		return b, err
	}
	for bucket := range cluster.Buckets {
		infos, err := c.store.Definitions(ctx, bucket)
		if err != nil {
			return b, failure.Wrap(err)
		}
		for i := range infos {
			if infos[i].Deleted {
				continue
			}
			if err := out.line(BackupItem{Task: &infos[i]}); err != nil {
				return b, fmt.Errorf("write backup: %w", err)
			}
			b.Tasks++
		}
		tell(b.Tasks)
	}
	var end backupEnd
	b.SHA256 = hex.EncodeToString(out.sum.Sum(nil))
	end.End.Calendars, end.End.Tasks, end.End.SHA256 = b.Calendars, b.Tasks, b.SHA256
	if err := out.line(end); err != nil {
		return b, fmt.Errorf("write backup: %w", err)
	}
	return b, nil
}

// ReadBackup reads a backup and gives each item to each as it comes, calendars
// first, before it is known whether all is there. Code: invalid; and what each returns.
func ReadBackup(r io.Reader, each func(BackupItem) error) (Backup, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxBackupLine)
	sum := sha256.New()
	var b Backup
	for n := 1; lines.Scan(); n++ {
		line := lines.Bytes()
		switch {
		case n == 1:
			if json.Unmarshal(line, &b) != nil || b.Format < 1 {
				return b, failure.Invalid("it is no backup of Belfry")
			}
			if b.Format > BackupFormat {
				return b, failure.Invalid("backup format %d is of a newer Belfry; this one reads up to %d", b.Format, BackupFormat)
			}
		case bytes.HasPrefix(line, []byte(`{"end":`)):
			return b, b.ended(line, sum, lines)
		default:
			if err := b.item(line, each); err != nil {
				if _, ok := errors.AsType[*failure.Error](err); ok {
					return b, err
				}
				return b, fmt.Errorf("line %d: %w", n, err)
			}
		}
		sum.Write(line)
		sum.Write([]byte{'\n'})
	}
	if err := lines.Err(); err != nil {
		return b, failure.Invalid("backup: %v", err)
	}
	return b, failure.Invalid("the backup was cut: it has no end")
}

func (b *Backup) item(line []byte, each func(BackupItem) error) error {
	var item BackupItem
	err := json.Unmarshal(line, &item)
	switch {
	case err == nil && item.Task != nil && item.Task.Name != "":
		b.Tasks++
	case err == nil && item.Calendar != nil && item.Calendar.Name != "":
		b.Calendars++
	default:
		return failure.Invalid("the backup is damaged: a line is neither task nor calendar")
	}
	return each(item)
}

func (b *Backup) ended(line []byte, sum hash.Hash, lines *bufio.Scanner) error {
	var end backupEnd
	if err := json.Unmarshal(line, &end); err != nil {
		return failure.Invalid("the backup is damaged: its end cannot be read")
	}
	b.SHA256 = hex.EncodeToString(sum.Sum(nil))
	switch {
	case end.End.SHA256 != b.SHA256:
		return failure.Invalid("the backup is damaged: its checksum is %s, and should be %s", b.SHA256, end.End.SHA256)
	case end.End.Tasks != b.Tasks:
		return failure.Invalid("the backup is damaged: it has %d tasks, and should have %d", b.Tasks, end.End.Tasks)
	case end.End.Calendars != b.Calendars:
		return failure.Invalid("the backup is damaged: it has %d calendars, and should have %d", b.Calendars, end.End.Calendars)
	case lines.Scan():
		return failure.Invalid("the backup is damaged: something follows its end")
	}
	return nil
}
