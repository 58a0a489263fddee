package app

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/seed42aab489/belfry/plugin/control/call"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Where replies are taken, and their bounds.
const (
	asyncPath = "/async/"
	// maxReplyBody holds the largest value, each byte of it escaped.
	maxReplyBody = 32 << 10
	// maxReplies is how many replies are handled at once; more are told to come
	// again.
	maxReplies = 128
)

// replyStatus is the HTTP status of what became of a reply.
var replyStatus = map[call.Replied]int{
	call.ReplyAccepted: http.StatusAccepted,
	call.ReplyRepeated: http.StatusOK,
	call.ReplyAnswered: http.StatusConflict,
	call.ReplyEnded:    http.StatusGone,
}

// replyTaker takes a reply (control.Control).
type replyTaker interface {
	Reply(ctx context.Context, r call.ReplyRequest) (call.ReplyAnswer, error)
}

// asyncHandler takes replies: POST /async/{fire id}, with the token as a bearer's
// and a body that says {"value": …} or {"exception": "…"}. It answers when the
// reply is stored for good, or changes nothing.
func asyncHandler(c replyTaker) http.Handler {
	busy := make(chan struct{}, maxReplies)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case busy <- struct{}{}:
			defer func() { <-busy }()
		default:
			w.Header().Set("Retry-After", "1")
			refuseReply(w, &failure.Error{Code: failure.CodeUnavailable, Message: "too many replies at once: come again"})
			return
		}
		said, err := readReply(http.MaxBytesReader(w, r.Body, maxReplyBody))
		if err != nil {
			refuseReply(w, err)
			return
		}
		_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		answer, err := c.Reply(r.Context(), call.ReplyRequest{FireID: r.PathValue("id"), Token: token, Reply: said})
		if err != nil {
			refuseReply(w, err)
			return
		}
		writeReply(w, replyStatus[answer.State], answer)
	})
}

// readReply reads a body: a value of any JSON, or the text of an exception. A
// string is kept as it is, everything else as JSON.
func readReply(body io.Reader) (task.Reply, error) {
	var said struct {
		Value     json.RawMessage `json:"value"`
		Exception *string         `json:"exception"`
	}
	d := json.NewDecoder(body)
	d.DisallowUnknownFields()
	err := d.Decode(&said)
	switch {
	case err == nil && d.More():
		err = errors.New("more than one JSON value")
	case err == nil && !utf8.Valid(said.Value):
		err = errors.New("not UTF-8")
	case errors.Is(err, io.EOF):
		err = errors.New("there is none")
	}
	switch {
	case err != nil:
		return task.Reply{}, &failure.Error{Code: failure.CodeInvalid, Message: "body: " + err.Error(), Hint: replyHint, Err: err}
	case (said.Value == nil) == (said.Exception == nil):
		return task.Reply{}, &failure.Error{Code: failure.CodeInvalid, Message: "say one of value and exception", Hint: replyHint}
	case said.Exception != nil:
		return task.Reply{Value: *said.Exception}, nil
	}
	reply := task.Reply{OK: true}
	if json.Unmarshal(said.Value, &reply.Value) != nil {
		reply.Value = string(said.Value)
	}
	return reply, nil
}

const replyHint = `write {"value": …} or {"exception": "…"}`

func refuseReply(w http.ResponseWriter, err error) {
	e := failure.Of(err)
	status := e.Code.Status()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		status = http.StatusRequestTimeout
	}
	if tooLong, ok := errors.AsType[*http.MaxBytesError](err); ok {
		status, e.Message = http.StatusRequestEntityTooLarge, tooLong.Error()
	}
	if e.Code == failure.CodeUnauthorised {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	writeReply(w, status, map[string]string{"error": string(e.Code), "message": e.Message, "hint": e.Hint})
}

func writeReply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may be gone
}
