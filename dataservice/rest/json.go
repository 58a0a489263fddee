package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/exchange"
)

// parseJSON reads an object of parameters, or one in an envelope. It goes as
// deep as the grammar of such a body and no deeper, so that nesting costs a
// sender more than the reader.
func parseJSON(data []byte, e envelope) (dataservice.Values, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		return nil, badRequest("the JSON body is not UTF-8")
	}
	p := &jsonParser{decoder: json.NewDecoder(bytes.NewReader(data))}
	p.decoder.UseNumber()
	values, err := p.root(e)
	if err == nil {
		if _, more := p.decoder.Token(); !errors.Is(more, io.EOF) {
			err = p.fault("something follows its end")
		}
	}
	if err != nil {
		return nil, err
	}
	return values, nil
}

// jsonParser reads token by token: nothing is built but the values.
type jsonParser struct {
	decoder *json.Decoder
	count   int
}

func (p *jsonParser) fault(what string) error {
	return badRequest("the JSON body is malformed near byte %d: %s", p.decoder.InputOffset(), what)
}

func (p *jsonParser) token() (json.Token, error) {
	t, err := p.decoder.Token()
	switch {
	case err == nil:
		return t, nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, p.fault("it ends too early")
	}
	return nil, p.fault("it is not JSON")
}

func (p *jsonParser) root(e envelope) (dataservice.Values, error) {
	t, err := p.token()
	if err != nil {
		return nil, err
	}
	if t != json.Delim('{') {
		return nil, p.fault("it must be an object")
	}
	values := make(dataservice.Values)
	wrapped, empty := false, true
	for p.decoder.More() {
		name, err := p.name(values)
		if err != nil {
			return nil, err
		}
		if wrapped {
			return nil, p.fault("something follows the envelope")
		}
		if t, err = p.token(); err != nil {
			return nil, err
		}
		bare := empty && exchange.Fold(name) == e.name && !e.has(name) && (t == nil || t == "")
		switch {
		case t == json.Delim('{') && empty:
			if values, err = p.members(); err != nil {
				return nil, err
			}
			wrapped = true
		case bare: // {"op":null} and {"op":""}: an envelope around nothing
			wrapped = true
		default:
			if values[name], err = p.value(name, t); err != nil {
				return nil, err
			}
		}
		empty = false
	}
	_, err = p.token() // the closing brace
	return values, err
}

// members reads the rest of an object whose opening brace has been read.
func (p *jsonParser) members() (dataservice.Values, error) {
	values := make(dataservice.Values)
	for p.decoder.More() {
		name, err := p.name(values)
		if err != nil {
			return nil, err
		}
		t, err := p.token()
		if err != nil {
			return nil, err
		}
		if values[name], err = p.value(name, t); err != nil {
			return nil, err
		}
	}
	_, err := p.token()
	return values, err
}

// name reads a member's name, which must be new.
func (p *jsonParser) name(values dataservice.Values) (string, error) {
	t, err := p.token()
	if err != nil {
		return "", err
	}
	name, ok := t.(string)
	if !ok {
		return "", p.fault("a name is missing")
	}
	if _, twice := values[name]; twice {
		return "", badRequest("the JSON body says %q twice", exchange.Clip(name))
	}
	return name, nil
}

// value reads a parameter's value whose first token is t: null is an empty list.
func (p *jsonParser) value(name string, t json.Token) ([]string, error) {
	if t != json.Delim('[') {
		text, null, err := p.scalar(name, t)
		if err != nil || null {
			return []string{}, err
		}
		return []string{text}, nil
	}
	list := []string{}
	for p.decoder.More() {
		t, err := p.token()
		if err != nil {
			return nil, err
		}
		text, null, err := p.scalar(name, t)
		switch {
		case err != nil:
			return nil, err
		case null:
			return nil, badRequest("parameter %q: an array holds no null", exchange.Clip(name))
		}
		list = append(list, text)
	}
	_, err := p.token()
	return list, err
}

// scalar gives the lexical form of a value. Numbers stay as they are written.
func (p *jsonParser) scalar(name string, t json.Token) (text string, null bool, err error) {
	if p.count++; p.count > exchange.MaxValues {
		return "", false, badRequest("more than %d values", exchange.MaxValues)
	}
	switch v := t.(type) {
	case nil:
		return "", true, nil
	case string:
		return v, false, nil
	case json.Number:
		return v.String(), false, nil
	case bool:
		return strconv.FormatBool(v), false, nil
	}
	return "", false, badRequest("parameter %q must be a string, a number, a boolean, null or an array of those", exchange.Clip(name))
}
