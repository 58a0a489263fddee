package rest

import (
	"strconv"
	"strings"
)

// Format is what an answer is written in.
type Format string

// The formats.
const (
	JSON Format = "json"
	XML  Format = "xml"
)

// ContentType is the format's media type, always in UTF-8.
func (f Format) ContentType() string {
	if f == JSON {
		return "application/json; charset=utf-8"
	}
	return "application/xml; charset=utf-8"
}

// maxAccept bounds how many media ranges of an Accept header are looked at.
const maxAccept = 64

// negotiate chooses a format by the Accept headers of a request (RFC 9110
// 12.5.1). Where both are equally welcome it is preferred, and also where neither
// is mentioned, as in the original: a client that asks for text/plain takes what
// comes. False: both are refused (q=0).
func negotiate(accept []string, preferred Format) (Format, bool) {
	header := strings.Join(accept, ",")
	if strings.TrimSpace(header) == "" {
		return preferred, true
	}
	type best struct {
		specific int
		quality  float64
	}
	var json, xml best
	for i, item := range strings.Split(header, ",") {
		if i == maxAccept {
			break
		}
		media, quality, ok := mediaRange(item)
		if !ok {
			continue
		}
		// The most specific range that covers a format decides its quality.
		for _, c := range []struct {
			b     *best
			exact []string
		}{
			{&json, []string{"application/json", "text/json"}},
			{&xml, []string{"application/xml", "text/xml"}},
		} {
			specific := 0
			switch media {
			case c.exact[0], c.exact[1]:
				specific = 3
			case "application/*", "text/*":
				specific = 2
			case "*/*":
				specific = 1
			}
			if specific > c.b.specific || specific != 0 && specific == c.b.specific && quality > c.b.quality {
				*c.b = best{specific, quality}
			}
		}
	}
	switch noJSON, noXML := json.specific > 0 && json.quality == 0, xml.specific > 0 && xml.quality == 0; {
	case noJSON && noXML:
		return preferred, false
	case noJSON:
		return XML, true
	case noXML:
		return JSON, true
	case json.quality > xml.quality:
		return JSON, true
	case xml.quality > json.quality:
		return XML, true
	}
	return preferred, true
}

// mediaRange reads "type/subtype;q=0.5". What is malformed is left out.
func mediaRange(item string) (media string, quality float64, ok bool) {
	parts := strings.Split(item, ";")
	media = strings.ToLower(strings.TrimSpace(parts[0]))
	if media == "" {
		return "", 0, false
	}
	quality = 1
	for _, p := range parts[1:] {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if !strings.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil || !(q >= 0 && q <= 1) {
			return "", 0, false
		}
		quality = q
	}
	return media, quality, true
}
