// Command idle is belfryd with a task that does nothing (code "idle"), so that
// what `make bench-cluster` measures is firing and nothing else. With
// BELFRY_IDLE_PROFILES, a folder, it leaves a profile of its processor time there.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"

	"github.com/seed42aab489/belfry/cmd/embed"
	"github.com/seed42aab489/belfry/plugin/invoke/code"
)

func main() { os.Exit(run()) }

func run() int {
	if folder := os.Getenv("BELFRY_IDLE_PROFILES"); folder != "" {
		f, err := os.Create(filepath.Join(folder, fmt.Sprintf("%d.cpu", os.Getpid())))
		if err == nil {
			err = pprof.StartCPUProfile(f)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "Error:", err)
			return 1
		}
		defer pprof.StopCPUProfile()
	}
	return embed.Main(os.Args[1:], os.Stdout, os.Stderr, embed.Options{
		Version: "idle",
		Code:    code.Registry{"idle": code.Func(func(context.Context, *code.Context) error { return nil })},
	})
}
