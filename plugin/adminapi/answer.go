package adminapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/seed42aab489/belfry/plugin/control/failure"
)

// Problem is an error as it is answered (RFC 9457).
type Problem struct {
	Type   string       `json:"type" jsonschema:"always about:blank: code tells errors apart"`
	Title  string       `json:"title"`
	Status int          `json:"status"`
	Detail string       `json:"detail"`
	Code   failure.Code `json:"code" jsonschema:"stable: invalid, not_found, exists, conflict, unauthorised, unavailable, timeout, unknown_outcome, internal"`
	Hint   string       `json:"hint,omitempty" jsonschema:"the next step"`
}

func problem(status int, e *failure.Error) Problem {
	return Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: e.Message, Code: e.Code, Hint: e.Hint}
}

// refuse answers with a problem. Nothing must have been written before.
func (a *API) refuse(w http.ResponseWriter, r *http.Request, status int, e *failure.Error) {
	if status >= http.StatusInternalServerError {
		a.d.Log.Warn("request to the task API failed", "method", r.Method, "path", r.URL.Path, "status", status, "err", e)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(problem(status, e)) // the client may be gone
}

// write answers with JSON.
func write(w http.ResponseWriter, status int, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(data, '\n')) // the client may be gone
	return nil
}

// body reads the whole body, which is bounded.
func body(r *http.Request) (json.RawMessage, error) {
	data, err := io.ReadAll(r.Body)
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, &failure.Error{Code: failure.CodeInvalid, Message: fmt.Sprintf("the body is larger than %d bytes", tooLarge.Limit), Err: err}
	}
	if err != nil {
		return nil, &failure.Error{Code: failure.CodeInvalid, Message: "the body cannot be read: " + err.Error(), Err: err}
	}
	return data, nil
}

// number reads a query parameter between 1 and maxPage; absent: otherwise.
func number(r *http.Request, name string, otherwise int) (int, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxPage {
		return 0, &failure.Error{Code: failure.CodeInvalid, Message: fmt.Sprintf("%s %q: use 1 to %d", name, text, maxPage)}
	}
	return n, nil
}
