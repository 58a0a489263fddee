package definition

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/failure"
)

// Decode reads one JSON value into what into points to. Members that are not known,
// or are there twice, are refused. Errors are *failure.Error, of CodeInvalid: they
// begin with what, and are in the words of JSON and not of Go.
func Decode(what string, data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil && d.More() {
		err = errors.New("something follows it")
	}
	if err == nil {
		err = once(data)
	}
	if err != nil {
		return failure.Invalid("%s: %s", what, worded(err))
	}
	return nil
}

// once refuses members that an object has twice: readers differ in which counts.
func once(data []byte) error {
	type object map[string]bool // nil: an array
	d := json.NewDecoder(bytes.NewReader(data))
	var open []object
	for isName := false; ; {
		t, err := d.Token()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		name, _ := t.(string)
		switch inner := len(open) - 1; {
		case t == json.Delim('{'):
			open = append(open, object{})
		case t == json.Delim('['):
			open = append(open, nil)
		case t == json.Delim('}') || t == json.Delim(']'):
			open = open[:inner]
		case isName && open[inner][name]:
			return fmt.Errorf("%q is there twice", name)
		case isName:
			open[inner][name] = true
			isName = false
			continue
		}
		isName = len(open) > 0 && open[len(open)-1] != nil
	}
}

// worded says what is wrong with a text without the names of Go's types.
func worded(err error) string {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		field := strings.TrimPrefix(wrong.Field, "Key.")
		if field != "" {
			field += ": "
		}
		return fmt.Sprintf("%sfound %s, want %s", field, found(wrong.Value), kind(wrong.Type))
	}
	if wrong, ok := errors.AsType[*time.ParseError](err); ok {
		return fmt.Sprintf("time %s: write it like 2027-01-31T09:30:00Z", strings.Trim(wrong.Value, `"`))
	}
	switch {
	case errors.Is(err, io.EOF):
		return "there is nothing"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "it ends too early"
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

// found is what encoding/json says that it found: array, string, bool, number 1.5.
func found(value string) string {
	value, _, _ = strings.Cut(value, " ") // which number is the caller's own
	switch value {
	case "array":
		return "a list"
	case "bool":
		return "true or false"
	case "object":
		return "an object"
	case "string":
		return "a text"
	default:
		return "a " + value
	}
}

// kind is how JSON writes a type. Those that read themselves (a duration) are texts.
func kind(t reflect.Type) string {
	if reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return "a text"
	}
	switch t.Kind() {
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	default:
		return "a number that fits"
	}
}
