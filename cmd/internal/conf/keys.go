package conf

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Kind is the type of a setting, as the reference names it.
type Kind string

// The kinds of settings.
const (
	KindText     Kind = "text"
	KindBool     Kind = "true or false"
	KindInt      Kind = "number"
	KindDuration Kind = "time"
	KindSize     Kind = "size"
	KindSecret   Kind = "secret"
	KindMappings Kind = "list"
	KindWords    Kind = "list of words"
	KindBounds   Kind = "list of bounds"
)

// one is a value of the kind, in a sentence.
func (k Kind) one() string {
	if k == KindBool {
		return string(k)
	}
	return "a " + string(k)
}

// Key describes one setting.
type Key struct {
	Name    string // "mail.smtp.host"
	Kind    Kind
	Default string // as it would be written; empty: none
	Env     string // "BELFRY_MAIL_SMTP_HOST"
	Flag    string // without dashes; empty: there is none
	Help    string
	// OneOf lists the values that are valid; empty: any. Min and Max bound
	// numbers, times and sizes; empty: no bound.
	OneOf    []string
	Min, Max string

	index []int // of the field in Config
}

// Keys lists all settings in the order of Config.
func Keys() []Key { return collect(reflect.TypeFor[Config](), "", nil, reflect.ValueOf(Default())) }

func collect(t reflect.Type, prefix string, index []int, defaults reflect.Value) []Key {
	var out []Key
	for i := range t.NumField() {
		f := t.Field(i)
		name, ok := f.Tag.Lookup("key")
		if !ok {
			continue
		}
		at := append(append([]int(nil), index...), i)
		kind := kindOf(f.Type)
		if kind == "" {
			out = append(out, collect(f.Type, prefix+name+".", at, defaults)...)
			continue
		}
		full := prefix + name
		out = append(out, Key{
			Name: full, Kind: kind, Default: write(defaults.FieldByIndex(at)),
			Env:  "BELFRY_" + strings.ToUpper(strings.ReplaceAll(full, ".", "_")),
			Flag: f.Tag.Get("flag"), Help: f.Tag.Get("help"),
			OneOf: strings.Fields(f.Tag.Get("oneof")), Min: f.Tag.Get("min"), Max: f.Tag.Get("max"),
			index: at,
		})
	}
	return out
}

func kindOf(t reflect.Type) Kind {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return KindDuration
	case reflect.TypeFor[Size]():
		return KindSize
	case reflect.TypeFor[Secret]():
		return KindSecret
	case reflect.TypeFor[[]Mapping]():
		return KindMappings
	case reflect.TypeFor[[]string]():
		return KindWords
	case reflect.TypeFor[[]ServiceLimits]():
		return KindBounds
	}
	switch t.Kind() {
	case reflect.String:
		return KindText
	case reflect.Bool:
		return KindBool
	case reflect.Int:
		return KindInt
	default:
		return ""
	}
}

// write gives a value as a person would write it, secrets hidden.
func write(v reflect.Value) string {
	switch v := v.Interface().(type) {
	case time.Duration:
		return writeDuration(v)
	case []Mapping:
		return writeLines(v)
	case []ServiceLimits:
		return writeLines(v)
	case []string:
		return strings.Join(v, ", ")
	default:
		return fmt.Sprint(v)
	}
}

// writeLines writes a list with a line for each entry.
func writeLines[T fmt.Stringer](list []T) string {
	lines := make([]string, len(list))
	for i, entry := range list {
		lines[i] = entry.String()
	}
	return strings.Join(lines, "\n")
}

// writeDuration leaves out the zeros of "1h0m0s".
func writeDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// parse reads a value of the key, of the type that Config has for it, and
// checks its bounds.
func (k Key) parse(text string) (any, error) {
	var value any = text
	var err error
	switch k.Kind {
	case KindBool:
		value, err = parseBool(text)
	case KindInt:
		value, err = parseInt(text)
	case KindDuration:
		value, err = parseDuration(text)
	case KindSize:
		value, err = parseSize(text)
	case KindSecret:
		value = Secret(text)
	case KindMappings:
		value, err = parseMappings(strings.Split(text, "\n"))
	case KindWords:
		value = parseWords(text)
	case KindBounds:
		value, err = parseAllServiceLimits(strings.Split(text, "\n"))
	}
	if err != nil {
		return nil, err
	}
	return value, k.inBounds(text, value)
}

// parseWords reads words that commas part, as the environment has them.
func parseWords(text string) []string {
	var out []string
	for word := range strings.SplitSeq(text, ",") {
		if word = strings.TrimSpace(word); word != "" {
			out = append(out, word)
		}
	}
	return out
}

func parseMappings(lines []string) ([]Mapping, error) {
	var out []Mapping
	for _, line := range lines {
		if strings.TrimSpace(line) == "" {
			continue
		}
		m, err := ParseMapping(line)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

func (k Key) inBounds(text string, value any) error {
	if len(k.OneOf) > 0 {
		for _, v := range k.OneOf {
			if v == text {
				return nil
			}
		}
		return fmt.Errorf("%q%s", text, meant(text, k.OneOf))
	}
	if k.Min == "" {
		return nil
	}
	bounds := Key{Kind: k.Kind}
	low, errLow := bounds.parse(k.Min)
	high, errHigh := bounds.parse(k.Max)
	if errLow != nil || errHigh != nil {
		return fmt.Errorf("the bounds of %s are broken: %q to %q", k.Name, k.Min, k.Max)
	}
	if n := number(value); n < number(low) || n > number(high) {
		return fmt.Errorf("%s is not between %s and %s", text, k.Min, k.Max)
	}
	return nil
}

func number(v any) int64 { return reflect.ValueOf(v).Int() }

// meant ends a message with the nearest valid word, or with all if none is near.
func meant(wrote string, valid []string) string {
	best, bound := "", max(2, len(wrote)/3)+1
	for _, v := range valid {
		if len(wrote) > 64 {
			break
		}
		if d := distance(strings.ToLower(wrote), strings.ToLower(v)); d < bound {
			best, bound = v, d
		}
	}
	switch {
	case best != "":
		return fmt.Sprintf("; did you mean %q?", best)
	case len(valid) == 0 || len(valid) > 16:
		return ""
	}
	return "; it may be " + strings.Join(valid, ", ")
}

// distance counts the single-character edits between two words.
func distance(a, b string) int {
	last := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
		}
		last = row
	}
	return last[len(b)]
}
