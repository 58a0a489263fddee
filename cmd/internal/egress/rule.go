package egress

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Rule allows some internal addresses. Make it with ParseRule; the zero value
// allows none.
type Rule struct {
	networks []netip.Prefix
	port     uint16 // 0: any
	text     string
}

// String gives the rule as it was written.
func (r Rule) String() string { return r.text }

func (r Rule) covers(to netip.AddrPort) bool {
	return (r.port == 0 || r.port == to.Port()) && inside(r.networks, to.Addr())
}

// ParseRule reads loopback, private, an address or a network, each with :port or
// without. An IPv6 one with a port stands in brackets.
func ParseRule(text string) (Rule, error) {
	r := Rule{text: text}
	host, port, err := split(text)
	if err != nil {
		return Rule{}, err
	}
	r.port = port
	switch host {
	case "loopback":
		r.networks = loopback
		return r, nil
	case "private":
		r.networks = private
		return r, nil
	}
	network, err := netip.ParsePrefix(host)
	if err != nil {
		a, notOne := netip.ParseAddr(host)
		if notOne != nil || a.Zone() != "" {
			return Rule{}, fmt.Errorf("%q is not loopback, private, an address or a network such as 10.0.0.0/8, with :port or without", text)
		}
		network = netip.PrefixFrom(a, a.BitLen())
	}
	if network.Addr().Is4In6() {
		return Rule{}, fmt.Errorf("%q: write an IPv4 address as one", text)
	}
	if network != network.Masked() {
		return Rule{}, fmt.Errorf("%q has bits beyond its length; did you mean %s?", text, network.Masked())
	}
	for _, n := range never {
		if n.Contains(network.Addr()) && n.Bits() <= network.Bits() {
			return Rule{}, fmt.Errorf("%q: %s is never called, and no rule can allow it", text, n)
		}
	}
	r.networks = []netip.Prefix{network}
	return r, nil
}

// ParseRules reads a list of rules.
func ParseRules(texts []string) ([]Rule, error) {
	rules := make([]Rule, 0, len(texts))
	for _, text := range texts {
		r, err := ParseRule(text)
		if err != nil {
			return nil, err
		}
		rules = append(rules, r)
	}
	return rules, nil
}

// split cuts a port off; 0 if there is none.
func split(text string) (host string, port uint16, err error) {
	host = text
	var digits string
	var found bool
	if inner, bracketed := strings.CutPrefix(text, "["); bracketed {
		var after string
		if host, after, found = strings.Cut(inner, "]"); !found {
			return "", 0, fmt.Errorf("%q has no ]", text)
		}
		if after == "" {
			return host, 0, nil
		}
		if digits, found = strings.CutPrefix(after, ":"); !found {
			return "", 0, fmt.Errorf("%q: after ] there must be :port", text)
		}
	} else if strings.Count(text, ":") == 1 {
		host, digits, found = strings.Cut(text, ":")
	}
	if !found {
		return host, 0, nil
	}
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || n == 0 {
		return "", 0, fmt.Errorf("%q: the port must be between 1 and 65535", text)
	}
	return host, uint16(n), nil
}
