package group

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/seed42aab489/belfry/plugin/control/failure"
)

// A Condition is something that a group is waited for to be.
type Condition struct {
	text string
	// missing says what it still lacks; empty: nothing.
	missing func(g *Group) string
}

// Missing says what a group still lacks; empty: nothing.
func (c Condition) Missing(g *Group) string { return c.missing(g) }

// String gives what ParseCondition was given.
func (c Condition) String() string { return c.text }

// Conditions lists what ParseCondition takes, for help and completion.
func Conditions() []string { return []string{"nodes=N", "leader", "placed"} }

// ParseCondition reads "nodes=3" (so many different nodes have begun), "leader"
// (there is one) or "placed" (every bucket is owned by the member that it
// belongs to). Code: invalid.
func ParseCondition(text string) (Condition, error) {
	name, value, has := strings.Cut(text, "=")
	switch {
	case name == "nodes" && has:
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 {
			return Condition{}, failure.Invalid("condition %q: give a number of nodes, such as nodes=3", text)
		}
		return Condition{text, func(g *Group) string {
			if have := g.present(); have < n {
				return fmt.Sprintf("%d of %d nodes are there", have, n)
			}
			return ""
		}}, nil
	case text == "leader":
		return Condition{text, (*Group).Leaderless}, nil
	case text == "placed":
		return Condition{text, (*Group).unsettled}, nil
	}
	return Condition{}, failure.Invalid("condition %q is unknown: use %s", text, strings.Join(Conditions(), ", "))
}

// Leaderless says that nobody leads; empty: somebody does.
func (g *Group) Leaderless() string {
	if g.Lead().Present {
		return ""
	}
	return "there is no leader"
}

func (g *Group) unsettled() string {
	if why := g.Waiting(); why != "" {
		return why
	}
	p := g.Placed()
	if p.Settled == p.Buckets {
		return ""
	}
	text := fmt.Sprintf("%d of %d buckets are placed and owned", p.Settled, p.Buckets)
	for b := range g.Holders {
		if why := g.nowhere(b); why != "" {
			return text + "; one without a place: " + why
		}
	}
	return text
}
