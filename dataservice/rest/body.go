package rest

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/exchange"
)

// Bounds of what a request may say, beside Options.MaxBody.
const (
	// MaxValues bounds the values of one request, arrays' members included.
	MaxValues = 10_000
	// MaxAttributes bounds the attributes of one XML element.
	MaxAttributes = 128
	// bodyTime bounds how long a client may take to send its body.
	bodyTime = 30 * time.Second
)

// problem is a request that is refused before anything is executed.
type problem struct {
	status int
	text   string
	header http.Header // more to say in the answer; may be nil
}

func (p *problem) Error() string { return p.text }

// Refused meets exchange.Refusal.
func (p *problem) Refused() (int, http.Header) { return p.status, p.header }

func badRequest(format string, args ...any) *problem {
	return &problem{status: http.StatusBadRequest, text: fmt.Sprintf(format, args...)}
}

// envelope is what may stand around the parameters of a body.
type envelope struct {
	name   string // folded
	params []dataservice.WithParam
}

func (e envelope) has(param string) bool {
	for _, p := range e.params {
		if p.QueryParam == param {
			return true
		}
	}
	return false
}

// check refuses an envelope of another name.
func (e envelope) check(name string) error {
	switch fold(name) {
	case e.name:
		return nil
	case e.name + "batchreq":
		return &problem{status: http.StatusNotImplemented, text: "batch requests are not supported yet"}
	}
	return badRequest("the body holds %q, which is neither a parameter nor the name of what is called", exchange.Clip(name))
}

// gather collects the parameters of a request from query string, body and path.
func gather(w http.ResponseWriter, r *http.Request, to *route, path []string, maxBody int64) (dataservice.Values, error) {
	values := make(dataservice.Values)
	if r.URL.RawQuery != "" {
		query, err := form(r.URL.RawQuery)
		if err != nil {
			return nil, badRequest("the query string is malformed: %v", err)
		}
		values = query
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead && r.ContentLength != 0 {
		body, err := readBody(w, r, maxBody, envelope{to.wrapper, to.target.Params})
		if err != nil {
			return nil, err
		}
		for name, v := range body {
			values[name] = v
		}
	}
	to.pattern.match(path, values)
	count := 0
	for name, list := range values {
		count += max(1, len(list))
		for _, v := range list {
			if !utf8.ValidString(v) {
				return nil, badRequest("parameter %q is not UTF-8", exchange.Clip(name))
			}
		}
	}
	if count > MaxValues {
		return nil, badRequest("more than %d values", MaxValues)
	}
	return values, nil
}

// readBody reads the parameters in a body by its content type.
func readBody(w http.ResponseWriter, r *http.Request, limit int64, e envelope) (dataservice.Values, error) {
	if c := r.Header.Get("Content-Encoding"); c != "" && !strings.EqualFold(c, "identity") {
		return nil, &problem{
			http.StatusUnsupportedMediaType, "the body's Content-Encoding is not supported: send it plain",
			http.Header{"Accept-Encoding": {"identity"}},
		}
	}
	// A client that sends a byte a minute must not hold a request for ever. What
	// cannot set a deadline (a recorder, another protocol) has none to fear.
	control := http.NewResponseController(w)
	if control.SetReadDeadline(time.Now().Add(bodyTime)) == nil {
		defer func() { _ = control.SetReadDeadline(time.Time{}) }()
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return nil, &problem{status: http.StatusRequestEntityTooLarge, text: fmt.Sprintf("the body exceeds %d bytes", limit)}
	case err != nil:
		return nil, badRequest("the body broke off")
	case len(data) == 0:
		return nil, nil
	}
	return parseBody(r.Header.Get("Content-Type"), data, e)
}

// parseBody reads a body that is there in full.
func parseBody(contentType string, data []byte, e envelope) (dataservice.Values, error) {
	unsupported := &problem{
		http.StatusUnsupportedMediaType,
		"the body's Content-Type must be application/json, application/xml, text/xml or application/x-www-form-urlencoded",
		http.Header{"Accept": {"application/json, application/xml, text/xml, application/x-www-form-urlencoded"}},
	}
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil, unsupported
	}
	charset := strings.ToLower(params["charset"])
	text, ok := decode(charset, data)
	if !ok {
		return nil, &problem{status: http.StatusUnsupportedMediaType, text: "the body's charset must be utf-8, us-ascii or iso-8859-1"}
	}
	switch media {
	case "application/x-www-form-urlencoded":
		values, err := form(string(text))
		if err != nil {
			return nil, badRequest("the form is malformed: %v", err)
		}
		return values, nil
	case "application/json", "text/json":
		return parseJSON(text, e)
	case "application/xml", "text/xml":
		return parseXML(text, charset != "", e)
	}
	return nil, unsupported
}

// decode turns data of a charset into UTF-8. Whether what claims to be UTF-8 is
// so, is for the reader of the format to say.
func decode(charset string, data []byte) ([]byte, bool) {
	switch charset {
	case "", "utf-8", "utf8", "us-ascii":
		return data, true
	case "iso-8859-1", "latin1":
		out := make([]byte, 0, len(data)+len(data)/8)
		for _, b := range data {
			out = utf8.AppendRune(out, rune(b))
		}
		return out, true
	}
	return nil, false
}

// form reads name=value pairs. A name without a value is an empty string.
func form(text string) (dataservice.Values, error) {
	if strings.Count(text, "&") >= MaxValues {
		return nil, fmt.Errorf("more than %d values", MaxValues)
	}
	values, err := url.ParseQuery(text)
	if err != nil {
		return nil, errors.New("an escape or a semicolon is out of place")
	}
	return dataservice.Values(values), nil
}
