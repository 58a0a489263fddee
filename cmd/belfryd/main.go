// Belfryd hosts data services and fires their operations on schedule. See
// `belfryd --help`.
package main

import (
	"os"

	"github.com/seed42aab489/belfry/cmd/embed"
)

// version is set when a release is built.
var version = "dev"

func main() { os.Exit(embed.Main(os.Args[1:], os.Stdout, os.Stderr, embed.Options{Version: version})) }
