package app

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/cmd/internal/conf"
	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/local"
	"github.com/seed42aab489/belfry/coordclient/zk"
	"github.com/seed42aab489/belfry/plugin"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/place"
)

// coordination is how this host joins its group: alone, on the embedded store,
// or with others, through ZooKeeper.
type coordination struct {
	app     *App
	alone   bool
	servers int           // task.server.count
	timeout time.Duration // of a session
	cluster coordclient.Config
	now     func() time.Time // the wall clock

	resolver place.Resolver

	mu      sync.Mutex
	ailing  string                 // guarded by mu; why nothing can be claimed here; empty: it can
	present plugin.Port            // guarded by mu
	former  []coordclient.MemberID // guarded by mu; this process's earlier incarnations, at most maxFormer
	tried   bool                   // guarded by mu; it was tried to join before
}

// coordination reads how to join. It refuses what contradicts itself.
func (a *App) coordination(now func() time.Time) (*coordination, error) {
	c := a.o.Loaded.Config
	if err := a.namedThere("conf", c.Conf); err != nil {
		return nil, err
	}
	if err := a.namedThere("coordination", c.Coordination); err != nil {
		return nil, err
	}
	config, err := coordclient.LoadConfig(c.Coordination)
	if err != nil {
		return nil, err
	}
	if config.Enabled && config.SessionTimeout < coordclient.MinSessionTimeout {
		return nil, fmt.Errorf("%s: SessionTimeout is %s, want %s at least; a number without a unit counts milliseconds", c.Coordination, config.SessionTimeout, coordclient.MinSessionTimeout)
	}
	j := &coordination{app: a, alone: !config.Enabled, servers: c.TaskServerCount, timeout: config.SessionTimeout, cluster: config, now: now}
	for _, w := range a.o.Loaded.Warnings {
		a.log.Warn(w)
	}
	if j.resolver, err = resolver(c.Tasks); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(c.Conf, conf.TasksFile), err)
	}
	switch mode := c.Tasks.Mode; {
	case mode == "CLUSTERED" && j.alone:
		return nil, fmt.Errorf("%s: taskServerMode is CLUSTERED, but coordination is not enabled in %s", filepath.Join(c.Conf, conf.TasksFile), c.Coordination)
	case mode == "STANDALONE" && !j.alone:
		a.log.Warn("taskServerMode is STANDALONE: this host runs alone, though coordination is enabled", "coordination", c.Coordination)
		j.alone = true
	}
	if j.alone {
		j.servers, j.timeout = 1, 0
		warning, err := conf.CheckServerCount(c.TaskServerCount, a.o.Loaded.Origins["task_server_count"])
		if err != nil {
			return nil, err
		}
		if warning != "" {
			a.log.Warn(warning)
		}
	}
	return j, nil
}

// namedThere refuses a path that somebody has named and that is not there: to do
// without the file that says so, a host would go its own way beside the cluster
// that it was meant to join.
func (a *App) namedThere(key, path string) error {
	origin := a.o.Loaded.Origins[key]
	switch origin.Source {
	case conf.FromFlag, conf.FromEnv, conf.FromFile:
	default:
		return nil
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %s does not exist (%s): make it, or leave the setting out for a host that is alone", key, path, origin)
	}
	return nil
}

// resolver is the default TaskLocationResolver of tasks-config.xml.
func resolver(t conf.TasksConfig) (place.Resolver, error) {
	if t.Resolver == nil {
		return place.RoundRobin{}, nil
	}
	var properties []place.Property
	for _, p := range t.Resolver.Properties {
		properties = append(properties, place.Property{Name: p.Name, Value: p.Value})
	}
	return place.Standard().Resolver(t.Resolver.Class, properties)
}

// join joins the group as a new incarnation.
func (j *coordination) join(ctx context.Context) (plugin.Port, error) {
	var port plugin.Port
	var err error
	if j.alone {
		port, err = j.embedded(ctx)
	} else {
		port, err = j.zookeeper(ctx)
	}
	if err != nil {
		return nil, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.present = port
	j.former = append(j.former, port.ID())
	j.former = j.former[max(0, len(j.former)-maxFormer):]
	return port, nil
}

// wait is for how long the first join is tried again while nobody answers.
func (j *coordination) wait() time.Duration {
	if j.alone {
		return 0
	}
	return j.app.o.Loaded.Config.ZooKeeper.Wait
}

// waiting tells that ZooKeeper does not answer yet; false: it never will. systemd
// is asked for the time of another attempt.
func (j *coordination) waiting(err error, left time.Duration) bool {
	var refused *zk.NoSessionError
	if errors.As(err, &refused) && refused.Certificate {
		return false
	}
	j.app.log.Warn("waiting for ZooKeeper (zookeeper.wait)", "ensemble", j.where(), "left", left.Round(100*time.Millisecond), "err", err)
	j.app.notify(fmt.Sprintf("STATUS=waiting for ZooKeeper\nEXTEND_TIMEOUT_USEC=%d", (startMargin + 2*j.timeout).Microseconds()))
	return true
}

// startMargin is what a start may take beside waiting for ZooKeeper.
const startMargin = time.Minute

// embedded opens the embedded store. It is opened once: after it failed, only a
// restart can read what is on disk.
func (j *coordination) embedded(ctx context.Context) (plugin.Port, error) {
	c := j.app.o.Loaded.Config
	if j.again() {
		err := errors.New("the embedded store failed: restart, and look at the disk")
		select {
		case j.app.fatal <- err:
		default:
		}
		return nil, err
	}
	return local.Open(ctx, local.Options{
		Path: j.store(), Node: c.Node, Logger: j.app.log.With("component", "store"), Value: j.presentation(),
	})
}

// again tells whether it was tried to join before.
func (j *coordination) again() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	again := j.tried
	j.tried = true
	return again
}

