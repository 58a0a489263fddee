// Belfry is the companion of belfryd: it shows and controls what a host, or a
// cluster of them, has scheduled. See `belfry --help`.
package main

import (
	"os"

	"github.com/seed42aab489/belfry/cmd/internal/cli"
)

// version is set when a release is built.
var version = "dev"

func main() {
	os.Exit(cli.Main(version, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
