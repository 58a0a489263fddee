package zk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-zookeeper/zk"

	"github.com/seed42aab489/belfry/coordclient"
)

// A message is a head in JSON, a line feed and the body. A body of more than
// inlineBody bytes is in pieces, each a node of its own, made before the head.
const (
	inlineBody = 256 << 10
	pieceSize  = 512 << 10
	maxVerb    = 1024
	maxTold    = 64 << 10 // bytes of an error's text that are carried
)

// The ways in which a call ends, as the reply's head says.
const (
	statusOK          = "ok"
	statusError       = "error"
	statusNoVerb      = "no such verb"
	statusTooLarge    = "too large"
	statusUnavailable = "unavailable"
	statusUnknown     = "unknown outcome"
)

// errMalformed: a message that cannot be understood, however often it is read.
var errMalformed = errors.New("malformed message")

// head is what goes before a body.
type head struct {
	Verb   string `json:"verb,omitempty"`   // of a request
	Reply  bool   `json:"reply,omitempty"`  // the request wants one
	Status string `json:"status,omitempty"` // of a reply
	Code   string `json:"code,omitempty"`   // of a reply that is an error
	Text   string `json:"text,omitempty"`
	Pieces int    `json:"pieces,omitempty"`
}

func (h head) encode(body []byte) []byte {
	text, _ := json.Marshal(h) // strings and numbers: it cannot fail
	return append(append(text, '\n'), body...)
}

func decodeHead(data []byte) (head, []byte, error) {
	text, body, ok := bytes.Cut(data, []byte{'\n'})
	var h head
	if err := json.Unmarshal(text, &h); err != nil || !ok {
		return head{}, nil, fmt.Errorf("%w: it has no head", errMalformed)
	}
	if h.Pieces < 0 || h.Pieces > coordclient.MaxMessage/pieceSize+1 {
		return head{}, nil, fmt.Errorf("%w: it has %d pieces", errMalformed, h.Pieces)
	}
	return h, body, nil
}

// pack makes the pieces of a large body, named base.0 and so on, and gives the
// node's value. Pieces that are there already are those of an earlier try whose
// answer was lost: nobody else makes any of that name.
func (c *Client) pack(ctx context.Context, h head, body []byte, base string, flags int32) ([]byte, error) {
	if len(body) <= inlineBody {
		return h.encode(body), nil
	}
	for rest := body; len(rest) > 0; h.Pieces++ {
		piece := rest[:min(len(rest), pieceSize)]
		rest = rest[len(piece):]
		_, err := c.multi(ctx, &zk.CreateRequest{Path: pieceOf(base, h.Pieces), Data: own(piece), Acl: c.acl, Flags: flags})
		if err != nil && !errors.Is(err, zk.ErrNodeExists) {
			return nil, err
		}
	}
	return h.encode(nil), nil
}

// unpack is the reverse of pack.
func (c *Client) unpack(ctx context.Context, data []byte, base string) (head, []byte, error) {
	h, body, err := decodeHead(data)
	if err != nil || h.Pieces == 0 {
		return h, body, err
	}
	for n := range h.Pieces {
		v, err := c.value(ctx, pieceOf(base, n))
		if err != nil {
			return head{}, nil, err
		}
		body = append(body, v.data...)
	}
	if len(body) > coordclient.MaxMessage {
		return head{}, nil, fmt.Errorf("%w: it has %d bytes: %w", errMalformed, len(body), coordclient.ErrTooLarge)
	}
	return h, body, nil
}

func pieceOf(base string, n int) string { return fmt.Sprintf("%s.%d", base, n) }

// discard removes the pieces of a message that somebody may have read.
func (c *Client) discard(ctx context.Context, base string, pieces int) {
	for n := range pieces {
		c.remove(ctx, pieceOf(base, n))
	}
}

// piecesIn is how many pieces a body of this length has.
func piecesIn(length int) int {
	if length <= inlineBody {
		return 0
	}
	return (length + pieceSize - 1) / pieceSize
}

// replyOf tells a caller how a call went.
func replyOf(err error) head {
	var remote *coordclient.RemoteError
	h := head{Status: statusUnknown}
	switch {
	case err == nil:
		return head{Status: statusOK}
	case errors.As(err, &remote):
		return head{Status: statusError, Code: remote.Code, Text: clip(remote.Message)}
	case errors.Is(err, coordclient.ErrNoSuchVerb):
		h.Status = statusNoVerb
	case errors.Is(err, coordclient.ErrTooLarge):
		h.Status = statusTooLarge
	case errors.Is(err, coordclient.ErrUnavailable):
		h.Status = statusUnavailable
	}
	h.Text = clip(err.Error())
	return h
}

// err is the reverse of replyOf.
func (h head) err() error {
	var sentinel error
	switch h.Status {
	case statusOK:
		return nil
	case statusError:
		return &coordclient.RemoteError{Code: h.Code, Message: h.Text}
	case statusNoVerb:
		sentinel = coordclient.ErrNoSuchVerb
	case statusTooLarge:
		sentinel = coordclient.ErrTooLarge
	case statusUnavailable:
		sentinel = coordclient.ErrUnavailable
	default:
		sentinel = coordclient.ErrUnknownOutcome
	}
	return fmt.Errorf("%w, it says: %s", sentinel, h.Text)
}

func clip(text string) string {
	if len(text) <= maxTold {
		return text
	}
	return text[:maxTold]
}
