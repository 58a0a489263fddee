package failure

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/store"
)

func TestCodes(t *testing.T) {
	t.Parallel()
	for code, want := range map[Code]struct{ exit, status int }{
		CodeInvalid:        {2, 400},
		CodeNotFound:       {3, 404},
		CodeExists:         {5, 409},
		CodeConflict:       {5, 412},
		CodeUnauthorised:   {4, 401},
		CodeUnavailable:    {6, 503},
		CodeTimeout:        {7, 504},
		CodeUnknownOutcome: {7, 502},
		CodeInternal:       {1, 500},
		"no such code":     {1, 500},
	} {
		if code.Exit() != want.exit || code.Status() != want.status {
			t.Errorf("%s: exit %d, status %d; want %+v", code, code.Exit(), code.Status(), want)
		}
		if back := CodeOf(want.status); known(code) && back != code {
			t.Errorf("%d: %s, want %s", want.status, back, code)
		}
	}
	if CodeOf(http.StatusTeapot) != CodeInternal {
		t.Error("a status that nobody gives")
	}
	if len(codes) != 9 {
		t.Errorf("%d codes: keep this test complete", len(codes))
	}
}

func TestAsError(t *testing.T) {
	t.Parallel()
	mine := &Error{Code: CodeUnauthorised, Message: "no"}
	for _, c := range []struct {
		err  error
		want Code
	}{
		{fmt.Errorf("x: %w", coordclient.ErrNotFound), CodeNotFound},
		{fmt.Errorf("x: %w", coordclient.ErrExists), CodeExists},
		{fmt.Errorf("%w: %w", coordclient.ErrExists, store.ErrDeleting), CodeConflict},
		{coordclient.ErrConflict, CodeConflict},
		{coordclient.ErrTooLarge, CodeInvalid},
		{coordclient.ErrUnavailable, CodeUnavailable},
		{fmt.Errorf("%w: %w", coordclient.ErrUnavailable, context.DeadlineExceeded), CodeTimeout},
		{fmt.Errorf("%w: %w", coordclient.ErrUnknownOutcome, context.DeadlineExceeded), CodeUnknownOutcome},
		{store.ErrNotInitialised, CodeUnavailable},
		{coordclient.ErrNoSuchVerb, CodeUnavailable},
		{context.DeadlineExceeded, CodeTimeout},
		{errors.New("boom"), CodeInternal},
		{fmt.Errorf("x: %w", mine), CodeUnauthorised},
	} {
		e := Of(c.err)
		if e.Code != c.want || e.Message == "" || !errors.Is(e, c.err) && e != mine {
			t.Errorf("%v: %+v, want %s", c.err, e, c.want)
		}
	}
	if Of(nil) != nil || Wrap(nil) != nil {
		t.Error("nil became an error")
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	names := []string{"nightly-sync", "stock-watch", "stock-alert", "Invoice", "a"}
	for name, want := range map[string]string{
		"nightly-synk": "did you mean nightly-sync?",
		"stok-watch":   "did you mean stock-watch?",
		"invoice":      "did you mean Invoice?",
		"stock":        "did you mean stock-alert, stock-watch?",
		"zzzzzzz":      "",
	} {
		if got := Nearest(name, names); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", name, got, want)
		}
	}
	if d := distance("abcd", "abdc", 9); d != 1 {
		t.Errorf("a swap costs %d", d)
	}
}
