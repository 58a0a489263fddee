package call

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/control/failure"
)

// Sender asks one member, as coordclient.Caller does.
type Sender interface {
	SendReceive(ctx context.Context, to coordclient.MemberID, verb string, request []byte) ([]byte, error)
}

// verbTry is the verb of Try.
const verbTry = "control.try-operation"

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

// Host tries operations.
type Host interface {
	TryOperation(ctx context.Context, r TryRequest) (TryResult, error)
}

// ServeTries installs a host's side of Try.
func ServeTries(handler coordclient.Handler, host Host) {
	handler.Handle(verbTry, func(ctx context.Context, request []byte) ([]byte, error) {
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

// Try has a host call an operation once. Codes: unavailable, timeout,
// unknown_outcome, and what the host answers.
func Try(ctx context.Context, s Sender, to coordclient.MemberID, r TryRequest) (TryResult, error) {
	request, err := json.Marshal(r)
	if err != nil {
		return TryResult{}, failure.Wrap(err)
	}
	began := time.Now()
	answer, err := s.SendReceive(ctx, to, verbTry, request)
	if err != nil {
		return TryResult{}, failure.Received(err)
	}
	head, body, _ := bytes.Cut(answer, []byte{'\n'})
	var result TryResult
	if err := json.Unmarshal(head, &result); err != nil {
		return TryResult{}, unreadable("the host's", err)
	}
	result.Body, result.Elapsed = body, time.Since(began)
	return result, nil
}

// unreadable is the error for an answer that is none.
func unreadable(whose string, err error) error {
	return &failure.Error{Code: failure.CodeInternal, Message: whose + " answer cannot be read: " + err.Error(), Err: err}
}
