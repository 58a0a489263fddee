package app

import (
	"crypto/x509"
	"net"
	"testing"
)

// Where a host says that it takes replies, by how it listens and what its
// certificate is for.
func TestReplyBase(t *testing.T) {
	t.Parallel()
	named := &x509.Certificate{DNSNames: []string{"north.example.org", "north"}}
	numbered := &x509.Certificate{IPAddresses: []net.IP{net.ParseIP("10.1.2.3"), net.ParseIP("127.0.0.1")}}
	other := &x509.Certificate{DNSNames: []string{"tasks.example.org"}}
	for _, c := range []struct {
		plain, secure string
		leaf          *x509.Certificate
		want          string
	}{
		{"10.1.2.3:8280", "", nil, "http://10.1.2.3:8280"},
		{"0.0.0.0:8280", "", nil, "http://north:8280"},
		{"127.0.0.1:8280", "", nil, "http://127.0.0.1:8280"},
		{"10.1.2.3:8280", "10.1.2.3:8243", numbered, "http://10.1.2.3:8280"},
		{"127.0.0.1:8280", "127.0.0.1:8243", numbered, "http://127.0.0.1:8280"},
		{"127.0.0.1:8280", "0.0.0.0:8243", named, "https://north:8243"},
		{"127.0.0.1:8280", "10.1.2.3:8243", numbered, "https://10.1.2.3:8243"},
		{"127.0.0.1:8280", "0.0.0.0:8243", other, "http://127.0.0.1:8280"},
		{"", "[::]:8243", named, "https://north:8243"},
		{"", "10.1.2.3:8243", numbered, "https://10.1.2.3:8243"},
		{"", "10.1.2.3:8243", named, "https://north:8243"},
		{"", "0.0.0.0:8243", other, ""},
		{"", "0.0.0.0:8243", nil, ""},
		{"", "", nil, ""},
	} {
		if got := replyBase("north", c.plain, c.secure, c.leaf); got != c.want {
			t.Errorf("%q, %q, %v: %q, want %q", c.plain, c.secure, c.leaf, got, c.want)
		}
	}
}
