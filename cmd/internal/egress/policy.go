package egress

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
)

// Policy says what may be called. The zero value allows public addresses and
// nothing internal. It is not changed after it is made: safe for concurrent use.
type Policy struct {
	// Allow are the exceptions for internal addresses.
	Allow []Rule
	// Closed refuses public addresses too, but for those that Allow names.
	Closed bool
	// Resolver of names. Nil: the system's.
	Resolver *net.Resolver
}

// Refusal is the error of a target that the policy refuses.
type Refusal struct {
	// Address that may not be called. Invalid: the target is refused for Why.
	Address netip.Addr
	// Never tells that no rule could allow it.
	Never bool
	// Why a target is refused by how it is written, whatever it leads to.
	Why string
}

func (r *Refusal) Error() string {
	switch {
	case r.Why != "":
		return r.Why
	case r.Never:
		return fmt.Sprintf("address %s is never called", r.Address)
	}
	return fmt.Sprintf("address %s may not be called; egress.allow can allow it", r.Address)
}

// Refused tells callers that know this error by its methods alone that the target
// was refused: trying again is of no use as long as the rules stand.
func (r *Refusal) Refused() bool { return true }

func refuse(format string, args ...any) *Refusal {
	return &Refusal{Never: true, Why: fmt.Sprintf(format, args...)}
}

// Permit returns a *Refusal if to must not be connected to.
func (p *Policy) Permit(to netip.AddrPort) error {
	a := to.Addr()
	v := within(a)
	if !a.IsValid() || a.Zone() != "" || inside(never, a) || inside(never, v) {
		return &Refusal{Address: a, Never: true}
	}
	if !p.Closed && !inside(loopback, v) && !inside(private, v) {
		return nil
	}
	if slices.ContainsFunc(p.Allow, func(r Rule) bool { return r.covers(netip.AddrPortFrom(v, to.Port())) }) {
		return nil
	}
	return &Refusal{Address: a}
}

// Control is for net.Dialer.Control: it judges the address that is about to be
// connected to.
func (p *Policy) Control(network, address string, _ syscall.RawConn) error {
	if network != "tcp4" && network != "tcp6" {
		return fmt.Errorf("network %s is never used", network)
	}
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	return p.Permit(to)
}

// never are the networks that nothing may reach.
var never = prefixes(
	"0.0.0.0/8",          // this network
	"169.254.0.0/16",     // link-local, with most clouds' metadata
	"192.0.0.0/24",       // protocol assignments, with Oracle's metadata
	"224.0.0.0/4",        // multicast
	"240.0.0.0/4",        // reserved, and broadcast
	"100.100.100.200/32", // Alibaba's metadata
	"168.63.129.16/32",   // Azure's
	"::/128",
	"fe80::/10",         // link-local
	"fec0::/10",         // site-local, of old
	"ff00::/8",          // multicast
	"100::/64",          // discard
	"64:ff9b:1::/48",    // NAT64 of one's own: hides an address
	"2001::/32",         // Teredo: hides an address
	"fd00:ec2::254/128", // Amazon's metadata
	"fd20:ce::254/128",  // Google's
)

// loopback and private are the internal networks, by the names that rules have
// for them.
var (
	loopback = prefixes("127.0.0.0/8", "::1/128")
	private  = prefixes(
		"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7",
		"100.64.0.0/10",                                     // carriers' own
		"198.18.0.0/15",                                     // benchmarks
		"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", // documentation
		"2001:db8::/32", "3fff::/20",
	)
)

var (
	compatible = netip.MustParsePrefix("::/96")
	translated = netip.MustParsePrefix("::ffff:0:0:0/96")
	nat64      = netip.MustParsePrefix("64:ff9b::/96")
	sixToFour  = netip.MustParsePrefix("2002::/16")
)

// within gives the IPv4 address that an IPv6 one stands for, or a itself.
func within(a netip.Addr) netip.Addr {
	a = a.WithZone("").Unmap()
	if !a.Is6() {
		return a
	}
	b := a.As16()
	switch {
	case compatible.Contains(a) && a != netip.IPv6Loopback() && !a.IsUnspecified(),
		translated.Contains(a), nat64.Contains(a):
		return netip.AddrFrom4([4]byte(b[12:16]))
	case sixToFour.Contains(a):
		return netip.AddrFrom4([4]byte(b[2:6]))
	}
	return a
}

func inside(list []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(a) })
}

func prefixes(list ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(list))
	for i, s := range list {
		all[i] = netip.MustParsePrefix(s)
	}
	return all
}
