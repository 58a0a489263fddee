package exchange

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// MaxValues bounds the values of one request, arrays' members included.
const MaxValues = 10_000

// bodyTime bounds how long a client may take to send its body.
const bodyTime = 30 * time.Second

// Body reads the body of the request, within its bounds of size and time. Errors
// are Problems.
func (x *Exchange) Body() ([]byte, error) {
	if c := x.R.Header.Get("Content-Encoding"); c != "" && !strings.EqualFold(c, "identity") {
		return nil, &Problem{
			http.StatusUnsupportedMediaType, "the body's Content-Encoding is not supported: send it plain",
			http.Header{"Accept-Encoding": {"identity"}},
		}
	}
	// A client that sends a byte a minute must not hold a request for ever. What
	// cannot set a deadline (a recorder, another protocol) has none to fear.
	control := http.NewResponseController(x.W)
	_ = control.SetReadDeadline(time.Now().Add(bodyTime))
	limit := x.gate.opts.MaxBody
	data, err := io.ReadAll(http.MaxBytesReader(x.W, x.R.Body, limit))
	if err == nil {
		// Only now: before the server answers it looks for the rest of a body.
		_ = control.SetReadDeadline(time.Time{})
	}
	var over *http.MaxBytesError
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, &Problem{Status: http.StatusRequestTimeout, Text: fmt.Sprintf("the body did not come within %s", bodyTime)}
	case errors.As(err, &over):
		return nil, &Problem{Status: http.StatusRequestEntityTooLarge, Text: fmt.Sprintf("the body exceeds %d bytes (limits.body)", limit)}
	case err != nil:
		return nil, &Problem{Status: http.StatusBadRequest, Text: "the body broke off"}
	}
	return data, nil
}

// Fold keeps the letters and digits of a name, in lower case, so that the ways
// in which clients spell the envelope of a resource are one.
func Fold(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + ('a' - 'A')
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r >= 0x80:
			return r
		}
		return -1
	}, name)
}
