package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// methods are what this agent can do. A real one would call a package manager;
// this one writes down what it would have installed.
func methods(dir string) map[string]method {
	return map[string]method{
		"install": func(_ context.Context, id string, args json.RawMessage) (any, error) {
			return install(dir, id, args)
		},
		"echo": func(_ context.Context, _ string, args json.RawMessage) (any, error) { return args, nil },
		"fail": func(context.Context, string, json.RawMessage) (any, error) { return nil, errors.New("told to fail") },
	}
}

// install notes packages in the folder "installed", in a file for each call: so
// a call that is executed again, since the agent died before it could note the
// end, installs nothing twice.
func install(dir, id string, args json.RawMessage) (any, error) {
	var packages []string
	if err := json.Unmarshal(args, &packages); err != nil || len(packages) == 0 {
		return nil, errors.New("install: name the packages in args")
	}
	folder := filepath.Join(dir, "installed")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	name := filepath.Join(folder, strings.NewReplacer(":", "_", "/", "_").Replace(id))
	err := os.WriteFile(name+".new", []byte(strings.Join(packages, "\n")+"\n"), 0o600)
	if err == nil {
		err = os.Link(name+".new", name) // fails if it is there
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("install: %w", err)
	}
	if err := os.Remove(name + ".new"); err != nil {
		return nil, err
	}
	return map[string]any{"installed": packages}, nil
}
