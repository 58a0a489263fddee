package output

import (
	"fmt"
	"time"
)

// Times is how instants are written, other than in data. The zero value: relative to
// now on a terminal, and as RFC 3339 in UTC elsewhere.
type Times struct {
	Relative bool
	Zone     *time.Location // RFC 3339 there
}

// TimesNames are the names that ParseTimes knows beside those of zones.
func TimesNames() []string { return []string{"relative", "iso", "local"} }

// ParseTimes reads relative, iso (UTC), local or the name of a zone. Empty: the zero
// value.
func ParseTimes(name string) (Times, error) {
	switch name {
	case "":
		return Times{}, nil
	case "relative":
		return Times{Relative: true}, nil
	case "iso":
		return Times{Zone: time.UTC}, nil
	case "local":
		return Times{Zone: time.Local}, nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return Times{}, fmt.Errorf("--time %q: use relative, iso, local or the name of a zone such as Europe/Berlin", name)
	}
	return Times{Zone: zone}, nil
}

// Time is a cell for an instant: "in 22s", "3m12s ago"; nil is a dash.
func (p Printer) Time(t *time.Time) Cell {
	if t == nil || t.IsZero() {
		return Cell{"-", ""}
	}
	switch {
	case p.Times.Relative:
		return Text(Relative(t.Sub(p.Now)))
	case p.Times.Zone != nil:
		return Text(t.In(p.Times.Zone).Format(time.RFC3339))
	}
	return Cell{Relative(t.Sub(p.Now)), t.UTC().Format(time.RFC3339)}
}

// Moment is an instant for who reads this output; nil is a dash.
func (p Printer) Moment(t *time.Time) string {
	cell := p.Time(t)
	if p.people() {
		return cell.Human
	}
	if cell.Plain == "" {
		return "-"
	}
	return cell.Plain
}

// Instant is an instant for a sheet: for a person, unless told how, both as it is and
// from now; nil is a dash.
func (p Printer) Instant(t *time.Time) string {
	if t == nil || t.IsZero() || p.Times != (Times{}) || !p.people() {
		return p.Moment(t)
	}
	cell := p.Time(t)
	return cell.Plain + " (" + cell.Human + ")"
}

// Since is how long something has lasted: for a person a length, "up 3h2m", else
// since when; nil is empty.
func (p Printer) Since(word string, t *time.Time) string {
	switch {
	case t == nil || t.IsZero():
		return ""
	case p.Times.Relative || p.Times.Zone == nil && p.people():
		return word + " " + Distance(max(0, p.Now.Sub(*t)))
	}
	return word + " since " + p.Moment(t)
}

// Relative writes a distance in time: "in 22s" ahead, "3m12s ago" behind.
func Relative(d time.Duration) string {
	if d < 0 {
		return Distance(-d) + " ago"
	}
	return "in " + Distance(d)
}

// Distance writes a length of time in at most two units.
func Distance(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%dm", int(d.Hours()), int(d.Minutes())%60)
	default:
		return fmt.Sprintf("%dd%dh", int(d.Hours())/24, int(d.Hours())%24)
	}
}
