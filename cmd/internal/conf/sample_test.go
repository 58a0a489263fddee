package conf

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write configs/belfryd.yaml anew")

// sample writes every setting with its default, commented out.
func sample() string {
	var b strings.Builder
	b.WriteString(`# The configuration of belfryd. Every setting is here with its default, commented
# out: take the # away to change one. The command line (--listen) and the
# environment (BELFRY_LISTEN, BELFRY_MAIL_SMTP_HOST) win over this file.
# Unknown settings and wrong values refuse to start; try a change with
#
#   belfry config check configs/belfryd.yaml
#
# Times have a unit (500ms, 5s, 1h30m), sizes too (512KiB, 1MiB). Relative paths
# start from the working directory.
`)
	sampleSection(&b, reflect.TypeFor[Config](), "", "")
	return b.String()
}

func sampleSection(b *strings.Builder, t reflect.Type, prefix, indent string) {
	defaults := map[string]Key{}
	for _, k := range Keys() {
		defaults[k.Name] = k
	}
	for i := range t.NumField() {
		f := t.Field(i)
		name := f.Tag.Get("key")
		if name == "" {
			continue
		}
		help := f.Tag.Get("help")
		fmt.Fprintf(b, "\n%s# %s.\n", indent, strings.TrimSuffix(strings.ToUpper(help[:1])+help[1:], "."))
		k, leaf := defaults[prefix+name]
		if !leaf {
			fmt.Fprintf(b, "%s%s:\n", indent, name)
			sampleSection(b, f.Type, prefix+name+".", indent+"  ")
			continue
		}
		if len(k.OneOf) > 0 {
			fmt.Fprintf(b, "%s# One of: %s.\n", indent, strings.Join(k.OneOf, ", "))
		}
		switch {
		case k.Kind == KindMappings:
			fmt.Fprintf(b, "%s#%s:\n%s#  - match: \"jdbc:h2:*\" # * stands for anything\n%s#    url: sqlite:var/samples.db\n", indent, name, indent, indent)
		case k.Kind == KindBounds:
			fmt.Fprintf(b, "%s#%s:\n%s#  - service: Reports/* # * stands for anything\n%s#    rows: 1000000\n%s#    request_time: 5m\n", indent, name, indent, indent, indent)
		case k.Kind == KindWords:
			fmt.Fprintf(b, "%s#%s: [%s]\n", indent, name, k.Default)
		case k.Default == "":
			fmt.Fprintf(b, "%s#%s: \"\"\n", indent, name)
		default:
			fmt.Fprintf(b, "%s#%s: %s\n", indent, name, k.Default)
		}
	}
}

func sampleFile() string { return filepath.Join("..", "..", "..", "configs", "belfryd.yaml") }

// The sample configuration is generated, so that it never lacks a setting.
func TestSampleIsFresh(t *testing.T) {
	if *update {
		if err := os.WriteFile(sampleFile(), []byte(sample()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(sampleFile())
	if err != nil {
		t.Fatal(err)
	}
	if string(data) != sample() {
		t.Errorf("%s is stale: run go test ./cmd/internal/conf -update", sampleFile())
	}
	if err := Check(sampleFile()); err != nil {
		t.Errorf("the sample is refused: %v", err)
	}
}

// With every # taken away, the sample still says what the defaults are.
func TestSampleShowsTheDefaults(t *testing.T) {
	t.Parallel()
	setting := regexp.MustCompile(`(?m)^( *)#([a-z_]+:|  - |    [a-z_]+:)`)
	plain := setting.ReplaceAllString(sample(), "$1$2")
	values, _, err := readYAML("sample", []byte(plain))
	if err != nil {
		t.Fatalf("%v\n%s", err, plain)
	}
	defaults := reflect.ValueOf(Default())
	for _, k := range Keys() {
		if k.Kind == KindMappings || k.Kind == KindBounds {
			continue
		}
		want := defaults.FieldByIndex(k.index)
		if got, ok := values[k.Name]; !ok || write(reflect.ValueOf(got)) != write(want) {
			t.Errorf("%s in the sample is %v, by default it is %v", k.Name, got, want)
		}
	}
}
