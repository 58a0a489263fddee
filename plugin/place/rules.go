package place

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/seed42aab489/belfry/plugin/task"
)

// rulePrefix begins the name of a rule's property.
const rulePrefix = "rule-"

// maxRules bounds the rules of one resolver.
const maxRules = 1000

// Rules puts a task where the first rule for it has a member, and shares out
// evenly among those of the rule (WSO2: RuleBasedLocationResolver). Its class
// of a task is the numbers of the rules whose first two patterns match, such
// as "rule-1,rule-5".
//
// A member that lacks the task's service, or is being drained, does not count
// as there: the next rule has its turn.
type Rules struct {
	RoundRobin
	rules []rule // by number
}

type rule struct {
	number              int
	text                string
	kind, name, address *regexp.Regexp
}

// newRules makes Rules of properties "rule-<number>", each with three patterns
// "task-type,task-name,address" with commas between them; so no pattern can have
// a comma. A pattern must match the whole, as in Java. The address is matched
// with each of a member's addresses, its node's name and its label
// localMemberIdentifier.
func newRules(properties []Property) (Resolver, error) {
	var r Rules
	if len(properties) == 0 {
		return nil, errors.New(`no rules: give property "rule-1" the value TASK_TYPE,TASK_NAME,ADDRESS (three patterns)`)
	}
	if len(properties) > maxRules {
		return nil, fmt.Errorf("%d rules: at most %d are read", len(properties), maxRules)
	}
	for _, p := range properties {
		one, err := parseRule(p)
		if err != nil {
			return nil, err
		}
		r.rules = append(r.rules, one)
	}
	slices.SortFunc(r.rules, func(a, b rule) int { return cmp.Compare(a.number, b.number) })
	for i := 1; i < len(r.rules); i++ {
		if r.rules[i].number == r.rules[i-1].number {
			return nil, fmt.Errorf("two rules of number %d: number each once", r.rules[i].number)
		}
	}
	return r, nil
}

func parseRule(p Property) (rule, error) {
	digits, ok := strings.CutPrefix(p.Name, rulePrefix)
	number, err := strconv.Atoi(digits)
	if !ok || err != nil || number < 0 {
		return rule{}, fmt.Errorf("unknown property %q: it has rule-1, rule-2 and so on", p.Name)
	}
	tokens := strings.Split(p.Value, ",")
	if len(tokens) != 3 {
		return rule{}, fmt.Errorf("property %q: %q has %d parts: write TASK_TYPE,TASK_NAME,ADDRESS, three patterns without commas in them",
			p.Name, p.Value, len(tokens))
	}
	one := rule{number: number, text: p.Value}
	for i, part := range []struct {
		what    string
		pattern **regexp.Regexp
	}{{"task type", &one.kind}, {"task name", &one.name}, {"address", &one.address}} {
		token := strings.TrimSpace(tokens[i])
		if token == "" {
			return rule{}, fmt.Errorf("property %q: the pattern of the %s is empty: write .* for any", p.Name, part.what)
		}
		// Compiled alone first, so that "a)(b" is not completed by the group.
		_, err := regexp.Compile(token)
		if err == nil {
			*part.pattern, err = regexp.Compile(`\A(?:` + token + `)\z`)
		}
		if err != nil {
			return rule{}, fmt.Errorf("property %q: the pattern of the %s cannot be read (RE2 syntax: no look-around, no back references): %w",
				p.Name, part.what, err)
		}
	}
	return one, nil
}

func (r rule) String() string { return rulePrefix + strconv.Itoa(r.number) }

// String gives the rules as they were written.
func (r Rules) String() string {
	var lines []string
	for _, one := range r.rules {
		lines = append(lines, one.String()+"="+one.text)
	}
	return strings.Join(lines, "; ")
}

// Class names the rules for a task.
func (r Rules) Class(key task.Key) string {
	var names []string
	for _, one := range r.rules {
		if one.kind.MatchString(key.Type) && one.name.MatchString(key.Name) {
			names = append(names, one.String())
		}
	}
	if len(names) == 0 {
		return "no rule is for a task in it of type " + key.Type
	}
	return strings.Join(names, ",")
}

// Locate gives the members of the first rule that has any.
func (r Rules) Locate(class string, members []Member) (where []int, why string) {
	if !strings.HasPrefix(class, rulePrefix) {
		return nil, class
	}
	for name := range strings.SplitSeq(class, ",") {
		i := slices.IndexFunc(r.rules, func(one rule) bool { return one.String() == name })
		if i < 0 {
			continue // of rules that have changed since
		}
		for m := range members {
			if r.rules[i].at(&members[m]) {
				where = append(where, m)
			}
		}
		if len(where) > 0 {
			return where, ""
		}
	}
	verb := " matches"
	if strings.Contains(class, ",") {
		verb = " match"
	}
	return nil, strings.ReplaceAll(class, ",", ", ") + verb + " no live node"
}

func (r rule) at(m *Member) bool {
	return slices.ContainsFunc(m.Addresses, r.address.MatchString) || r.address.MatchString(m.Node) ||
		m.Labels[LabelIdentifier] != "" && r.address.MatchString(m.Labels[LabelIdentifier])
}
