package app

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/seed42aab489/belfry/plugin/control"
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
	// maxReplyAddresses bounds the hosts that a call names for its reply.
	maxReplyAddresses = 8
)

// replyStatus is the HTTP status of what became of a reply.
var replyStatus = map[control.Replied]int{
	control.ReplyAccepted: http.StatusAccepted,
	control.ReplyRepeated: http.StatusOK,
	control.ReplyAnswered: http.StatusConflict,
	control.ReplyEnded:    http.StatusGone,
}

// replyTaker takes a reply (control.Control).
type replyTaker interface {
	Reply(ctx context.Context, r control.ReplyRequest) (control.ReplyAnswer, error)
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
			refuseReply(w, &control.Error{Code: control.CodeUnavailable, Message: "too many replies at once: come again"})
			return
		}
		said, err := readReply(http.MaxBytesReader(w, r.Body, maxReplyBody))
		if err != nil {
			refuseReply(w, err)
			return
		}
		_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		answer, err := c.Reply(r.Context(), control.ReplyRequest{FireID: r.PathValue("id"), Token: token, Reply: said})
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
	if err == nil && d.More() {
		err = errors.New("more than one JSON value")
	}
	switch {
	case err != nil:
		return task.Reply{}, &control.Error{Code: control.CodeInvalid, Message: "body: " + err.Error(), Hint: replyHint, Err: err}
	case (said.Value == nil) == (said.Exception == nil):
		return task.Reply{}, &control.Error{Code: control.CodeInvalid, Message: "say one of value and exception", Hint: replyHint}
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
	e := control.AsError(err)
	status := e.Code.Status()
	if tooLong, ok := errors.AsType[*http.MaxBytesError](err); ok {
		status, e.Message = http.StatusRequestEntityTooLarge, tooLong.Error()
	}
	if e.Code == control.CodeUnauthorised {
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

// replyAddresses are the base addresses at which hosts of the group take replies
// now: what the configuration says, else this host's first and then the others'.
func (a *App) replyAddresses(ctx context.Context) []string {
	if base := a.o.Loaded.Config.Calls.ReplyURL; base != "" {
		return []string{strings.TrimSuffix(base, "/") + asyncPath}
	}
	var own, others []string
	members, _, err := a.plugin.Link().Members(ctx)
	if err != nil {
		a.log.Debug("the group's addresses are not known", "err", err)
	}
	for _, m := range members {
		var info control.NodeInfo
		if json.Unmarshal(m.Value, &info) != nil || info.Address == "" {
			continue
		}
		base := "http://" + reachable(info.Address, m.ID.Node()) + asyncPath
		if m.ID.Node() == a.o.Loaded.Config.Node {
			own = append(own, base)
		} else {
			others = append(others, base)
		}
	}
	slices.Sort(others)
	all := append(own, slices.Compact(others)...)
	return all[:min(len(all), maxReplyAddresses)]
}

// reachable is a listener's address as others may reach it: one that listens
// everywhere is known by its node's name, which is the machine's unless told
// otherwise.
func reachable(address, node string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = node
	}
	return net.JoinHostPort(host, port)
}
