package app

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/plugin/control/call"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/task"
)

// taker is what a reply gets to.
type taker func(r call.ReplyRequest) (call.ReplyAnswer, error)

func (f taker) Reply(_ context.Context, r call.ReplyRequest) (call.ReplyAnswer, error) {
	return f(r)
}

func TestAsyncHandler(t *testing.T) {
	t.Parallel()
	accepted := call.ReplyAnswer{State: call.ReplyAccepted}
	for _, c := range []struct {
		name, body string
		answer     call.ReplyAnswer
		err        error
		status     int
		said       task.Reply
	}{
		{"a text", `{"value": "ok \"x\""}`, accepted, nil, http.StatusAccepted, task.Reply{OK: true, Value: `ok "x"`}},
		{"any JSON", `{"value": {"n": [1, 2]}}`, accepted, nil, http.StatusAccepted, task.Reply{OK: true, Value: `{"n": [1, 2]}`}},
		{"nothing", `{"value": null}`, accepted, nil, http.StatusAccepted, task.Reply{OK: true}},
		{"an exception", `{"exception": "disk full"}`, accepted, nil, http.StatusAccepted, task.Reply{Value: "disk full"}},
		{"repeated", `{"value": 1}`, call.ReplyAnswer{State: call.ReplyRepeated}, nil, http.StatusOK, task.Reply{OK: true, Value: "1"}},
		{"answered", `{"value": 1}`, call.ReplyAnswer{State: call.ReplyAnswered}, nil, http.StatusConflict, task.Reply{OK: true, Value: "1"}},
		{"ended", `{"value": 1}`, call.ReplyAnswer{State: call.ReplyEnded}, nil, http.StatusGone, task.Reply{OK: true, Value: "1"}},
		{"both", `{"value": 1, "exception": "x"}`, accepted, nil, http.StatusBadRequest, task.Reply{}},
		{"neither", `{}`, accepted, nil, http.StatusBadRequest, task.Reply{}},
		{"unknown", `{"valeu": 1}`, accepted, nil, http.StatusBadRequest, task.Reply{}},
		{"twice", `{"value": 1} {"value": 2}`, accepted, nil, http.StatusBadRequest, task.Reply{}},
		{"not UTF-8", "{\"value\": {\"n\": \"\xff\"}}", accepted, nil, http.StatusBadRequest, task.Reply{}},
		{"no body", ``, accepted, nil, http.StatusBadRequest, task.Reply{}},
		{"no JSON", `value=1`, accepted, nil, http.StatusBadRequest, task.Reply{}},
		{"too long", `{"value": "` + strings.Repeat("x", maxReplyBody) + `"}`, accepted, nil, http.StatusRequestEntityTooLarge, task.Reply{}},
		{
			"forged", `{"value": 1}`, accepted, &failure.Error{Code: failure.CodeUnauthorised},
			http.StatusUnauthorized,
			task.Reply{OK: true, Value: "1"},
		},
		{"the store is away", `{"value": 1}`, accepted, &failure.Error{Code: failure.CodeUnavailable}, http.StatusServiceUnavailable, task.Reply{OK: true, Value: "1"}},
		{"unknown fault", `{"value": 1}`, accepted, errors.New("x"), http.StatusInternalServerError, task.Reply{OK: true, Value: "1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var got call.ReplyRequest
			mux := http.NewServeMux()
			mux.Handle("POST "+asyncPath+"{id}", asyncHandler(taker(func(r call.ReplyRequest) (call.ReplyAnswer, error) {
				got = r
				return c.answer, c.err
			})))
			request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/async/0-u:m:5", strings.NewReader(c.body))
			request.Header.Set("Authorization", "Bearer secret")
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, request)
			if w.Code != c.status || w.Header().Get("Content-Type") != "application/json" {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if got.Reply != c.said {
				t.Errorf("said %+v", got.Reply)
			}
			if c.said != (task.Reply{}) && (got.FireID != "0-u:m:5" || got.Token != "secret") {
				t.Errorf("of %+v", got)
			}
		})
	}
}

func TestReachable(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"127.0.0.1:80": "127.0.0.1:80", "[::]:80": "north:80", ":80": "north:80", "0.0.0.0:80": "north:80",
		"[::1]:80": "[::1]:80", "tasks.example.org:80": "tasks.example.org:80",
	} {
		if got := reachable(address, "north"); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}
