package control

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
)

// VerbTry is the verb by which TryOperation calls a host.
const VerbTry = "control.try-operation"

// MaxTryBody bounds the answer of a tried operation in bytes.
const MaxTryBody = coordclient.MaxMessage - 64<<10

// TryRequest is an operation to be called once, now.
type TryRequest struct {
	Service   string              `json:"service"`
	Operation string              `json:"operation"`
	Params    map[string][]string `json:"params"`
	Accept    string              `json:"accept"` // the media type wanted; empty: the service's own
}

// TryResult is what came of it.
type TryResult struct {
	ContentType string        `json:"content_type"`
	Rows        int64         `json:"rows"`
	Body        []byte        `json:"-"`
	Elapsed     time.Duration `json:"-"` // as the caller measured it
}

// Host answers the verbs of this package in a host. An *failure.Error reaches the
// caller with its code.
type Host interface {
	TryOperation(ctx context.Context, r TryRequest) (TryResult, error)
}

// Serve installs a host's side of the verbs.
func Serve(handler coordclient.Handler, host Host) {
	handler.Handle(VerbTry, func(ctx context.Context, request []byte) ([]byte, error) {
		var r TryRequest
		if err := json.Unmarshal(request, &r); err != nil {
			return nil, failure.Sent(failure.Invalid("request: %v", err))
		}
		result, err := host.TryOperation(ctx, r)
		if err != nil {
			return nil, failure.Sent(failure.Of(err))
		}
		if len(result.Body) > MaxTryBody {
			return nil, failure.Sent(failure.Invalid("the answer has %d bytes: only %d can be shown; ask for less, or over HTTP", len(result.Body), MaxTryBody))
		}
		head, err := json.Marshal(result)
		if err != nil {
			return nil, err
		}
		// A line of JSON, and after it the body as it is.
		return append(append(head, '\n'), result.Body...), nil
	})
}

// TryOperation calls an operation once, now, on a host that has it. Codes:
// not_found, invalid, unavailable, timeout, unknown_outcome, and what the host
// answers.
func (c *Control) TryOperation(ctx context.Context, service, operation string, params map[string][]string, accept string) (TryResult, error) {
	s, err := c.Service(ctx, service)
	if err != nil {
		return TryResult{}, err
	}
	var names []string
	for _, o := range s.Operations {
		names = append(names, o.Name)
	}
	if !slices.Contains(names, operation) {
		return TryResult{}, &failure.Error{
			Code: failure.CodeNotFound, Message: "service " + service + " has no operation " + operation, Hint: failure.Nearest(operation, names),
		}
	}
	if s.Status == contract.StatusRemote {
		return TryResult{}, &failure.Error{
			Code: failure.CodeInvalid, Message: "service " + service + " is of another system, and is called by tasks alone",
			Hint: "make a task of it and run that: belfry task run",
		}
	}
	to, err := c.hostOf(ctx, s.Node)
	if err != nil {
		return TryResult{}, err
	}
	request, err := json.Marshal(TryRequest{service, operation, params, accept})
	if err != nil {
		return TryResult{}, failure.Wrap(err)
	}
	began := time.Now()
	answer, err := c.caller.SendReceive(ctx, to, VerbTry, request)
	if err != nil {
		return TryResult{}, failure.Received(err)
	}
	head, body, _ := bytes.Cut(answer, []byte{'\n'})
	var result TryResult
	if err := json.Unmarshal(head, &result); err != nil {
		return TryResult{}, &failure.Error{Code: failure.CodeInternal, Message: "the host's answer cannot be read: " + err.Error(), Err: err}
	}
	result.Body, result.Elapsed = body, time.Since(began)
	return result, nil
}

// hostOf is the member of a node.
func (c *Control) hostOf(ctx context.Context, node string) (coordclient.MemberID, error) {
	live, err := c.live(ctx)
	if err != nil {
		return "", failure.Wrap(err)
	}
	for id := range live {
		if id.Node() == node {
			return id, nil
		}
	}
	return "", &failure.Error{Code: failure.CodeUnavailable, Message: "node " + node + " is not in the group", Hint: "no host that has the service is up"}
}
