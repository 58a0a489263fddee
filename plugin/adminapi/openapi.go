package adminapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/seed42aab489/belfry/plugin/control/definition"
	"github.com/seed42aab489/belfry/plugin/task"
)

// object is a JSON object whose members are written by name.
type object map[string]any

// describe makes the OpenAPI document (3.1) of the table of routes.
func (a *API) describe() ([]byte, error) {
	s := schemas{defined: object{}}
	paths := map[string]object{}
	for _, r := range a.routes() {
		operation, err := s.operation(r)
		if err != nil {
			return nil, fmt.Errorf("OpenAPI document: %s: %w", r.id, err)
		}
		if paths[Root+r.path] == nil {
			paths[Root+r.path] = object{}
		}
		paths[Root+r.path][strings.ToLower(r.method)] = operation
	}
	if _, err := s.of(Problem{}); err != nil {
		return nil, fmt.Errorf("OpenAPI document: %w", err)
	}
	version := a.d.Version
	if version == "" {
		version = "dev"
	}
	return json.MarshalIndent(object{
		"openapi": "3.1.0",
		"info": object{
			"title": "Belfry tasks", "version": version,
			"description": "Create, change, list and control scheduled tasks, and read their runs. Writes are durable in the cluster before they are answered.",
			"license":     object{"name": "Apache-2.0", "identifier": "Apache-2.0"},
		},
		"paths": paths,
		"components": object{
			"schemas":         s.defined,
			"securitySchemes": object{"bearer": object{"type": "http", "scheme": "bearer"}},
		},
		"security": []object{{"bearer": []string{}}},
	}, "", "  ")
}

// schemas gathers the named schemas that operations refer to.
type schemas struct{ defined object }

func (s schemas) operation(r route) (object, error) {
	success := object{"description": http.StatusText(r.status)}
	if r.result != nil {
		schema, err := s.of(r.result)
		if err != nil {
			return nil, err
		}
		success["content"] = object{"application/json": object{"schema": schema}}
	}
	responses := object{
		strconv.Itoa(r.status): success,
		"default": object{
			"description": "A problem (RFC 9457)",
			"content":     object{"application/problem+json": object{"schema": ref("Problem")}},
		},
	}
	if r.id == "putTask" {
		responses["201"] = object{"description": "Created", "content": success["content"]}
	}
	operation := object{
		"operationId": r.id, "summary": r.summary, "responses": responses,
		"description": "Needs the scope " + string(r.scope) + ".",
		"security":    []object{{"bearer": []string{string(r.scope)}}},
	}
	if parameters := parameters(r); len(parameters) > 0 {
		operation["parameters"] = parameters
	}
	if r.body != nil {
		schema, err := s.of(r.body)
		if err != nil {
			return nil, err
		}
		operation["requestBody"] = object{"required": true, "content": object{"application/json": object{"schema": schema}}}
	}
	return operation, nil
}

func parameters(r route) []object {
	var list []object
	text := object{"type": "string"}
	for segment := range strings.SplitSeq(r.path, "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			list = append(list, object{"name": strings.TrimSuffix(name, "}"), "in": "path", "required": true, "schema": text})
		}
	}
	for _, p := range r.query {
		list = append(list, object{"name": p.name, "in": "query", "description": p.about, "schema": text})
	}
	for _, p := range r.headers {
		list = append(list, object{"name": p.name, "in": "header", "description": p.about, "schema": text})
	}
	return list
}

func ref(name string) object { return object{"$ref": "#/components/schemas/" + name} }

// of is the schema of v's type: a reference to a named one, or a list of such.
func (s schemas) of(v any) (object, error) {
	t := reflect.TypeOf(v)
	switch t.Kind() {
	case reflect.Slice:
		items, err := s.of(reflect.Zero(t.Elem()).Interface())
		return object{"type": "array", "items": items}, err
	case reflect.Map:
		return object{"type": "object"}, nil
	}
	if s.defined[t.Name()] != nil {
		return ref(t.Name()), nil
	}
	schema, err := jsonschema.ForType(t, &jsonschema.ForOptions{TypeSchemas: map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[time.Time]():       {Type: "string", Format: "date-time"},
		reflect.TypeFor[json.RawMessage](): {Type: "object"},
		reflect.TypeFor[task.Duration](): {
			Types: []string{"string", "integer"}, Description: "like 1m30s, or a number of milliseconds",
		},
	}})
	if err != nil {
		return nil, err
	}
	if t == reflect.TypeFor[Definition]() {
		for _, kept := range definition.Kept() {
			delete(schema.Properties, kept)
		}
		schema.Required = []string{"name", "trigger"}
	}
	s.defined[t.Name()] = schema
	return ref(t.Name()), nil
}
