package zk

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"

	"github.com/go-zookeeper/zk"

	"github.com/seed42aab489/belfry/coordclient"
)

// ErrReadable says that credentials are given, and that the ensemble shows what
// they should protect to somebody without any: it does not look at ACLs
// (skipACL), or the root was made before there were credentials.
var ErrReadable = errors.New("anybody can read what is below the root")

// checkPrivate looks at the root with the eyes of a stranger, if it is meant to
// be private.
func (c *Client) checkPrivate(ctx context.Context) error {
	if !c.o.private() {
		return nil
	}
	o := c.o
	o.Digest, o.ACL = Digest{}, nil
	if o.TLS != nil {
		o.TLS = o.TLS.Clone()
		o.TLS.Certificates, o.TLS.GetClientCertificate = nil, nil
	}
	stranger, err := connect(o)
	if err != nil {
		return err
	}
	defer func() { _ = stranger.Close() }()
	// Not for long: no heartbeat keeps this session yet.
	wait, cancel := context.WithTimeout(ctx, c.health.t()/4)
	defer cancel()
	if err := stranger.wait(wait); err != nil {
		if proves(c.o.TLS) && c.usable() == nil {
			return nil // the servers do not even let in who has no certificate
		}
		return fmt.Errorf("check that the root is private: %w", err)
	}
	for _, path := range append(c.paths.top(), c.paths.root) {
		_, rerr := stranger.value(ctx, path)
		_, lerr := stranger.children(ctx, path)
		for _, err := range []error{rerr, lerr} {
			switch {
			case err == nil:
				return fmt.Errorf("%w: %s: give it an ACL or take another root", ErrReadable, path)
			case !errors.Is(err, zk.ErrNoAuth):
				return fmt.Errorf("%w: check that the root is private: %w", coordclient.ErrUnavailable, err)
			}
		}
	}
	return nil
}

// proves tells whether a certificate is shown to the servers.
func proves(config *tls.Config) bool {
	return config != nil && (len(config.Certificates) > 0 || config.GetClientCertificate != nil)
}
