package place

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seed42aab489/belfry/plugin/task"
)

// Resolver says which members a task may be on (WSO2: TaskLocationResolver).
// Methods are pure, quick, and called from several goroutines. Printed with %v it
// tells its settings, so that what was worked out with others is not used.
type Resolver interface {
	// Class sorts tasks: tasks of one class may be on the same members. The fewer
	// classes, the cheaper the placement.
	Class(key task.Key) string
	// Locate gives, by index, those of members that tasks of the class may be on,
	// and if there are none the reason. Members are oldest first, fit, and have
	// the task's service deployed; there is at least one.
	Locate(class string, members []Member) (where []int, why string)
	// Spread says how buckets are shared out among the members they may be on.
	Spread() Spread
}

// Spread is how buckets are shared out.
type Spread struct {
	Kind SpreadKind
	Seed uint64 // of Scattered
}

// SpreadKind is a way of sharing out.
type SpreadKind uint8

// The ways.
const (
	Balanced  SpreadKind = iota // by load, for the weight of members
	Scattered                   // at random, and left there
	Together                    // all on one member
)

// Property is one of a resolver's settings, as tasks-config.xml has them.
type Property = task.Property

// Make makes a resolver of its properties. Errors name the property.
type Make func(properties []Property) (Resolver, error)

// Registry knows resolvers by name. A name is plain ("round-robin") or that of
// a class, without its package ("RoundRobinTaskLocationResolver").
type Registry map[string]Make

// ErrUnknownResolver says that a registry does not know a class.
var ErrUnknownResolver = errors.New("unknown location resolver")

// Standard gives the resolvers of the original, in a new map:
//
//   - RoundRobinTaskLocationResolver, RoundRobinResolver, round-robin: the
//     default.
//   - RandomTaskLocationResolver, random: property seed, a number.
//   - RuleBasedLocationResolver, rules: see NewRules.
//   - FixedLocationResolver, fixed: see NewFixed.
//   - TaskNodeResolver, nodes: see NewOnNodes.
//   - ActivePassiveResolver, active-passive.
func Standard() Registry {
	return Registry{
		"round-robin": newRoundRobin, "RoundRobinTaskLocationResolver": newRoundRobin, "RoundRobinResolver": newRoundRobin,
		"random": newRandom, "RandomTaskLocationResolver": newRandom,
		"rules": newRules, "RuleBasedLocationResolver": newRules,
		"fixed": newFixed, "FixedLocationResolver": newFixed,
		"nodes": newOnNodes, "TaskNodeResolver": newOnNodes,
		"active-passive": newActivePassive, "ActivePassiveResolver": newActivePassive,
	}
}

// Resolver makes the resolver of a class; the package before its name does not
// count. An empty class is RoundRobin. Errors: ErrUnknownResolver, that of Make.
func (r Registry) Resolver(class string, properties []Property) (Resolver, error) {
	if class == "" {
		class = "round-robin"
	}
	maker, ok := r[class]
	if !ok {
		maker, ok = r[class[strings.LastIndexByte(class, '.')+1:]]
	}
	if !ok {
		return nil, fmt.Errorf("%w %s: use one of %s", ErrUnknownResolver, class, strings.Join(slices.Sorted(maps.Keys(r)), ", "))
	}
	resolver, err := maker(properties)
	if err != nil {
		return nil, fmt.Errorf("location resolver %s: %w", class, err)
	}
	return resolver, nil
}

// Nowhere gives no member for any task, for a reason: that of a location whose
// resolver cannot be made.
type Nowhere struct {
	RoundRobin
	Why string
}

// Locate gives the reason.
func (n Nowhere) Locate(string, []Member) (where []int, why string) { return nil, n.Why }

// unknown refuses a property, and lists those that there are.
func unknown(p Property, known ...string) error {
	if len(known) == 0 {
		return fmt.Errorf("unknown property %q: it has none", p.Name)
	}
	return fmt.Errorf("unknown property %q: it has %s", p.Name, strings.Join(known, ", "))
}
