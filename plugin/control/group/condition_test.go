package group_test

import (
	"testing"

	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/control/group"
)

func TestParseCondition(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"nodes=1", "nodes=30", "leader", "placed"} {
		if c, err := group.ParseCondition(text); err != nil || c.String() != text {
			t.Errorf("%q: %v, %v", text, c, err)
		}
	}
	for _, text := range []string{"", "nodes", "nodes=", "nodes=0", "nodes=-1", "nodes=x", "leader=1", "converged"} {
		if _, err := group.ParseCondition(text); failure.Of(err) == nil || failure.Of(err).Code != failure.CodeInvalid {
			t.Errorf("%q: %v", text, err)
		}
	}
}
