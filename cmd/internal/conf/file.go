package conf

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxFile bounds a configuration file, in bytes. Ordinary ones have a few thousand.
const maxFile = 256 << 10

// fileReader checks the nodes of a YAML file against the keys and takes their
// values.
type fileReader struct {
	problems
	file    string
	keys    map[string]Key
	values  map[string]any
	origins Origins
}

// readYAML reads the values of a file by key. The error lists all faults.
func readYAML(file string, data []byte) (map[string]any, Origins, error) {
	r := &fileReader{file: file, keys: map[string]Key{}, values: map[string]any{}, origins: Origins{}}
	for _, k := range Keys() {
		r.keys[k.Name] = k
	}
	if root := r.document(data); root != nil {
		r.section("", root)
	}
	return r.values, r.origins, r.err()
}

func (r *fileReader) at(n *yaml.Node) Origin {
	return Origin{Source: FromFile, Where: r.file, Line: max(n.Line, 1), Column: max(n.Column, 1)}
}

// document gives the root of the only document; nil if it is empty or broken.
func (r *fileReader) document(data []byte) *yaml.Node {
	start := Origin{Where: r.file, Line: 1, Column: 1}
	if len(data) > maxFile {
		r.addf(start, "the file is larger than %d bytes", maxFile)
		return nil
	}
	decoder := yaml.NewDecoder(strings.NewReader(string(data)))
	var doc yaml.Node
	switch err := decoder.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		r.syntax(err)
		return nil
	}
	var second yaml.Node
	if err := decoder.Decode(&second); err == nil {
		r.addf(r.at(&second), "a second document; there must be one")
		return nil
	} else if !errors.Is(err, io.EOF) {
		r.syntax(err)
		return nil
	}
	return doc.Content[0]
}

var yamlLine = regexp.MustCompile(`^(?:yaml: )?line (\d+): `)

func (r *fileReader) syntax(err error) {
	at := Origin{Where: r.file, Line: 1, Column: 1}
	message := err.Error()
	if m := yamlLine.FindStringSubmatch(message); m != nil {
		at.Line, _ = strconv.Atoi(m[1])
		message = message[len(m[0]):]
	}
	r.addf(at, "not YAML: %s", strings.TrimPrefix(message, "yaml: "))
}

func (r *fileReader) section(prefix string, n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return // a section with everything commented out
	}
	if n.Kind != yaml.MappingNode {
		what := "the file"
		if prefix != "" {
			what = strings.TrimSuffix(prefix, ".")
		}
		r.addf(r.at(n), "%s must hold settings, one a line, as name: value", what)
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		switch {
		case name.Kind != yaml.ScalarNode || name.Tag != "!!str":
			r.addf(r.at(name), "the name of a setting must be a word")
		case seen[name.Value]:
			r.addf(r.at(name), "%s%s is given twice", prefix, name.Value)
		default:
			seen[name.Value] = true
			r.setting(prefix, name, value)
		}
	}
}

func (r *fileReader) setting(prefix string, name, value *yaml.Node) {
	full := prefix + name.Value
	if section, rest, dotted := strings.Cut(name.Value, "."); dotted {
		r.addf(r.at(name), "unknown setting %q; write %s: and %s below it, indented", full, section, rest)
		return
	}
	if k, ok := r.keys[full]; ok {
		r.value(k, value)
		return
	}
	valid, isSection := r.below(prefix, full)
	if isSection {
		r.section(full+".", value)
		return
	}
	r.addf(r.at(name), "unknown setting %q%s", full, meant(full, valid))
}

// below lists what may stand beside a name, and tells whether it is a section.
func (r *fileReader) below(prefix, full string) (valid []string, isSection bool) {
	for name := range r.keys {
		rest, ok := strings.CutPrefix(name, prefix)
		if !ok {
			continue
		}
		first, _, _ := strings.Cut(rest, ".")
		valid = append(valid, prefix+first)
		isSection = isSection || strings.HasPrefix(name, full+".")
	}
	slices.Sort(valid)
	return slices.Compact(valid), isSection
}

