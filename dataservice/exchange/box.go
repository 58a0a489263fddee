package exchange

import (
	"context"
	"fmt"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/boxcar"
	"github.com/seed42aab489/belfry/dataservice/result"
)

// boxName is the element around the answer of a box.
var boxName = result.Name{Space: dataservice.DefaultNamespace, Local: dataservice.BoxResponse}

// Runner executes requests of one service. Safe for concurrent use. Errors are
// *dataservice.Fault; empty tells that nothing was written to out.
type Runner interface {
	Run(ctx context.Context, r dataservice.Request, out result.Sink) (empty bool, err error)
	RunBox(ctx context.Context, b dataservice.Box, out result.Sink) (empty bool, err error)
}

// Do executes a request, or keeps it until its boxcarring session is ended and
// answers as the original does, with an empty result.
func (x *Exchange) Do(ctx context.Context, run Runner, q dataservice.Request, out result.Sink) (empty bool, err error) {
	if err := x.gate.opts.Permit(q); err != nil {
		return false, err
	}
	k := x.session()
	if !x.gate.boxes.Has(k) {
		return run.Run(ctx, q, out)
	}
	if err := x.gate.boxes.Add(k, q); err != nil {
		return false, err
	}
	return x.hollow(q, out)
}

// DoBatch executes the requests of a batch, or keeps them as Do does.
func (x *Exchange) DoBatch(ctx context.Context, run Runner, list []dataservice.Request, out result.Sink) (empty bool, err error) {
	if err := x.gate.opts.Permit(list...); err != nil {
		return false, err
	}
	k := x.session()
	if !x.gate.boxes.Has(k) {
		return run.RunBox(ctx, dataservice.Box{ID: x.ID, Requests: list, Batch: true}, out)
	}
	if err := x.gate.boxes.Add(k, list...); err != nil || len(list) == 0 {
		return err == nil, err
	}
	return x.hollow(list[0], out)
}

// DoBox executes the requests of a request_box.
func (x *Exchange) DoBox(ctx context.Context, run Runner, list []dataservice.Request, out result.Sink) (empty bool, err error) {
	if err := x.gate.opts.Permit(list...); err != nil {
		return false, err
	}
	return run.RunBox(ctx, dataservice.Box{ID: x.ID, Requests: list}, out)
}

// Control executes begin_boxcar, end_boxcar or abort_boxcar.
func (x *Exchange) Control(ctx context.Context, run Runner, operation string, out result.Sink) (empty bool, err error) {
	k := x.session()
	switch operation {
	case dataservice.BeginBoxcar:
		if x.gate.boxes.Has(k) {
			_, _ = x.gate.boxes.End(k) // the client begins anew
		}
		began, err := x.gate.boxes.Begin(k.Service, k.Caller)
		if err != nil {
			return false, err
		}
		boxcar.Tell(x.W, x.R, began.ID)
		// Clients of the original's later versions wait for an answer.
		if err := out.Open(boxName, false); err != nil {
			return false, err
		}
		return false, out.Close()
	case dataservice.AbortBoxcar:
		_, _ = x.gate.boxes.End(k) // there may be none, which is what is wanted
		boxcar.Tell(x.W, x.R, "")
		return true, nil
	case dataservice.EndBoxcar:
		list, err := x.gate.boxes.End(k)
		if err != nil {
			return false, err
		}
		boxcar.Tell(x.W, x.R, "")
		return x.DoBox(ctx, run, list, out)
	}
	return false, fmt.Errorf("%s does not control a boxcarring session", operation)
}

// session is the one that the client names, if the service has sessions.
func (x *Exchange) session() boxcar.Key {
	k := boxcar.Key{Service: x.gate.service.Name}
	if x.Caller != nil {
		k.Caller = x.Caller.Name
	}
	if x.gate.service.LegacyBoxcarring {
		k.ID = boxcar.SessionOf(x.R)
	}
	return k
}

// hollow answers for a request that is kept: the element of its result, empty.
func (x *Exchange) hollow(q dataservice.Request, out result.Sink) (empty bool, err error) {
	to := x.gate.service.Query(q.Target.Query)
	if to == nil || to.Result == nil || to.Result.Element == "" {
		return true, nil
	}
	if err := out.Open(result.Name{Space: to.Result.Namespace, Local: to.Result.Element}, false); err != nil {
		return false, err
	}
	return false, out.Close()
}
