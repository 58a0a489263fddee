package place_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/plugin/place"
	"github.com/seed42aab489/belfry/plugin/task"
)

func properties(pairs ...string) []place.Property {
	var list []place.Property
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, place.Property{Name: pairs[i], Value: pairs[i+1]})
	}
	return list
}

// The original's property formats: what is read, and what is said of the rest.
func TestResolverProperties(t *testing.T) {
	t.Parallel()
	const rr = "org.wso2.carbon.ntask.core.impl.RoundRobinTaskLocationResolver"
	const rules = "org.wso2.carbon.ntask.core.impl.RuleBasedLocationResolver"
	for _, test := range []struct {
		name, class string
		properties  []place.Property
		want        string // of the error; empty: it is read
	}{
		{"the default", "", nil, ""},
		{"a class", rr, nil, ""},
		{"a class without its package", "RandomTaskLocationResolver", nil, ""},
		{"a class of another package", "org.wso2.micro.integrator.ntask.coordination.task.resolver.ActivePassiveResolver", nil, ""},
		{"a plain name", "round-robin", nil, ""},
		{"no such class", "org.example.Mine", nil, "unknown location resolver org.example.Mine: use one of"},
		{"a class in other letters", "roundRobinTaskLocationResolver", nil, "unknown location resolver"},
		{"round robin has no properties", rr, properties("a", "b"), `unknown property "a": it has none`},
		{"the count of servers is elsewhere", "RoundRobinResolver", properties("task_server_count", "3"), "set taskServerCount"},
		{"a seed", "random", properties("seed", " 7 "), ""},
		{"a seed that is a word", "random", properties("seed", "x"), `property "seed": "x" is not a whole number from 0`},
		{"random has but a seed", "random", properties("sed", "1"), `unknown property "sed": it has seed`},
		{"the corpus' rules", rules, properties("rule-1", "HIVE_TASK,.*,192.168.2.*", "rule-5", ".*,.*,.*"), ""},
		{"no rules", rules, nil, "no rules"},
		{"two parts", rules, properties("rule-1", ".*,.*"), `".*,.*" has 2 parts`},
		{"a comma in a pattern", rules, properties("rule-1", "a{1,2},.*,.*"), "has 4 parts"},
		{"an empty part", rules, properties("rule-1", "a,,b"), "the pattern of the task name is empty"},
		{"a trailing comma", rules, properties("rule-1", "a,b,"), "the pattern of the address is empty"},
		{"a broken pattern", rules, properties("rule-1", "a,b,(c"), "the pattern of the address cannot be read"},
		{"a pattern that would break out", rules, properties("rule-1", "a,b)|(?:c,d"), "the pattern of the task name cannot be read"},
		{"a pattern of Java's alone", rules, properties("rule-1", "(?=a),b,c"), "the pattern of the task type cannot be read"},
		{"a rule without a number", rules, properties("rule-", ".*,.*,.*"), `unknown property "rule-"`},
		{"a rule that is no number", rules, properties("rule-a", ".*,.*,.*"), `unknown property "rule-a"`},
		{"a rule below zero", rules, properties("rule--1", ".*,.*,.*"), `unknown property "rule--1"`},
		{"a number twice", rules, properties("rule-1", ".*,.*,.*", "rule-01", ".*,.*,.*"), "two rules of number 1"},
		{"another property", rules, properties("rules", ".*,.*,.*"), `unknown property "rules"`},
		{"a fixed index", "FixedLocationResolver", properties(place.FixedParam, "1"), ""},
		{"no index", "fixed", nil, "is missing: the index of a server"},
		{"an index below zero", "fixed", properties("index", "-1"), `"-1" is not a whole number from 0`},
		{"an index that is a word", "fixed", properties("index", "n1"), `"n1" is not a whole number`},
		{"another property of fixed", "fixed", properties("node", "n1"), `unknown property "node"`},
		{"nodes", "TaskNodeResolver", properties("task_nodes", "n1, n2,"), ""},
		{"pinned servers", "nodes", properties("pinnedServers", "n1"), ""},
		{"no nodes", "nodes", properties("task_nodes", " , "), `property "task_nodes" is missing`},
		{"another property of nodes", "nodes", properties("nodes", "n1"), `unknown property "nodes"`},
		{"active-passive has none", "active-passive", properties("a", "b"), "it has none"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r, err := place.Standard().Resolver(test.class, test.properties)
			switch {
			case test.want == "" && (err != nil || r == nil):
				t.Errorf("%v", err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

func resolver(t *testing.T, class string, pairs ...string) place.Resolver {
	t.Helper()
	r, err := place.Standard().Resolver(class, properties(pairs...))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Where tasks may be, by each resolver.
func TestLocate(t *testing.T) {
	t.Parallel()
	members := []place.Member{
		{ID: "c.1", Node: "c", Addresses: []string{"host-c", "10.0.2.3"}},
		{ID: "a.2", Node: "a", Addresses: []string{"host-a", "10.0.1.1"}},
		{ID: "b.3", Node: "b", Addresses: []string{"host-b", "10.0.2.2"}, Labels: map[string]string{place.LabelIdentifier: "east"}},
	}
	key := task.Key{Type: "T", Name: "n"}
	for _, test := range []struct {
		name     string
		resolver place.Resolver
		key      task.Key
		want     string // nodes, or why not
	}{
		{"round robin", resolver(t, ""), key, "c a b"},
		{"random", resolver(t, "random"), key, "c a b"},
		{"active-passive", resolver(t, "active-passive"), key, "c a b"},
		{"fixed counts nodes by name", resolver(t, "fixed", "index", "0"), key, "a"},
		{"fixed begins again", resolver(t, "fixed", "index", "5"), key, "c"},
		{"nodes", resolver(t, "nodes", "task_nodes", "b,c,x"), key, "c b"},
		{"nodes that are not there", resolver(t, "nodes", "task_nodes", "x,y"), key, "none of the nodes x, y can take it"},
		{"an address", resolver(t, "rules", "rule-1", `.*,.*,10\.0\.2\..*`), key, "c b"},
		{"the whole address", resolver(t, "rules", "rule-1", `.*,.*,10\.0\.2`), key, "rule-1 matches no live node"},
		{"a host name", resolver(t, "rules", "rule-1", `.*,.*,host-a`), key, "a"},
		{"a node", resolver(t, "rules", "rule-1", `.*,.*,b`), key, "b"},
		{"an identifier", resolver(t, "rules", "rule-1", `.*,.*,east`), key, "b"},
		{"alternatives are whole too", resolver(t, "rules", "rule-1", `.*,.*,host-a|host`), key, "a"},
		{"the first rule with a member", resolver(t, "rules", "rule-10", ".*,.*,.*", "rule-2", "T,.*,host-b", "rule-1", "T,.*,gone"), key, "b"},
		{"by number, not by text", resolver(t, "rules", "rule-10", ".*,.*,host-a", "rule-9", ".*,.*,host-c"), key, "c"},
		{"rules for another type", resolver(t, "rules", "rule-1", "U,.*,.*"), key, "no rule is for a task in it of type T"},
		{"rules for another name", resolver(t, "rules", "rule-1", "T,m.*,.*"), key, "no rule is for a task in it of type T"},
		{"no node for several", resolver(t, "rules", "rule-1", "T,.*,x", "rule-3", "T,.*,y"), key, "rule-1, rule-3 match no live node"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			where, why := test.resolver.Locate(test.resolver.Class(test.key), members)
			got := why
			if len(where) > 0 {
				var nodes []string
				for _, i := range where {
					nodes = append(nodes, members[i].Node)
				}
				got = strings.Join(nodes, " ")
			}
			if got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

// mine is a resolver that a program brings along.
type mine struct{ place.RoundRobin }

func (mine) Locate(_ string, members []place.Member) (where []int, why string) {
	return []int{len(members) - 1, 99, -3}, "" // what is out of bounds does not count
}

func TestOwnResolver(t *testing.T) {
	t.Parallel()
	r := place.Standard()
	r["com.example.Mine"] = func([]place.Property) (place.Resolver, error) { return mine{}, nil }
	own, err := r.Resolver("com.example.Mine", nil)
	if err != nil {
		t.Fatal(err)
	}
	plan := place.Place(place.Input{Resolver: own, Members: hosts("a", "b"), Buckets: make([]place.Bucket, 3)})
	if plan.Assignments[0].Member != "b.1" {
		t.Logf("an empty bucket may be anywhere: %v", plan.Assignments)
	}
	plan = place.Place(place.Input{Resolver: own, Members: hosts("a", "b"), Buckets: []place.Bucket{holding("S")}})
	if plan.Assignments[0].Member != "b.1" {
		t.Errorf("%v", plan.Assignments)
	}
	if _, err := place.Standard().Resolver("com.example.Mine", nil); !errors.Is(err, place.ErrUnknownResolver) {
		t.Errorf("a registry is shared: %v", err)
	}
}

// hosts are members of these nodes, in their first incarnation, that can do
// everything.
func hosts(nodes ...string) []place.Member {
	var members []place.Member
	for _, n := range nodes {
		members = append(members, place.Member{ID: n + ".1", Node: n})
	}
	return members
}

// holding is a bucket with a task of each service.
func holding(services ...string) place.Bucket {
	var l place.Load
	slices.Sort(services)
	for _, s := range services {
		l.Tasks++
		l.Demands = append(l.Demands, place.Demand{Service: s})
	}
	return place.Bucket{Load: l}
}
