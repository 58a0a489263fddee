package cli

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
)

// released is the date of the pages: the same program writes the same pages.
var released = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func newMan(e *env.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "man FOLDER",
		Short: "Write the manual pages into a folder",
		Example: "  belfry man man1\n" +
			"  belfry man man1 && man -l man1/belfry-task-create.1 | head -5 || true",
		Args:    cobra.ExactArgs(1),
		GroupID: "setup",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil { //nolint:gosec // manuals are for all
				return fmt.Errorf("write manual pages: %w", err)
			}
			root := cmd.Root()
			root.DisableAutoGenTag = true
			header := &doc.GenManHeader{Title: "BELFRY", Section: "1", Source: "belfry " + e.Version, Manual: "Belfry", Date: &released}
			if err := doc.GenManTree(root, header, args[0]); err != nil {
				return fmt.Errorf("write manual pages: %w", err)
			}
			pages, err := os.ReadDir(args[0])
			e.Say("%d pages in %s", len(pages), args[0])
			return err
		},
	}
}
