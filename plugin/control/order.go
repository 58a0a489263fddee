package control

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/definition"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Verb is what an order asks to be done with a task.
type Verb string

// The verbs of orders.
const (
	VerbCreate Verb = "create" // a new task; one of the name is an error
	VerbPut    Verb = "put"    // a new task, or a new definition of the one of the name
	VerbPatch  Verb = "patch"  // a JSON merge patch (RFC 7396) of the definition
	VerbDelete Verb = "delete" // one that is gone already is no error
	VerbPause  Verb = "pause"
	VerbResume Verb = "resume"
	VerbRun    Verb = "run" // once now, beside its schedule
)

// Verbs lists the verbs of orders.
func Verbs() []Verb {
	return []Verb{VerbCreate, VerbPut, VerbPatch, VerbDelete, VerbPause, VerbResume, VerbRun}
}

// Order is a request of a program: something to be done with a task, safe to
// be sent again. Every verb but create and run is so of itself; these are if
// the order has an ID.
type Order struct {
	// ID is the idempotency key. The first order of an ID is carried out; the
	// others get what came of it, as long as receipts are kept. Empty: none.
	ID   string `json:"id,omitempty"`
	Verb Verb   `json:"verb"`
	// Task is a definition (Document) for create and put, a merge patch of one
	// for patch, else only its name, tenant and type are looked at.
	Task json.RawMessage `json:"task"`
	// Revision that the task must be at, for put, patch and delete. Zero: any.
	Revision int64 `json:"revision,omitempty"`
	// Reason of a pause or a run.
	Reason string `json:"reason,omitempty"`
	// Until a pause lasts. Zero: until the task is resumed.
	Until time.Time `json:"until,omitzero"`
}

// Done is what came of an order.
type Done struct {
	// Changed: false when nothing was left to do, such as a pause of a paused
	// task.
	Changed bool `json:"changed"`
	Created bool `json:"created"`
	// Repeated: an order of the same ID was carried out before; this is what
	// came of that one.
	Repeated bool `json:"repeated"`
	// Task as it stands; null when it is gone.
	Task *contract.TaskView `json:"task"`
	// Next are the first instants of a task that was created.
	Next []time.Time `json:"next,omitempty"`
	// FireID of a run.
	FireID string `json:"fire_id,omitempty"`
}

// Carry carries out an order: when it returns without an error, what was asked
// is durable in the cluster. Codes: invalid, not_found, exists, conflict (also
// an ID that was used for something else), unavailable, unknown_outcome: with
// the last two the order may be sent again.
func (c *Control) Carry(ctx context.Context, o Order) (Done, error) {
	key, err := o.key()
	if err != nil {
		return Done{}, err
	}
	switch o.Verb {
	case VerbCreate:
		return c.once(ctx, o, c.carryCreate)
	case VerbRun:
		return c.once(ctx, o, c.carryRun)
	case VerbPut:
		return c.carryPut(ctx, o, key)
	case VerbPatch:
		return c.carryEdit(ctx, key, o.Revision, func(info *task.Info) error { return definition.Patch(info, o.Task) })
	case VerbPause:
		until, err := PauseEnd(o.Until, c.now())
		if err != nil {
			return Done{}, err
		}
		return c.carryEdit(ctx, key, 0, func(info *task.Info) error {
			if !info.Paused {
				info.Paused, info.PauseReason = true, o.Reason
			}
			info.PauseUntil = until
			return nil
		})
	case VerbResume:
		return c.carryEdit(ctx, key, 0, func(info *task.Info) error { info.Paused, info.PauseUntil = false, nil; return nil })
	default: // VerbDelete: key has refused the others
		err := c.deleteTask(ctx, key, o.Revision)
		if err != nil && failure.Of(err).Code == failure.CodeNotFound {
			return Done{}, nil
		}
		return Done{Changed: err == nil}, err
	}
}

// key is the task that an order is about.
func (o Order) key() (task.Key, error) {
	if !slices.Contains(Verbs(), o.Verb) {
		return task.Key{}, &failure.Error{Code: failure.CodeInvalid, Message: fmt.Sprintf("verb %q is unknown", o.Verb), Hint: failure.Nearest(string(o.Verb), Verbs())}
	}
	if len(o.ID) > MaxOrderID {
		return task.Key{}, failure.Invalid("id of %d bytes: the limit is %d", len(o.ID), MaxOrderID)
	}
	var members map[string]json.RawMessage
	if err := definition.Decode("task", o.Task, &members); err != nil {
		return task.Key{}, err
	}
	var key task.Key
	for name, into := range map[string]*string{"name": &key.Name, "tenant": &key.Tenant, "type": &key.Type} {
		if text := members[name]; text != nil {
			if err := definition.Decode("task: "+name, text, into); err != nil {
				return task.Key{}, err
			}
		}
	}
	if key.Name == "" {
		return task.Key{}, failure.Invalid("task: no name")
	}
	return key.Normal(), nil
}

