package output

import (
	"go.yaml.in/yaml/v3"

	"github.com/seed42aab489/belfry/plugin/control/definition"
)

// ToYAML rewrites JSON, keeping the order of its fields.
func ToYAML(text []byte) ([]byte, error) {
	var node yaml.Node
	if err := yaml.Unmarshal(text, &node); err != nil {
		return nil, err
	}
	definition.Block(&node)
	return yaml.Marshal(&node)
}
