package cli

import (
	"encoding"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/cmd/internal/cli/taskfile"
	"github.com/seed42aab489/belfry/plugin/control/definition"
	"github.com/seed42aab489/belfry/plugin/task"
)

// source is what the source of package task says of its types: so the schema of
// task files follows it.
type source struct {
	docs  map[string]string   // of "Type.Field"
	enums map[string][]string // the constants of a string type
}

func readSource(t *testing.T, dir string) source {
	t.Helper()
	s := source{map[string]string{}, map[string][]string{}}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no source in %s: %v", dir, err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, s.note)
	}
	return s
}

func (s source) note(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.TypeSpec:
		structure, ok := n.Type.(*ast.StructType)
		if !ok {
			return true
		}
		for _, field := range structure.Fields.List {
			for _, name := range field.Names {
				text := field.Doc.Text() + field.Comment.Text()
				s.docs[n.Name.Name+"."+name.Name] = strings.Join(strings.Fields(text), " ")
			}
		}
	case *ast.ValueSpec:
		kind, ok := n.Type.(*ast.Ident)
		if !ok || len(n.Values) != 1 {
			return true
		}
		if literal, ok := n.Values[0].(*ast.BasicLit); ok && literal.Kind == token.STRING {
			if value, err := strconv.Unquote(literal.Value); err == nil {
				s.enums[kind.Name] = append(s.enums[kind.Name], value)
			}
		}
	}
	return true
}

type object = map[string]any

// schema makes the JSON schema of a task file from task.Info.
func schema(t *testing.T) []byte {
	t.Helper()
	s := readSource(t, filepath.Join("..", "..", "..", "plugin", "task"))
	root := s.of(reflect.TypeFor[task.Info](), true)
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["$id"] = definition.SchemaURL
	root["title"] = "A task of Belfry"
	root["description"] = "One document of a task file, for belfry apply, diff, plan and validate."
	root["required"] = []string{"name"}
	properties := root["properties"].(object) //nolint:forcetypeassert // made below
	properties["format"] = object{"const": taskfile.Format, "description": "The number of this format."}
	text, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(text, '\n')
}

func (s source) of(t reflect.Type, top bool) object {
	switch {
	case t == reflect.TypeFor[task.Duration]():
		return object{"type": []string{"string", "integer"}, "examples": []string{"30s", "1m30s"}}
	case t == reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return object{"type": "string"}
	}
	switch t.Kind() {
	case reflect.Struct:
		properties := object{}
		s.properties(t, top, properties)
		return object{"type": "object", "additionalProperties": false, "properties": properties}
	case reflect.Pointer:
		return s.of(t.Elem(), false)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return object{}
		}
		return object{"type": "array", "items": s.of(t.Elem(), false)}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": s.of(t.Elem(), false)}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.String:
		if values := s.enums[t.Name()]; len(values) > 0 {
			return object{"type": "string", "enum": values}
		}
		return object{"type": "string"}
	case reflect.Float32, reflect.Float64:
		return object{"type": "number"}
	case reflect.Int, reflect.Int32, reflect.Int64, reflect.Uint64:
		return object{"type": "integer"}
	default:
		panic(fmt.Sprintf("the schema knows no %s", t))
	}
}

func (s source) properties(t reflect.Type, top bool, properties object) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" {
			s.properties(f.Type, top, properties)
			continue
		}
		if name == "" || name == "-" || top && definition.IsKept(name) {
			continue
		}
		property := s.of(f.Type, false)
		if doc := s.docs[t.Name()+"."+f.Name]; doc != "" {
			property["description"] = doc
		}
		properties[name] = property
	}
}
