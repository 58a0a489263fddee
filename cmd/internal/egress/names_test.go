package egress

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// nameServer answers for names as it is told: the nth question about a name with
// its nth list of addresses, and then with the last.
type nameServer struct {
	mu      sync.Mutex
	answers map[string][][]string // by name with its dot; guarded by mu
}

// resolver gives one that asks nobody else.
func (n *nameServer) resolver(t *testing.T) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go n.serve(conn) // ends when conn is closed
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp4", conn.LocalAddr().String())
	}}
}

func (n *nameServer) serve(conn net.PacketConn) {
	buffer := make([]byte, 512)
	for {
		size, from, err := conn.ReadFrom(buffer)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(buffer[:size]) != nil || len(m.Questions) != 1 {
			continue
		}
		q := m.Questions[0]
		m.Response, m.Additionals = true, nil
		for _, text := range n.next(q) {
			a := netip.MustParseAddr(text)
			header := dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class}
			switch {
			case q.Type == dnsmessage.TypeA && a.Is4():
				m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: a.As4()}})
			case q.Type == dnsmessage.TypeAAAA && a.Is6():
				m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
			}
		}
		if answer, err := m.Pack(); err == nil {
			_, _ = conn.WriteTo(answer, from)
		}
	}
}

// next moves on with each question for IPv4, and so with each lookup.
func (n *nameServer) next(q dnsmessage.Question) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	name := strings.ToLower(q.Name.String())
	left := n.answers[name]
	if len(left) == 0 {
		return nil
	}
	if len(left) > 1 && q.Type == dnsmessage.TypeA {
		n.answers[name] = left[1:]
	}
	return left[0]
}

// A name is judged by each address that it leads to, whenever it is asked for.
func TestNames(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	names := &nameServer{answers: map[string][][]string{
		"loop.example.org.":   {{"127.0.0.2"}},
		"six.example.org.":    {{"::1"}},
		"mapped.example.org.": {{"::ffff:127.0.0.2"}},
		"nat.example.org.":    {{"64:ff9b::7f00:2"}},
		"meta.example.org.":   {{"169.254.169.254"}},
		"inner.example.org.":  {{"10.0.0.1", "192.168.0.1", "fd00::1"}},
		"here.example.org.":   {{"127.0.0.1"}},
		"both.example.org.":   {{"127.0.0.2", "127.0.0.1"}},
		"down.example.org.":   {{"127.0.0.2", "127.0.0.3"}},
		"rebind.example.org.": {{"127.0.0.1"}, {"127.0.0.2"}},
	}}
	p := &Policy{Allow: rules(t, "127.0.0.1", "127.0.0.3"), Resolver: names.resolver(t)}
	call := func(name string) error {
		client := p.Client(ClientOptions{Timeout: 20 * time.Second})
		defer client.CloseIdleConnections()
		_, err := get(t.Context(), client, "http://"+name+":"+port(t, s.URL)+"/")
		return err
	}
	for name, refuses := range map[string]bool{
		"loop.example.org": true, "LOOP.example.org.": true, "six.example.org": true, "mapped.example.org": true, "nat.example.org": true,
		"meta.example.org": true, "inner.example.org": true,
		"here.example.org": false, "both.example.org": false, "rebind.example.org": false,
	} {
		if err := call(name); refuses != refused(err) || !refuses && err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := call("rebind.example.org"); !refused(err) {
		t.Errorf("the name leads elsewhere now: %v", err)
	}
	// One address may be called and does not answer: that may change.
	if err := call("down.example.org"); err == nil || refused(err) {
		t.Errorf("down: %v", err)
	}
}
