package taskfile

import (
	_ "embed"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"

	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/plugin/control/definition"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Schema is the JSON schema of a task file, which is generated from task.Info.
//
//go:embed task.schema.json
var Schema []byte

// SchemaURL is where the schema is published.
const SchemaURL = "https://raw.githubusercontent.com/seed42aab489/belfry/main/docs/reference/task.schema.json"

// header tells editors where the schema is.
const header = "# yaml-language-server: $schema=" + SchemaURL + "\n"

// Writer writes tasks as documents of one file. Make it with NewWriter.
type Writer struct {
	w    io.Writer
	next string // what goes before the next document
}

// NewWriter makes one. Nothing is written before the first task.
func NewWriter(w io.Writer) *Writer { return &Writer{w, header} }

// Write adds a task.
func (w *Writer) Write(info *task.Info) error {
	text, err := document(info)
	if err != nil {
		return fmt.Errorf("write task %s: %w", info.Name, err)
	}
	_, err = w.w.Write(append([]byte(w.next), text...))
	w.next = "---\n"
	return err
}

// document writes one task: its name first, what is as by default left out, and
// whether it is paused and how often it repeats always said.
func document(info *task.Info) ([]byte, error) {
	text, err := definition.Plain(info)
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
	drop := map[string]string{"tenant": task.DefaultTenant, "type": task.DefaultType}
	whole := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{scalar("format"), scalar(fmt.Sprint(Format)), scalar("name"), child(fields, "name")}}
	for i := 0; i+1 < len(fields.Content); i += 2 {
		key, value := fields.Content[i], fields.Content[i+1]
		if by, ok := drop[key.Value]; ok && value.Value == by || key.Value == "name" {
			continue
		}
		whole.Content = append(whole.Content, key, value)
	}
	output.Block(whole)
	return yaml.Marshal(whole)
}

func scalar(value string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: value} }
