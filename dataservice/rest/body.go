package rest

import (
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/exchange"
	"github.com/seed42aab489/belfry/dataservice/strictxml"
)

func badRequest(format string, args ...any) *exchange.Problem {
	return &exchange.Problem{Status: http.StatusBadRequest, Text: fmt.Sprintf(format, args...)}
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

// gather collects the parameters of a request from query string, body and path.
func gather(x *exchange.Exchange, to *route, path []string) (dataservice.Values, error) {
	r := x.R
	values := make(dataservice.Values)
	if r.URL.RawQuery != "" {
		query, err := form(r.URL.RawQuery)
		if err != nil {
			return nil, badRequest("the query string is malformed: %v", err)
		}
		values = query
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead && r.ContentLength != 0 {
		data, err := x.Body()
		if err != nil {
			return nil, err
		}
		if len(data) > 0 {
			body, err := parseBody(r.Header.Get("Content-Type"), data, envelope{to.wrapper, to.target.Params})
			if err != nil {
				return nil, err
			}
			maps.Copy(values, body)
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
	if count > exchange.MaxValues {
		return nil, badRequest("more than %d values", exchange.MaxValues)
	}
	return values, nil
}

// body is a body in UTF-8.
type body struct {
	text []byte
	kind string // "form", "json" or "xml"
	// decoded: its charset was said outside, so that what an XML declaration says
	// is no longer so.
	decoded bool
}

// openBody tells what a body is.
func openBody(contentType string, data []byte) (body, error) {
	unsupported := &exchange.Problem{
		Status: http.StatusUnsupportedMediaType,
		Text:   "the body's Content-Type must be application/json, application/xml, text/xml or application/x-www-form-urlencoded",
		Header: http.Header{"Accept": {"application/json, application/xml, text/xml, application/x-www-form-urlencoded"}},
	}
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return body{}, unsupported
	}
	charset := strings.ToLower(params["charset"])
	text, ok := strictxml.Decode(charset, data)
	if !ok {
		return body{}, &exchange.Problem{Status: http.StatusUnsupportedMediaType, Text: "the body's charset must be utf-8, us-ascii or iso-8859-1"}
	}
	switch media {
	case "application/x-www-form-urlencoded":
		return body{text, "form", true}, nil
	case "application/json", "text/json":
		return body{text, "json", true}, nil
	case "application/xml", "text/xml":
		return body{text, "xml", charset != ""}, nil
	}
	return body{}, unsupported
}

// parseBody reads the parameters in a body.
func parseBody(contentType string, data []byte, e envelope) (dataservice.Values, error) {
	b, err := openBody(contentType, data)
	if err != nil {
		return nil, err
	}
	switch b.kind {
	case "json":
		return parseJSON(b.text, e)
	case "xml":
		return parseXML(b.text, b.decoded)
	}
	values, err := form(string(b.text))
	if err != nil {
		return nil, badRequest("the form is malformed: %v", err)
	}
	return values, nil
}

// form reads name=value pairs. A name without a value is an empty string.
func form(text string) (dataservice.Values, error) {
	if strings.Count(text, "&") >= exchange.MaxValues {
		return nil, fmt.Errorf("more than %d values", exchange.MaxValues)
	}
	values, err := url.ParseQuery(text)
	if err != nil {
		return nil, errors.New("an escape or a semicolon is out of place")
	}
	return dataservice.Values(values), nil
}