func (r *fileReader) value(k Key, n *yaml.Node) {
	switch k.Kind {
	case KindMappings:
		r.mappings(k, n)
		return
	case KindWords:
		r.words(k, n)
		return
	case KindBounds:
		r.serviceLimits(k, n)
		return
	}
	text, err := scalar(k, n)
	var v any
	if err == nil {
		v, err = k.parse(text)
	}
	if err != nil {
		r.addf(r.at(n), "%s: %v", k.Name, err)
		return
	}
	r.values[k.Name], r.origins[k.Name] = v, r.at(n)
}

// scalar gives the text of a node whose YAML type suits the key.
func scalar(k Key, n *yaml.Node) (string, error) {
	want := map[Kind]string{
		KindText: "!!str !!int !!float", KindSecret: "!!str !!int !!float", KindBool: "!!bool", KindInt: "!!int",
		KindDuration: "!!str !!int", KindSize: "!!int !!str",
	}[k.Kind]
	switch {
	case n.Kind == yaml.AliasNode:
		return "", errors.New("aliases (*name) are not taken; write the value")
	case n.Kind != yaml.ScalarNode:
		return "", fmt.Errorf("it must be one value, %s, not a list or a section", k.Kind.one())
	case n.Tag == "!!null":
		return "", errors.New(`it has no value; leave it out for the default, or write ""`)
	case !slices.Contains(strings.Fields(want), n.Tag):
		return "", fmt.Errorf("it is a YAML %s; it must be %s", strings.TrimPrefix(n.Tag, "!!"), k.Kind.one())
	}
	return n.Value, nil
}

// words reads a list of words.
func (r *fileReader) words(k Key, n *yaml.Node) {
	if n.Kind != yaml.SequenceNode {
		if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
			return
		}
		r.addf(r.at(n), "%s must be a list: a line for each, as - word", k.Name)
		return
	}
	list := []string{}
	for _, item := range n.Content {
		text, err := scalar(Key{Kind: KindText}, item)
		if err != nil {
			r.addf(r.at(item), "%s: an entry: %v", k.Name, err)
			continue
		}
		list = append(list, text)
	}
	r.values[k.Name], r.origins[k.Name] = list, r.at(n)
}

// mappings reads the list of datasource_map: entries with match and url, or
// PATTERN=URL.
func (r *fileReader) mappings(k Key, n *yaml.Node) {
	if n.Kind != yaml.SequenceNode {
		if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
			return
		}
		r.addf(r.at(n), "%s must be a list of entries with match and url", k.Name)
		return
	}
	list := []Mapping{}
	for _, item := range n.Content {
		m, ok := r.mapping(k, item)
		if !ok {
			continue
		}
		if err := m.check(); err != nil {
			r.addf(r.at(item), "%s: %v", k.Name, err)
		}
		list = append(list, m)
	}
	r.values[k.Name], r.origins[k.Name] = list, r.at(n)
}

func (r *fileReader) mapping(k Key, n *yaml.Node) (m Mapping, ok bool) {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!str" {
		m, err := ParseMapping(n.Value)
		if err != nil {
			r.addf(r.at(n), "%s: %v", k.Name, err)
		}
		return m, err == nil
	}
	if n.Kind != yaml.MappingNode {
		r.addf(r.at(n), "%s: an entry has match and url", k.Name)
		return m, false
	}
	ok = true
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		text, err := scalar(Key{Kind: KindText}, value)
		var field *string
		switch name.Value {
		case "match":
			field = &m.Match
		case "url":
			field = &m.URL
		default:
			r.addf(r.at(name), "unknown setting %q of an entry of %s%s", name.Value, k.Name, meant(name.Value, []string{"match", "url"}))
			ok = false
			continue
		}
		switch {
		case err != nil:
			r.addf(r.at(value), "%s of an entry of %s: %v", name.Value, k.Name, err)
			ok = false
		case *field != "":
			r.addf(r.at(name), "%s of an entry of %s is given twice", name.Value, k.Name)
			ok = false
		}
		*field = text
	}
	return m, ok
}
