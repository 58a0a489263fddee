package check

import (
	"cmp"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/place"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Bounds of a definition.
const (
	MaxRetries     = 100
	MaxTimeout     = 24 * time.Hour
	MaxAlerts      = 16
	MaxReceivers   = 32
	MaxDescription = 4096 // bytes; also of a pause's reason
)

// Policies checks what a definition says beside what it calls and when, and fills
// in the defaults of its policies. Calendars that it names need not be there. Code:
// invalid.
func Policies(info *task.Info) error {
	info.Misfire = cmp.Or(info.Misfire, task.MisfireFireOnce)
	info.Overlap = cmp.Or(info.Overlap, defaultOverlap(info))
	switch {
	case !slices.Contains([]task.Misfire{task.MisfireFireOnce, task.MisfireFireAll, task.MisfireSkip}, info.Misfire):
		return failure.Invalid("misfire %q is unknown: use fire-once, fire-all or skip", info.Misfire)
	case !slices.Contains([]task.Overlap{task.OverlapAllow, task.OverlapQueue, task.OverlapSkip}, info.Overlap):
		return failure.Invalid("overlap %q is unknown: use allow, queue or skip", info.Overlap)
	case info.Retry.Max < 0 || info.Retry.Max > MaxRetries:
		return failure.Invalid("retry %d: use 0 to %d", info.Retry.Max, MaxRetries)
	case info.Retry.Backoff < 0 || time.Duration(info.Retry.Backoff) > task.MaxBackoff:
		return failure.Invalid("backoff %s: use 0s to %s", info.Retry.Backoff, task.MaxBackoff)
	case info.Timeout < 0 || time.Duration(info.Timeout) > MaxTimeout:
		return failure.Invalid("timeout %s: use 0s (the default, %s) to %s", info.Timeout, task.DefaultTimeout, MaxTimeout)
	case len(info.Description) > MaxDescription:
		return failure.Invalid("description of %d bytes: the limit is %d", len(info.Description), MaxDescription)
	case info.PauseUntil != nil && !info.Paused:
		return failure.Invalid("pause_until goes with paused: true")
	case len(info.PauseReason) > MaxDescription:
		return failure.Invalid("reason of %d bytes: the limit is %d", len(info.PauseReason), MaxDescription)
	case len(info.Alerts) > MaxAlerts:
		return failure.Invalid("%d alerts: the limit is %d", len(info.Alerts), MaxAlerts)
	}
	if err := checkLocation(info.Location); err != nil {
		return err
	}
	if err := checkWindows(info); err != nil {
		return err
	}
	for _, a := range info.Alerts {
		if err := Alert(a); err != nil {
			return err
		}
	}
	return checkReply(info)
}

// defaultOverlap is allow, but for timers: two runs at a time would both find the
// same change of a resource, and tell it twice.
func defaultOverlap(info *task.Info) task.Overlap {
	if info.Kind() == task.KindTimer {
		return task.OverlapSkip
	}
	return task.OverlapAllow
}

// Alert checks an alert and its receivers. Code: invalid.
func Alert(a task.Alert) error {
	switch a.On {
	case task.AlertFailed, task.AlertMissed:
	case task.AlertLate, task.AlertSilent:
		if a.After <= 0 {
			return failure.Invalid("alert %s: say after how long", a.On)
		}
	default:
		return failure.Invalid("alert on %q is unknown: use failed, late, missed or silent", a.On)
	}
	if len(a.To) == 0 || len(a.To) > MaxReceivers {
		return failure.Invalid("alert %s: name 1 to %d receivers", a.On, MaxReceivers)
	}
	for _, to := range a.To {
		if err := receiver(to); err != nil {
			return failure.Invalid("alert %s: receiver %q: %v", a.On, to, err)
		}
	}
	return nil
}

// receiver refuses what nothing could ever be sent to, which would else be found
// out when there is something to tell.
func receiver(to string) error {
	scheme, rest, _ := strings.Cut(to, ":")
	switch strings.ToLower(scheme) {
	case "mailto":
		for part := range strings.SplitSeq(rest, ",") {
			plain, err := url.PathUnescape(strings.TrimSpace(part))
			if err != nil {
				return err
			}
			if a, err := mail.ParseAddress(plain); err != nil || a.Address != plain || strings.Contains(plain, "?") {
				return fmt.Errorf("%q is no mail address", part)
			}
		}
	case "http", "https":
		if u, err := url.Parse(to); err != nil {
			return err
		} else if u.Hostname() == "" {
			return errors.New("it names no host")
		}
	default:
		return errors.New("it is none of mailto:, http: and https: addresses")
	}
	return nil
}

// checkReply checks what a definition says of replies.
func checkReply(info *task.Info) error {
	w := info.Reply
	if w == nil {
		return nil
	}
	kind := info.Kind()
	switch {
	case kind != task.KindHTTP && kind != task.KindSOAP:
		return failure.Invalid("reply: a task of kind %s ends with its call; only http and soap tasks can be replied to later", kind)
	case w.Deadline < 0 || time.Duration(w.Deadline) > task.MaxReplyDeadline:
		return failure.Invalid("reply deadline %s: use 0s (the default, %s) to %s", w.Deadline, task.DefaultReplyDeadline, task.MaxReplyDeadline)
	case w.OnDeadline != "" && w.OnDeadline != task.DeadlineFail && w.OnDeadline != task.DeadlineRetry:
		return failure.Invalid("reply on_deadline %q is unknown: use %s or %s", w.OnDeadline, task.DeadlineFail, task.DeadlineRetry)
	case w.Retries() && info.Retry.Max == 0:
		return failure.Invalid("reply on_deadline %s: say how often with retry", w.OnDeadline)
	case w.Retries() && info.Delivery == task.AtMostOnce:
		return failure.Invalid("reply on_deadline %s: an at-most-once task is never sent again", w.OnDeadline)
	}
	return nil
}

// checkWindows checks what a definition says of calendars, but for whether they
// are there, which the store does.
func checkWindows(info *task.Info) error {
	if err := info.Windows.Check(); err != nil {
		return failure.Invalid("%v", err)
	}
	if info.Windows != nil && info.Windows.Outside == task.OutsideAgent && info.Reply == nil {
		return failure.Invalid("outside agent: only what replies to its call can keep to a window: say for how long with reply_within")
	}
	return nil
}

// checkLocation checks that a location can be resolved. A class that is not known
// here, with its package, is left to the hosts: one can be compiled into them.
func checkLocation(l *task.Location) error {
	if l == nil {
		return nil
	}
	if l.Resolver == "" {
		return failure.Invalid("location: no resolver is named")
	}
	_, err := place.Standard().Resolver(l.Resolver, l.Properties)
	if errors.Is(err, place.ErrUnknownResolver) && strings.Contains(l.Resolver, ".") {
		return nil
	}
	if err != nil {
		return &failure.Error{Code: failure.CodeInvalid, Message: "location: " + err.Error(), Err: err}
	}
	return nil
}
