package egress

import (
	"net/netip"
	"strings"
	"testing"
)

func rules(t *testing.T, texts ...string) []Rule {
	t.Helper()
	list, err := ParseRules(texts)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestPermit: what holds whatever the rules, and what they allow.
func TestPermit(t *testing.T) {
	t.Parallel()
	none := &Policy{}
	inner := &Policy{Allow: rules(t, "loopback", "private")}
	all := &Policy{Allow: rules(t, "0.0.0.0/0", "::/0", "loopback", "private"), Closed: true}
	for _, c := range []struct {
		addr           string
		public, within bool
	}{
		{"93.184.216.34", true, true},
		{"2606:2800:220:1::1", true, true},
		{"64:ff9b::5db8:d822", true, true},
		{"2002:5db8:d822::1", true, true},
		{"172.32.0.1", true, true},
		{"127.0.0.1", false, true},
		{"127.255.255.254", false, true},
		{"::1", false, true},
		{"::ffff:127.0.0.1", false, true},
		{"10.1.2.3", false, true},
		{"172.16.0.1", false, true},
		{"172.31.255.255", false, true},
		{"::ffff:192.168.1.1", false, true},
		{"::ffff:0:10.0.0.1", false, true},
		{"fd12::1", false, true},
		{"64:ff9b::a00:1", false, true},
		{"2002:a00:1::", false, true},
		{"::127.0.0.1", false, true},
		{"100.64.0.1", false, true},
		{"198.18.0.1", false, true},
		{"169.254.169.254", false, false},
		{"::ffff:169.254.169.254", false, false},
		{"::ffff:0:169.254.169.254", false, false},
		{"::169.254.169.254", false, false},
		{"64:ff9b::a9fe:a9fe", false, false},
		{"2002:a9fe:a9fe::", false, false},
		{"fe80::1", false, false},
		{"fec0::1", false, false},
		{"224.0.0.1", false, false},
		{"64:ff9b::e000:1", false, false},
		{"ff02::1", false, false},
		{"0.0.0.0", false, false},
		{"::ffff:0.0.0.0", false, false},
		{"::", false, false},
		{"255.255.255.255", false, false},
		{"240.0.0.1", false, false},
		{"fd00:ec2::254", false, false},
		{"fd20:ce::254", false, false},
		{"100.100.100.200", false, false},
		{"168.63.129.16", false, false},
		{"192.0.0.192", false, false},
		{"64:ff9b:1::7f00:1", false, false},
		{"2001:0:7f00:1::", false, false},
		{"::1%lo", false, false},
	} {
		to := netip.AddrPortFrom(netip.MustParseAddr(c.addr), 80)
		if got := none.Permit(to) == nil; got != c.public {
			t.Errorf("%s: permitted %v, want %v", to, got, c.public)
		}
		for _, p := range []*Policy{inner, all} {
			if got := p.Permit(to) == nil; got != c.within {
				t.Errorf("%s: with rules %v permitted %v, want %v", to, p.Allow, got, c.within)
			}
		}
	}
	if err := none.Permit(netip.AddrPort{}); err == nil {
		t.Error("the zero address is permitted")
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rule         string
		allowed, not string
	}{
		{"loopback", "127.3.2.1:1", "10.0.0.1:1"},
		{"loopback:8080", "[::1]:8080", "[::1]:8081"},
		{"private", "10.0.0.1:1", "127.0.0.1:1"},
		{"private:443", "[fd00::1]:443", "[fd00::1]:80"},
		{"10.0.0.0/8", "[::ffff:10.9.9.9]:1", "192.168.0.1:1"},
		{"10.1.2.3", "10.1.2.3:5", "10.1.2.4:5"},
		{"10.1.2.3:8080", "10.1.2.3:8080", "10.1.2.3:80"},
		{"10.1.0.0/16:8080", "10.1.2.3:8080", "10.2.0.1:8080"},
		{"fd00::/8", "[fd12::1]:1", "[fc00::1]:1"},
		{"[fd00::/8]:443", "[fd12::1]:443", "[fd12::1]:80"},
		{"[::1]", "[::1]:7", "127.0.0.1:7"},
		{"::1", "[::1]:7", "127.0.0.1:7"},
	} {
		p := &Policy{Allow: rules(t, c.rule)}
		if err := p.Permit(netip.MustParseAddrPort(c.allowed)); err != nil {
			t.Errorf("%s: %v", c.rule, err)
		}
		if p.Permit(netip.MustParseAddrPort(c.not)) == nil {
			t.Errorf("%s permits %s", c.rule, c.not)
		}
		if got := p.Allow[0].String(); got != c.rule {
			t.Errorf("%s is written %s", c.rule, got)
		}
	}
	closed := &Policy{Closed: true, Allow: rules(t, "93.184.216.0/24:443")}
	for to, want := range map[string]bool{"93.184.216.34:443": true, "93.184.216.34:80": false, "1.1.1.1:443": false} {
		if got := closed.Permit(netip.MustParseAddrPort(to)) == nil; got != want {
			t.Errorf("closed: %s permitted %v", to, got)
		}
	}
}

func TestRulesRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                "is not loopback",
		"example.org":     "is not loopback",
		"10.0.0.0/33":     "is not loopback",
		"fe80::1%eth0":    "is not loopback",
		"10.0.0.1/8":      "did you mean 10.0.0.0/8?",
		"::ffff:10.0.0.1": "write an IPv4 address",
		"10.0.0.1:0":      "the port must be",
		"10.0.0.1:65536":  "the port must be",
		"loopback:http":   "the port must be",
		"[::1":            "has no ]",
		"[::1]8080":       "there must be :port",
		"169.254.169.254": "never called",
		"169.254.0.0/16":  "never called",
		"[fe80::/10]:80":  "never called",
		"224.0.0.0/8":     "never called",
	} {
		if _, err := ParseRules([]string{"loopback", text}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestControl(t *testing.T) {
	t.Parallel()
	p := &Policy{Allow: rules(t, "loopback")}
	if err := p.Control("tcp4", "127.0.0.1:80", nil); err != nil {
		t.Error(err)
	}
	for network, address := range map[string]string{"unix": "/run/x", "udp4": "127.0.0.1:53", "tcp4": "nonsense", "tcp6": "[fe80::1%lo]:80"} {
		if err := p.Control(network, address, nil); err == nil {
			t.Errorf("%s %s is permitted", network, address)
		}
	}
}
