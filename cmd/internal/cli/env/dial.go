package env

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/socket"
	"github.com/seed42aab489/belfry/coordclient/zk"
	"github.com/seed42aab489/belfry/plugin/control/failure"
)

const (
	// connectTime bounds how long ZooKeeper may take to give a session.
	connectTime = 10 * time.Second
	// patience is how long it may take before each server is asked for what is
	// wrong; probeTime bounds that.
	patience  = 500 * time.Millisecond
	probeTime = 3 * time.Second
)

// port is a connection to a group.
type port interface {
	coordclient.KV
	coordclient.Members
	coordclient.Caller
	coordclient.Session
	Close() error
}

func (t Target) dial(ctx context.Context) (port, error) {
	if t.Socket == "" {
		return t.zookeeper(ctx)
	}
	port, err := socket.Dial(ctx, t.Socket, socket.DialOptions{})
	if err != nil {
		return nil, t.silent(err)
	}
	return port, nil
}

// silent says that no host answers. What the port says of it is for programs
// that hold a connection; a person needs the place, the reason and the next step.
func (t Target) silent(err error) error {
	reason := err
	var dial *net.OpError
	if errors.As(err, &dial) {
		reason = dial.Err
	}
	return &failure.Error{
		Code: failure.CodeUnavailable, Message: fmt.Sprintf("no host answers at %s%s: %v", t, t.by(), reason), Err: reason,
		Hint: "is belfryd running? start it, or name its socket with --connect unix://PATH or " + ConnectVariable,
	}
}

// by tells who named the target, unless that is plain.
func (t Target) by() string {
	if t.Origin == DefaultOrigin || t.Origin == "--connect" {
		return ""
	}
	return " (" + t.Origin + ")"
}

// errAllFail: there is no use in waiting for any server.
var errAllFail = errors.New("no server answers")

// zookeeper opens a session. It gives up early when no server can be reached.
func (t Target) zookeeper(parent context.Context) (port, error) {
	options, err := t.options()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(parent, connectTime)
	defer cancel()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var (
		faults  []string
		probing sync.WaitGroup
	)
	probing.Go(func() { // ends with ctx, at the latest
		select {
		case <-time.After(patience):
		case <-ctx.Done():
			return
		}
		var all bool
		if faults, all = probe(ctx, t.Servers); all {
			stop(errAllFail)
		}
	})
	client, err := zk.Dial(ctx, options)
	if err == nil {
		stop(nil)
		probing.Wait()
		return client, nil
	}
	over := context.Cause(ctx)
	stop(nil)
	probing.Wait()
	if parent.Err() != nil && errors.Is(parent.Err(), context.Canceled) {
		return nil, parent.Err()
	}
	return nil, t.unreachable(err, over, faults)
}

// unreachable says of each server what is wrong with it.
func (t Target) unreachable(err, over error, faults []string) error {
	e := &failure.Error{
		Code: failure.CodeUnavailable, Message: fmt.Sprintf("ZooKeeper gives no session at %s%s", t, t.by()), Err: err,
		Hint: "is ZooKeeper running, and are these its servers? name others with --connect zk://HOST:PORT,HOST:PORT/ROOT, --coordination FILE or --context NAME",
	}
	switch {
	case errors.Is(err, coordclient.ErrUnauthorised):
		e.Code, e.Message = failure.CodeUnauthorised, fmt.Sprintf("ZooKeeper at %s%s lets nobody in without the right credentials: %v", t, t.by(), err)
		e.Hint = "give the hosts' user and password, and a certificate if the servers want one, with --context NAME (see belfry context add --help) or " +
			accessVariables + "USER, PASSWORD_FILE, TLS, CA_FILE, CERT_FILE and KEY_FILE"
		return e
	case errors.Is(err, coordclient.ErrNoRoot):
		e.Message = fmt.Sprintf("there is no cluster at %s%s", t, t.by())
		e.Hint = "is its root spelt so? it is zookeeper.root of the hosts (default /belfry); a new cluster is made by the first host that starts"
		return e
	case certificates(err):
		e.Hint = "the servers' certificates must be signed by an authority of " + accessVariables + "CA_FILE (belfry context add NAME --ca-file FILE), " +
			"not be over, and name the host that is dialled"
	case over == nil:
		e.Message += ": " + err.Error() // it was refused, not late
		return e
	}
	for i, fault := range t.told(err, faults) {
		if fault == "" {
			fault = "accepts connections, but gives no session: has the ensemble a quorum?"
		}
		e.Message += "\n  " + t.Servers[i] + "  " + fault
	}
	e.Err = over // what else err says has been told of each server
	return e
}

// certificates tells whether it was with every server a certificate.
func certificates(err error) bool {
	refused, ok := errors.AsType[*zk.NoSessionError](err)
	return ok && refused.Certificate
}

// told adds to what a probe found out what the session did.
func (t Target) told(err error, faults []string) []string {
	told := make([]string, len(t.Servers))
	copy(told, faults)
	refused, ok := errors.AsType[*zk.NoSessionError](err)
	if !ok {
		return told
	}
	for i, server := range t.Servers {
		for _, f := range refused.Faults {
			// That there was no answer in time is said better below.
			if f.Server == server && f.Err != nil && told[i] == "" && !errors.Is(f.Err, os.ErrDeadlineExceeded) {
				told[i] = f.Err.Error()
			}
		}
	}
	return told
}

// probe asks each server for a connection, and tells what is wrong; empty:
// nothing is. And whether something is wrong with all.
func probe(ctx context.Context, servers []string) (faults []string, all bool) {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	faults = make([]string, len(servers))
	var probes sync.WaitGroup
	for i, server := range servers {
		probes.Go(func() { // ends with ctx, at the latest
			conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", server)
			if err != nil {
				faults[i] = plainly(err)
				return
			}
			conn.Close()
		})
	}
	probes.Wait()
	all = true
	for _, fault := range faults {
		all = all && fault != ""
	}
	return faults, all
}

// plainly leaves out of a dialling error what the reader knows.
func plainly(err error) string {
	var lookup *net.DNSError
	if errors.As(err, &lookup) {
		return "no such host"
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return "no answer"
	}
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	if text := err.Error(); strings.HasPrefix(text, "connect: ") {
		return strings.TrimPrefix(text, "connect: ")
	}
	return err.Error()
}
