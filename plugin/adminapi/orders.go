package adminapi

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"sync"

	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/definition"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Orders is the body of a bulk.
type Orders struct {
	Orders []control.Order `json:"orders"`
}

// Results are what came of a bulk.
type Results struct {
	Done   int `json:"done"`
	Failed int `json:"failed"`
	// Results has one entry for each order, in their order.
	Results []Result `json:"results"`
}

// Result is what came of one order: one of its two.
type Result struct {
	Name  string        `json:"name"`
	Done  *control.Done `json:"done,omitempty"`
	Error *Problem      `json:"error,omitempty"`
}

func (a *API) carryOrders(w http.ResponseWriter, r *http.Request, caller Caller) error {
	data, err := body(r)
	if err != nil {
		return err
	}
	var asked Orders
	if err := definition.Decode("the body", data, &asked); err != nil {
		return err
	}
	if len(asked.Orders) == 0 || len(asked.Orders) > a.d.Limits.Bulk {
		return &failure.Error{Code: failure.CodeInvalid, Message: fmt.Sprintf("%d orders: send 1 to %d in one request", len(asked.Orders), a.d.Limits.Bulk)}
	}
	results := a.carryAll(r.Context(), asked.Orders, caller)
	if err := r.Context().Err(); err != nil {
		return &failure.Error{
			Code: failure.CodeUnknownOutcome, Message: "the time was over before all orders were carried out", Err: err,
			Hint: "send the same again: what was carried out is not carried out twice if its order has an id",
		}
	}
	return write(w, http.StatusOK, results)
}

// carryAll carries out orders side by side, those about one task in turn.
func (a *API) carryAll(ctx context.Context, orders []control.Order, caller Caller) Results {
	results := Results{Results: make([]Result, len(orders))}
	lanes := make([][]int, a.d.Limits.Parallel)
	for i, o := range orders {
		var key task.Key
		_ = json.Unmarshal(o.Task, &key) // what is malformed is refused when its turn comes
		results.Results[i].Name = key.Name
		lane := lane(key, len(lanes))
		lanes[lane] = append(lanes[lane], i)
	}
	var all sync.WaitGroup
	for _, lane := range lanes {
		all.Go(func() { // ends with its lane, or soon after ctx
			for _, i := range lane {
				done, err := a.carryOne(ctx, orders[i], caller)
				if err != nil {
					e := failure.Of(err)
					p := problem(e.Code.Status(), e)
					results.Results[i].Error = &p
					continue
				}
				results.Results[i].Done = &done
			}
		})
	}
	all.Wait()
	for _, r := range results.Results {
		if r.Error != nil {
			results.Failed++
		} else {
			results.Done++
		}
	}
	return results
}

func lane(key task.Key, lanes int) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(key.Normal().String())) // a hash takes everything
	return int(h.Sum32() % uint32(lanes))         //nolint:gosec // both are small and positive
}

func (a *API) carryOne(ctx context.Context, o control.Order, caller Caller) (control.Done, error) {
	if err := context.Cause(ctx); err != nil {
		return control.Done{}, &failure.Error{Code: failure.CodeUnavailable, Message: "the time was over before its turn came", Err: err}
	}
	if o.Verb == control.VerbRun && !caller.may(ScopeRun) {
		return control.Done{}, &failure.Error{Code: failure.CodeUnauthorised, Message: caller.Name + " has not the scope " + string(ScopeRun)}
	}
	id, err := ownID(o.ID, caller)
	if err != nil {
		return control.Done{}, err
	}
	o.ID = id
	return a.d.Control.Carry(ctx, o)
}
