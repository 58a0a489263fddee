package conf

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// DefaultFile is read when --config is not given, if it exists.
const DefaultFile = "configs/belfryd.yaml"

// AddFlags defines belfryd's configuration flags: --config and one for each key
// that has a flag.
func AddFlags(flags *pflag.FlagSet) {
	flags.String("config", "", "configuration file (default "+DefaultFile+" if it exists)")
	for _, k := range Keys() {
		switch {
		case k.Flag == "":
		case k.Kind == KindMappings:
			flags.StringArray(k.Flag, nil, "PATTERN=URL: "+k.Help+"; repeatable")
		default:
			usage := k.Help
			if len(k.OneOf) > 0 {
				usage += ": " + strings.Join(k.OneOf, ", ")
			}
			// All flags are text, so that every source has one parser.
			flags.String(k.Flag, k.Default, usage)
		}
	}
}

// properties are the original's system properties, with the keys that they set;
// without a key they belong to its REMOTE mode, which is not offered.
var properties = map[string]string{
	"task.server.count":            "task_server_count",
	"task.client.dispatch.address": "",
	"task.server.remote.address":   "",
	"task.server.remote.username":  "",
	"task.server.remote.password":  "",
}

// Normalize gives the arguments of the command line with the original's system
// properties in the form of a flag: -task.server.count=3 and
// -Dtask.server.count=3 become --task.server.count=3.
func Normalize(args []string) ([]string, error) {
	out := make([]string, 0, len(args))
	for i, arg := range args {
		if arg == "--" {
			return append(out, args[i:]...), nil
		}
		assignment := strings.TrimLeft(arg, "-")
		dashes := len(arg) - len(assignment)
		system := dashes == 1 && strings.HasPrefix(assignment, "D")
		if system {
			assignment = assignment[1:]
		}
		name, _, _ := strings.Cut(assignment, "=")
		key, known := properties[name]
		switch {
		case dashes == 0 || dashes > 2 || !known && !system:
			out = append(out, arg)
		case !known:
			valid := []string{}
			for p := range properties {
				valid = append(valid, p)
			}
			slices.Sort(valid)
			return nil, fmt.Errorf("unknown system property %q%s", name, meant(name, valid))
		case key == "":
			return nil, fmt.Errorf("%s belongs to the REMOTE task server mode, which is not offered", name)
		default:
			out = append(out, "--"+assignment)
		}
	}
	return out, nil
}
