package conf

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ServiceLimits are bounds of some services, in the place of those of Limits.
type ServiceLimits struct {
	// Service is a name, as the services are deployed. In it, * stands for
	// anything, also for /.
	Service string

	bounds []bound // in the order of Limits
}

// bound is one setting of Limits.
type bound struct {
	key   Key
	value any
}

// LimitsOf gives the bounds of a service: what the first entry of ServiceLimits that
// matches says, and of the rest Limits.
func (c Config) LimitsOf(service string) Limits {
	limits := c.Limits
	for _, s := range c.ServiceLimits {
		if !s.matches(service) {
			continue
		}
		to := reflect.ValueOf(&limits).Elem()
		for _, b := range s.bounds {
			to.FieldByIndex(b.key.index[1:]).Set(reflect.ValueOf(b.value))
		}
		break
	}
	return limits
}

func (s ServiceLimits) matches(service string) bool {
	pattern := "^(?s:" + strings.ReplaceAll(regexp.QuoteMeta(s.Service), `\*`, ".*") + ")$"
	ok, err := regexp.MatchString(pattern, service)
	return ok && err == nil
}

// String writes the entry as ParseServiceLimits reads it.
func (s ServiceLimits) String() string {
	words := []string{s.Service}
	for _, b := range s.bounds {
		words = append(words, b.name()+"="+write(reflect.ValueOf(b.value)))
	}
	return strings.Join(words, " ")
}

// MarshalText writes the entry for JSON, YAML and the like.
func (s ServiceLimits) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// name is that of the setting, within limits.
func (b bound) name() string { return strings.TrimPrefix(b.key.Name, boundsPrefix) }

const boundsPrefix = "limits."

// boundKeys are the settings that an entry may have.
func boundKeys() (keys map[string]Key, names []string) {
	keys = map[string]Key{}
	for _, k := range Keys() {
		if name, ok := strings.CutPrefix(k.Name, boundsPrefix); ok {
			keys[name] = k
			names = append(names, name)
		}
	}
	return keys, names
}

// ParseServiceLimits reads an entry in one line: a service and its bounds, as in
// "Stock rows=500 request_time=5s".
func ParseServiceLimits(line string) (ServiceLimits, error) {
	keys, names := boundKeys()
	words := strings.Fields(line)
	if len(words) == 0 {
		return ServiceLimits{}, errors.New("it is empty: write a service and its bounds, as in Stock rows=500")
	}
	s := ServiceLimits{Service: words[0]}
	for _, word := range words[1:] {
		name, text, _ := strings.Cut(word, "=")
		k, ok := keys[name]
		if !ok {
			return s, fmt.Errorf("unknown bound %q of %s%s", name, s.Service, meant(name, names))
		}
		value, err := k.parse(text)
		if err != nil {
			return s, fmt.Errorf("%s of %s: %w", name, s.Service, err)
		}
		s.bounds = append(s.bounds, bound{k, value})
	}
	return s, s.check()
}

// check refuses an entry that says nothing, or something twice.
func (s ServiceLimits) check() error {
	switch {
	case s.Service == "" || strings.ContainsAny(s.Service, " \t\n="):
		return fmt.Errorf("%q is not the name of a service; * stands for all", s.Service)
	case len(s.bounds) == 0:
		_, names := boundKeys()
		return fmt.Errorf("the entry of %s has no bound; it may have %s", s.Service, strings.Join(names, ", "))
	}
	for i, b := range s.bounds {
		if slices.ContainsFunc(s.bounds[:i], func(other bound) bool { return other.key.Name == b.key.Name }) {
			return fmt.Errorf("%s of %s is given twice", b.name(), s.Service)
		}
	}
	return nil
}

func parseAllServiceLimits(lines []string) ([]ServiceLimits, error) {
	var out []ServiceLimits
	for _, line := range lines {
		if strings.TrimSpace(line) == "" {
			continue
		}
		s, err := ParseServiceLimits(line)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// serviceLimits reads the list of service_limits: entries with service and bounds.
func (r *fileReader) serviceLimits(k Key, n *yaml.Node) {
	if n.Kind != yaml.SequenceNode {
		if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
			return
		}
		r.addf(r.at(n), "%s must be a list of entries with service and bounds", k.Name)
		return
	}
	list := []ServiceLimits{}
	for _, item := range n.Content {
		if s, ok := r.entry(k, item); ok {
			list = append(list, s)
		}
	}
	r.values[k.Name], r.origins[k.Name] = list, r.at(n)
}

// entry reads one of service_limits.
func (r *fileReader) entry(k Key, n *yaml.Node) (s ServiceLimits, ok bool) {
	if n.Kind != yaml.MappingNode {
		r.addf(r.at(n), "%s: an entry has service and bounds", k.Name)
		return s, false
	}
	keys, names := boundKeys()
	before := len(r.problems)
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		of, known := keys[name.Value]
		switch {
		case name.Value == "service":
			of = Key{Name: "service", Kind: KindText}
		case !known:
			r.addf(r.at(name), "unknown setting %q of an entry of %s%s", name.Value, k.Name, meant(name.Value, append(names, "service")))
			continue
		}
		text, err := scalar(of, value)
		var parsed any
		if err == nil {
			parsed, err = of.parse(text)
		}
		switch {
		case err != nil:
			r.addf(r.at(value), "%s of an entry of %s: %v", name.Value, k.Name, err)
		case !known && s.Service != "":
			r.addf(r.at(name), "service of an entry of %s is given twice", k.Name)
		case !known:
			s.Service = text
		default:
			s.bounds = append(s.bounds, bound{of, parsed})
		}
	}
	if len(r.problems) > before {
		return s, false
	}
	if err := s.check(); err != nil {
		r.addf(r.at(n), "%s: %v", k.Name, err)
		return s, false
	}
	return s, true
}
