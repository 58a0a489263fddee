package output

import "go.yaml.in/yaml/v3"

// ToYAML rewrites JSON, keeping the order of its fields.
func ToYAML(text []byte) ([]byte, error) {
	var node yaml.Node
	if err := yaml.Unmarshal(text, &node); err != nil {
		return nil, err
	}
	Block(&node)
	return yaml.Marshal(&node)
}

// Block gives nodes the plain style: a line for each value.
func Block(n *yaml.Node) {
	n.Style &^= yaml.FlowStyle
	if n.Kind == yaml.ScalarNode && n.Style == yaml.DoubleQuotedStyle && n.Tag == "!!str" {
		n.Style = 0
	}
	if len(n.Content) == 0 && (n.Kind == yaml.SequenceNode || n.Kind == yaml.MappingNode) {
		n.Style = yaml.FlowStyle
	}
	for _, c := range n.Content {
		Block(c)
	}
}
