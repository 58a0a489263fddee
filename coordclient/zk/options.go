package zk

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/seed42aab489/belfry/coordclient"
)

// DefaultRoot is the znode under which everything is, unless Options say
// otherwise.
const DefaultRoot = "/belfry"

// Options say which ensemble, and how to speak with it.
type Options struct {
	// Servers of the ensemble, each "host", "host:port" or "[address]:port". At
	// least one. A name is looked up at each dial.
	Servers []string
	// Root is the znode under which everything is. Empty: DefaultRoot. It is
	// made if missing.
	Root string
	// Existing: Dial makes nothing; a root that is not there is
	// coordclient.ErrNoRoot.
	Existing bool
	// SessionTimeout to ask for, T; the servers may bound it. 0:
	// coordclient.DefaultSessionTimeout. At least 100 ms.
	SessionTimeout time.Duration
	// Node is the name of the member that Join makes, which survives restarts.
	// Required there, without a slash; Dial has no use for it.
	Node string
	// Value is what the member publishes of itself at first; see Publish.
	Value []byte
	// TLS to the servers. Nil: none. ServerName is taken from the address if it
	// is empty.
	TLS *tls.Config
	// Digest proves who speaks, to servers that keep ACLs. The password crosses
	// the wire as it is: use TLS. The zero value: nobody.
	Digest Digest
	// ACL are those who may do everything with what is created. Empty: the user
	// of Digest, or without one everybody.
	ACL []Identity
	// Logger for what no caller is told. Nil: nothing is logged.
	Logger *slog.Logger
	// Now is this machine's wall clock, to be compared with ZooKeeper's; see
	// Skew. Nil: time.Now.
	Now func() time.Time
}

// Digest is a user of ZooKeeper's digest scheme.
type Digest struct{ User, Password string }

// LogValue hides the password.
func (d Digest) LogValue() slog.Value { return slog.StringValue(d.String()) }

// String hides the password.
func (d Digest) String() string {
	if d == (Digest{}) {
		return ""
	}
	return d.User + ":***"
}

// GoString hides the password.
func (d Digest) GoString() string { return d.String() }

// Identity is who ZooKeeper takes somebody for: scheme "x509" with the subject
// of a certificate, "digest" with "user:base64(sha1(user:password))", and more.
type Identity struct{ Scheme, ID string }

// withDefaults checks the options and fills what is empty.
func (o Options) withDefaults(join bool) (Options, error) {
	if len(o.Servers) == 0 {
		return o, errors.New("no ZooKeeper server is given")
	}
	if len(o.Servers) > coordclient.MaxServers {
		return o, fmt.Errorf("%d ZooKeeper servers: the limit is %d", len(o.Servers), coordclient.MaxServers)
	}
	o.Servers = slices.Clone(o.Servers)
	for i, s := range o.Servers {
		var err error
		if o.Servers[i], err = address(s); err != nil {
			return o, err
		}
	}
	if o.Root == "" {
		o.Root = DefaultRoot
	}
	if err := coordclient.CheckKey(o.Root); err != nil {
		return o, fmt.Errorf("root: %w", err)
	}
	if o.Root == "/zookeeper" || strings.HasPrefix(o.Root, "/zookeeper/") {
		return o, fmt.Errorf("root %s: it is ZooKeeper's own", o.Root)
	}
	if o.SessionTimeout == 0 {
		o.SessionTimeout = coordclient.DefaultSessionTimeout
	}
	if o.SessionTimeout < coordclient.MinSessionTimeout || o.SessionTimeout > coordclient.MaxSessionTimeout {
		return o, fmt.Errorf("session timeout %s: want %s to %s", o.SessionTimeout, coordclient.MinSessionTimeout, coordclient.MaxSessionTimeout)
	}
	if join && (o.Node == "" || strings.ContainsAny(o.Node, "/") || len(o.Node) > 200) {
		return o, fmt.Errorf("node %q: want 1 to 200 bytes without a slash", o.Node)
	}
	if len(o.Value) > coordclient.MaxValue {
		return o, fmt.Errorf("value of %d bytes: %w", len(o.Value), coordclient.ErrTooLarge)
	}
	if strings.Contains(o.Digest.User, ":") || (o.Digest.User == "") != (o.Digest.Password == "") {
		return o, errors.New("digest: want a user without a colon and a password")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o, nil
}

// address completes a server's address.
func address(server string) (string, error) {
	host, port, err := net.SplitHostPort(server)
	if err != nil {
		host, port = strings.Trim(server, "[]"), strconv.Itoa(coordclient.DefaultPort)
	}
	n, err := strconv.Atoi(port)
	if err != nil || n < 1 || n > math.MaxUint16 || host == "" || strings.ContainsAny(host, ", /[]") {
		return "", fmt.Errorf("ZooKeeper server %q: want host, host:port or [address]:port", server)
	}
	return net.JoinHostPort(host, port), nil
}

// private tells whether what is created is not for everybody.
func (o Options) private() bool { return len(o.ACL) > 0 || o.Digest != (Digest{}) }

// acl is for everything that is created.
func (o Options) acl() []zk.ACL {
	if !o.private() {
		return zk.WorldACL(zk.PermAll)
	}
	var acl []zk.ACL
	for _, who := range o.ACL {
		acl = append(acl, zk.ACL{Perms: zk.PermAll, Scheme: who.Scheme, ID: who.ID})
	}
	if len(acl) == 0 {
		acl = zk.DigestACL(zk.PermAll, o.Digest.User, o.Digest.Password)
	}
	return acl
}
