package service

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/descriptor"
)

// verdict is what validation says of a file: the JSON contract of `service validate`.
type verdict struct {
	File        string    `json:"file"`
	OK          bool      `json:"ok"`
	Service     string    `json:"service"`
	Operations  int       `json:"operations"`
	Resources   int       `json:"resources"`
	Problems    []problem `json:"problems"`
	Unsupported []string  `json:"unsupported"`
}

type problem struct {
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
}

func newValidate(e *env.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "validate FILE|DIR...",
		Short: "Check descriptors without a host",
		Long: "Check .dbs descriptors without a host: a line for each file, and file:line:column for each fault.\n" +
			"Exits with 2 if any is broken. What is well formed but not supported yet is said, and is no fault.",
		Example: "  belfry service validate configs/services\n" +
			"  belfry service validate configs/services/Stock.dbs -o json",
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			verdicts, err := validate(args)
			if err != nil {
				return err
			}
			if p := e.Printer(); p.Structured() {
				if err := p.Value(verdicts); err != nil {
					return err
				}
			} else {
				for _, v := range verdicts {
					v.print(e)
				}
			}
			return broken(verdicts)
		},
	}
}

func broken(verdicts []verdict) error {
	n := 0
	for _, v := range verdicts {
		if !v.OK {
			n++
		}
	}
	if n > 0 {
		return env.Usage("%d of %d descriptors are broken", n, len(verdicts))
	}
	return nil
}

func (v verdict) print(e *env.Env) {
	if !v.OK {
		fmt.Fprintf(e.Out, "%s: broken\n", v.File)
		for _, p := range v.Problems {
			fmt.Fprintf(e.Out, "%s:%d:%d: %s\n", v.File, p.Line, p.Column, p.Message)
		}
		return
	}
	fmt.Fprintf(e.Out, "%s: ok, service %s, operations: %d, resources: %d\n", v.File, v.Service, v.Operations, v.Resources)
	for _, u := range v.Unsupported {
		fmt.Fprintf(e.Out, "%s:%s\n", v.File, u)
	}
}

func validate(args []string) ([]verdict, error) {
	verdicts := []verdict{}
	for _, arg := range args {
		files, err := descriptors(arg)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			service, err := descriptor.Parse(file, text)
			verdicts = append(verdicts, judge(file, service, err))
		}
	}
	return verdicts, nil
}

func judge(file string, service *dataservice.Service, err error) verdict {
	v := verdict{File: file, OK: err == nil, Problems: []problem{}, Unsupported: []string{}}
	var faults *descriptor.Error
	switch {
	case errors.As(err, &faults):
		for _, p := range faults.Problems {
			v.Problems = append(v.Problems, problem(p))
		}
		if faults.More > 0 {
			v.Problems = append(v.Problems, problem{Line: 1, Column: 1, Message: fmt.Sprintf("and %d more", faults.More)})
		}
	case err != nil:
		v.Problems = append(v.Problems, problem{Line: 1, Column: 1, Message: err.Error()})
	default:
		v.Service, v.Operations, v.Resources = service.Name, len(service.Operations), len(service.Resources)
		for _, u := range service.Unsupported {
			v.Unsupported = append(v.Unsupported, fmt.Sprintf("%s: %s: %s", u.Position, u.What, u.Why))
		}
	}
	return v
}

// descriptors lists the .dbs files that arg names: itself, or all below it.
func descriptors(arg string) ([]string, error) {
	info, err := os.Stat(arg)
	if err != nil {
		return nil, env.Usage("%v", err)
	}
	if !info.IsDir() {
		return []string{arg}, nil
	}
	var files []string
	err = filepath.WalkDir(arg, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(d.Name(), ".dbs") {
			files = append(files, path)
		}
		return err
	})
	if err == nil && len(files) == 0 {
		return nil, env.Usage("no .dbs file in %s", arg)
	}
	return files, err
}
