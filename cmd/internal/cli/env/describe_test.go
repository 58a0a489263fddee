package env

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/control/failure"
)

// Exit codes are a contract with scripts: this list is typed anew on purpose.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	for i, want := range []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 130} {
		if got := ExitCodes()[i].Code; got != want {
			t.Errorf("row %d: exit %d, want %d", i, got, want)
		}
	}
	if len(ExitCodes()) != 11 {
		t.Errorf("%d codes", len(ExitCodes()))
	}
	for name, c := range map[string]struct {
		err  error
		exit int
		code string
	}{
		"business":    {errors.New("the run failed"), 1, "internal"},
		"differs":     {Differs("2 differ"), 1, "differs"},
		"usage":       {Usage("no"), 2, "invalid"},
		"missing":     {fmt.Errorf("x: %w", coordclient.ErrNotFound), 3, "not_found"},
		"denied":      {&failure.Error{Code: failure.CodeUnauthorised}, 4, "unauthorised"},
		"exists":      {coordclient.ErrExists, 5, "exists"},
		"conflict":    {coordclient.ErrConflict, 5, "conflict"},
		"unavailable": {coordclient.ErrUnavailable, 6, "unavailable"},
		"late":        {context.DeadlineExceeded, 7, "timeout"},
		"unknown":     {coordclient.ErrUnknownOutcome, 7, "unknown_outcome"},
		"partial":     {Partial("", "1 of 2"), 8, "partial"},
		"no":          {ErrCancelled, 9, "cancelled"},
		"interrupted": {fmt.Errorf("read: %w", context.Canceled), 130, "interrupted"},
	} {
		if d := Describe(c.err); d.ExitCode != c.exit || d.Code != c.code {
			t.Errorf("%s: exit %d %s, want %d %s", name, d.ExitCode, d.Code, c.exit, c.code)
		}
	}
}

func TestCauseIsToldOnce(t *testing.T) {
	t.Parallel()
	inner := errors.New("connection refused")
	if d := Describe(&failure.Error{Code: failure.CodeUnavailable, Message: "no host answers", Err: fmt.Errorf("dial: %w", inner)}); d.Cause != "connection refused" || !d.Retryable {
		t.Errorf("%+v", d)
	}
	if d := Describe(&failure.Error{Code: failure.CodeUnavailable, Message: "no host: connection refused", Err: inner}); d.Cause != "" {
		t.Errorf("%+v", d)
	}
}