// MaxOrderID bounds the id of an order in bytes.
const MaxOrderID = 255

// once carries out an order that has an ID at most once.
func (c *Control) once(ctx context.Context, o Order, carry func(context.Context, Order, *store.Receipt) (Done, error)) (Done, error) {
	if o.ID == "" {
		return carry(ctx, o, nil)
	}
	r := store.Receipt{ID: o.ID, Digest: o.digest()}
	if done, found, err := c.repeated(ctx, r); found || err != nil {
		return done, err
	}
	done, err := carry(ctx, o, &r)
	if code := failure.Of(err); err != nil && (errors.Is(code, store.ErrCarriedOut) || code.Code == failure.CodeExists) {
		// Another copy of this order was faster.
		if earlier, found, readErr := c.repeated(ctx, r); found || readErr != nil {
			return earlier, readErr
		}
	}
	return done, err
}

// digest tells two orders apart.
func (o Order) digest() string {
	var compact bytes.Buffer
	if err := json.Compact(&compact, o.Task); err != nil {
		compact.Write(o.Task)
	}
	sum := sha256.Sum256([]byte(string(o.Verb) + "\x00" + o.Reason + "\x00" + compact.String()))
	return hex.EncodeToString(sum[:16])
}

// repeated tells what came of an earlier order of the same ID, if there was one.
func (c *Control) repeated(ctx context.Context, r store.Receipt) (Done, bool, error) {
	earlier, err := c.store.Receipt(ctx, r.ID)
	switch {
	case errors.Is(err, coordclient.ErrNotFound):
		return Done{}, false, nil
	case err != nil:
		return Done{}, false, failure.Wrap(err)
	case earlier.Digest != r.Digest:
		return Done{}, true, &failure.Error{
			Code: failure.CodeConflict, Message: "the idempotency key was used for another request",
			Hint: "use a new key for each request, and the same one only to send it again",
		}
	}
	done := Done{Repeated: true, FireID: string(earlier.FireID)}
	view, err := c.Task(ctx, earlier.Task)
	switch {
	case err == nil && view.UID == earlier.UID:
		done.Task = &view
	case err != nil && failure.Of(err).Code != failure.CodeNotFound:
		return Done{}, true, err
	}
	return done, true, nil
}

func (c *Control) carryCreate(ctx context.Context, o Order, r *store.Receipt) (Done, error) {
	var info task.Info
	if err := definition.Read(o.Task, &info); err != nil {
		return Done{}, err
	}
	view, next, err := c.createTask(ctx, info, r)
	if err != nil {
		return Done{}, err
	}
	return Done{Changed: true, Created: true, Task: &view, Next: next}, nil
}

func (c *Control) carryRun(ctx context.Context, o Order, r *store.Receipt) (Done, error) {
	key, err := o.key()
	if err != nil {
		return Done{}, err
	}
	id, err := c.runTask(ctx, key, o.Reason, r)
	if err != nil {
		return Done{}, err
	}
	done := Done{Changed: true, FireID: id}
	if view, err := c.Task(ctx, key); err == nil { // a courtesy: it is asked for already
		done.Task = &view
	}
	return done, nil
}

// carryPut creates the task unless it is there, and else gives it the new
// definition.
func (c *Control) carryPut(ctx context.Context, o Order, key task.Key) (Done, error) {
	var wanted task.Info
	if err := definition.Read(o.Task, &wanted); err != nil {
		return Done{}, err
	}
	if o.Revision == 0 {
		view, next, err := c.createTask(ctx, wanted, nil)
		if err == nil {
			return Done{Changed: true, Created: true, Task: &view, Next: next}, nil
		}
		if failure.Of(err).Code != failure.CodeExists {
			return Done{}, err
		}
	}
	return c.carryEdit(ctx, key, o.Revision, func(info *task.Info) error {
		delivery := info.Delivery
		*info = wanted
		info.Delivery = cmp.Or(wanted.Delivery, delivery)
		return nil
	})
}

func (c *Control) carryEdit(ctx context.Context, key task.Key, revision int64, change func(*task.Info) error) (Done, error) {
	var before int64
	view, err := c.UpdateTask(ctx, key, revision, func(info *task.Info) error {
		before = info.Revision
		return change(info)
	})
	if err != nil {
		return Done{}, err
	}
	return Done{Changed: view.Revision != before, Task: &view}, nil
}
