package send

import (
	"fmt"
	"net/netip"
	"slices"
	"syscall"
)

// never are the networks that no webhook may reach, whatever the setting.
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

// inner are those reached only where the setting allows it.
var inner = prefixes(
	"127.0.0.0/8", "::1/128", // loopback
	"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", // private
	"100.64.0.0/10",                                     // carriers' own
	"198.18.0.0/15",                                     // benchmarks
	"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", // documentation
	"2001:db8::/32", "3fff::/20",
)

func prefixes(list ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(list))
	for i, s := range list {
		all[i] = netip.MustParsePrefix(s)
	}
	return all
}

var (
	compatible = netip.MustParsePrefix("::/96")
	nat64      = netip.MustParsePrefix("64:ff9b::/96")
	sixToFour  = netip.MustParsePrefix("2002::/16")
)

// within gives the IPv4 address that an IPv6 one stands for, or a itself.
func within(a netip.Addr) netip.Addr {
	a = a.WithZone("").Unmap()
	if a.Is4() {
		return a
	}
	b := a.As16()
	switch {
	case compatible.Contains(a) && a != netip.IPv6Loopback() && !a.IsUnspecified(),
		nat64.Contains(a):
		return netip.AddrFrom4([4]byte(b[12:16]))
	case sixToFour.Contains(a):
		return netip.AddrFrom4([4]byte(b[2:6]))
	}
	return a
}

// permitted tells whether a webhook may connect to a.
func permitted(a netip.Addr, allowInner bool) error {
	if a.Zone() != "" {
		return fmt.Errorf("address %s is never called", a)
	}
	v := within(a)
	contains := func(p netip.Prefix) bool { return p.Contains(v) }
	if slices.ContainsFunc(never, contains) {
		return fmt.Errorf("address %s is never called", a)
	}
	if !allowInner && slices.ContainsFunc(inner, contains) {
		return fmt.Errorf("address %s is internal, and internal webhooks are not allowed by the configuration", a)
	}
	return nil
}

// control checks the address that is about to be connected to: after
// resolution, so that no name can lead elsewhere.
func control(allowInner bool) func(network, address string, _ syscall.RawConn) error {
	return func(network, address string, _ syscall.RawConn) error {
		if network != "tcp4" && network != "tcp6" {
			return fmt.Errorf("network %s is never used", network)
		}
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		return permitted(to.Addr(), allowInner)
	}
}
