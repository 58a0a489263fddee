// Command code is a host with code of its own, to copy from: it is belfryd, and
// has a task of the name stocktaking besides.
//
//	code --config configs/belfryd.yaml --sample
//	belfry task create count --code stocktaking --property into=/tmp/stock.json --interval 1m
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/seed42aab489/belfry/cmd/embed"
	"github.com/seed42aab489/belfry/plugin/invoke/code"
)

func main() {
	os.Exit(embed.Main(os.Args[1:], os.Stdout, os.Stderr, embed.Options{
		Version: "example",
		Code:    code.Registry{"stocktaking": code.Func(takeStock)},
	}))
}

// takeStock writes what runs low into a file, which the property into names. It
// may be repeated, and then writes the same file again.
func takeStock(ctx context.Context, c *code.Context) error {
	into := c.Properties["into"]
	if into == "" {
		return errors.New("the property into is missing: it names the file to write")
	}
	if err := c.CheckServices("Stock"); err != nil {
		return err
	}
	low, err := c.InvokeOperation(ctx, "Stock", "getLowStock", nil)
	if err != nil {
		return fmt.Errorf("what runs low: %w", err)
	}
	first, err := c.AccessResource(ctx, "Stock", "GET", "products", nil)
	if err != nil {
		return fmt.Errorf("products: %w", err)
	}
	report := fmt.Appendf(nil, "%s attempt %d: %d run low\n%s\n%d bytes of products\n", c.FireID, c.Attempt, low.Rows, low.Body, len(first.Body))
	// A reader never sees half of it.
	if err := os.WriteFile(into+".new", report, 0o600); err != nil {
		return err
	}
	return os.Rename(into+".new", into)
}
