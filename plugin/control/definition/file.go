package definition

import (
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/seed42aab489/belfry/plugin/task"
)

// FileFormat is the number of the format of task files that File writes.
const FileFormat = 1

// SchemaURL is where the JSON schema of task files is published.
const SchemaURL = "https://raw.githubusercontent.com/seed42aab489/belfry/main/docs/reference/task.schema.json"

// FileHeader goes before the first document of a task file: it tells editors where
// the schema is.
const FileHeader = "# yaml-language-server: $schema=" + SchemaURL + "\n"

// File writes a definition as one document of a task file, in YAML: its name first,
// what is as by default left out, and whether it is paused and how often it repeats
// always said. It holds no secrets but those that somebody wrote into the definition.
func File(info *task.Info) ([]byte, error) {
	text, err := Plain(info)
	if err != nil {
		return nil, err
	}
	var parsed yaml.Node
	if err := yaml.Unmarshal(text, &parsed); err != nil {
		return nil, err
	}
	fields := parsed.Content[0]
	if t := child(fields, "trigger"); t != nil && info.Trigger.Interval > 0 && child(t, "count") == nil {
		t.Content = append(t.Content, scalar("count"), scalar("0"))
	}
	if child(fields, "paused") == nil {
		fields.Content = append(fields.Content, scalar("paused"), scalar("false"))
	}
	whole := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{scalar("format"), scalar(fmt.Sprint(FileFormat))}}
	if name := child(fields, "name"); name != nil {
		whole.Content = append(whole.Content, scalar("name"), name)
	}
	drop := map[string]string{"tenant": task.DefaultTenant, "type": task.DefaultType}
	for i := 0; i+1 < len(fields.Content); i += 2 {
		key, value := fields.Content[i], fields.Content[i+1]
		if by, ok := drop[key.Value]; ok && value.Value == by || key.Value == "name" {
			continue
		}
		whole.Content = append(whole.Content, key, value)
	}
	Block(whole)
	return yaml.Marshal(whole)
}

// Block gives YAML nodes the plain style: a line for each value.
func Block(n *yaml.Node) {
	n.Style &^= yaml.FlowStyle
	if n.Kind == yaml.ScalarNode && n.Style == yaml.DoubleQuotedStyle && n.Tag == "!!str" {
		n.Style = 0
	}
	if len(n.Content) == 0 && (n.Kind == yaml.SequenceNode || n.Kind == yaml.MappingNode) {
		n.Style = yaml.FlowStyle
	}
	for _, c := range n.Content {
		Block(c)
	}
}

func scalar(value string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: value} }

// child is the value of a mapping's key; nil: it has none.
func child(n *yaml.Node, key string) *yaml.Node {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}