// zookeeper joins the cluster.
func (j *coordination) zookeeper(ctx context.Context) (plugin.Port, error) {
	c := j.app.o.Loaded.Config
	secure, err := secureZooKeeper(c.ZooKeeper)
	if err != nil {
		return nil, err
	}
	if !j.again() { // else whoever tries again says how it goes
		j.app.log.Info("joining", "cluster", j.where(), "session_timeout", j.timeout)
	}
	return zk.Join(ctx, zk.Options{
		Servers: j.ensemble(), Root: c.ZooKeeper.Root, SessionTimeout: j.timeout, Node: c.Node, Value: j.presentation(),
		TLS: secure, Digest: zk.Digest{User: c.ZooKeeper.User, Password: c.ZooKeeper.Password.Reveal()},
		Now: j.now, Logger: j.app.log.With("component", "zookeeper"),
	})
}

// secureZooKeeper reads the certificates, anew at each join, so that renewed ones
// count. Nil: no TLS.
func secureZooKeeper(z conf.ZooKeeper) (*tls.Config, error) {
	if !z.TLS {
		return nil, nil
	}
	return clientTLS("zookeeper", z.CAFile, z.CertFile, z.KeyFile)
}

// ail tells the group that this host can claim nothing, or with "" that it can
// again.
func (j *coordination) ail(ctx context.Context, reason string) {
	j.mu.Lock()
	j.ailing = reason
	port, ok := j.present.(interface {
		Publish(ctx context.Context, value []byte) error
	})
	j.mu.Unlock()
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, ailTime)
	defer cancel()
	if err := port.Publish(ctx, j.presentation()); err != nil {
		j.app.log.Debug("the group was not told how this host is", "err", err)
	}
}

// ailTime bounds the attempt to tell the group how this host is.
const ailTime = 5 * time.Second

// presentation is what the member publishes of itself.
func (j *coordination) presentation() []byte {
	j.mu.Lock()
	former, ailing := slices.Clone(j.former), j.ailing
	j.mu.Unlock()
	state := ""
	if ailing != "" {
		state = string(contract.NodeAiling)
	}
	text, err := json.Marshal(contract.NodeInfo{
		Version: j.app.o.Version, State: state, Reason: ailing, Address: j.app.Addr(), Cluster: j.where(),
		Replies: cmp.Or(j.app.repliesNow(), contract.NoReplies), Formerly: former,
	})
	if err != nil {
		panic(fmt.Sprintf("a few strings do not encode: %v", err))
	}
	return text
}

// where is the cluster's address, as the companion's --connect takes it; empty
// alone.
func (j *coordination) where() string {
	if j.alone {
		return ""
	}
	return "zk://" + strings.Join(j.ensemble(), ",") + j.app.o.Loaded.Config.ZooKeeper.Root
}

// named says for people where the state is.
func (j *coordination) named() string {
	if j.alone {
		return "alone, in " + j.store()
	}
	return j.where()
}

// store is the file of the embedded store.
func (j *coordination) store() string { return filepath.Join(j.app.o.Loaded.Config.Data, "belfry.db") }

// ensemble lists the servers as host:port.
func (j *coordination) ensemble() []string {
	var servers []string
	for _, s := range j.cluster.Servers {
		servers = append(servers, s.String())
	}
	return servers
}

// maxFormer bounds the earlier incarnations that a member tells of.
const maxFormer = 8

// formerly lists the incarnations that a member's process had before.
func formerly(m coordclient.Member) []coordclient.MemberID {
	var info contract.NodeInfo
	if json.Unmarshal(m.Value, &info) != nil {
		return nil
	}
	return info.Formerly
}

// describe tells what placement knows of a member: the address by which rules
// name it.
func describe(m coordclient.Member) place.Member {
	var info contract.NodeInfo
	if json.Unmarshal(m.Value, &info) != nil {
		return place.Member{}
	}
	host, _, err := net.SplitHostPort(info.Address)
	if err != nil {
		host = info.Address
	}
	return place.Member{Addresses: []string{m.ID.Node(), host}}
}
