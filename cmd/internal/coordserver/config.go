package coordserver

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// What is generated, in ticks where it is a time.
const (
	// MinSession and MaxSession bound what hosts may ask for as SessionTimeout.
	MinSession = 8
	MaxSession = 60

	initLimit = 30
	syncLimit = MinSession / 2
)

// configuration gives zoo.cfg.
func (o Options) configuration() (string, error) {
	client, err := o.client()
	if err != nil {
		return "", err
	}
	tick := o.Tick / time.Millisecond
	var b strings.Builder
	line := func(key string, value any) { fmt.Fprintf(&b, "%s=%v\n", key, value) }
	b.WriteString("# Written by belfryd coordination-server at each start: edits are lost.\n")
	line("tickTime", int64(tick))
	line("initLimit", initLimit)
	line("syncLimit", syncLimit)
	line("minSessionTimeout", int64(tick*MinSession))
	line("maxSessionTimeout", int64(tick*MaxSession))
	// A backslash begins an escape in Java's properties.
	line("dataDir", strings.ReplaceAll(filepath.Join(o.Data, "data"), `\`, `\\`))
	if client.IP != nil {
		line("clientPortAddress", client.IP)
	}
	line("clientPort", client.Port)
	line("maxClientCnxns", 1000)
	line("forceSync", "yes")
	line("snapSizeLimitInKb", 256<<10)
	line("autopurge.snapRetainCount", 5)
	line("autopurge.purgeInterval", 1) // hours
	line("4lw.commands.whitelist", "srvr,ruok,mntr")
	line("admin.enableServer", false)
	for i, m := range o.Members {
		line("server."+strconv.Itoa(i+1), m)
	}
	return b.String(), nil
}

// write puts zoo.cfg and myid where the server reads them, and gives the name of
// the former.
func (o Options) write() (string, error) {
	text, err := o.configuration()
	if err != nil {
		return "", err
	}
	data := filepath.Join(o.Data, "data")
	if err := os.MkdirAll(data, 0o700); err != nil {
		return "", fmt.Errorf("data folder: %w", err)
	}
	if err := o.identify(filepath.Join(data, "myid")); err != nil {
		return "", err
	}
	name := filepath.Join(o.Data, "zoo.cfg")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		return "", fmt.Errorf("configuration: %w", err)
	}
	return name, nil
}

// identify writes who this data belongs to, and refuses another's: two servers
// with one history would acknowledge what the other never saw.
func (o Options) identify(name string) error {
	mine := strconv.Itoa(o.ID)
	text, err := os.ReadFile(name)
	switch {
	case os.IsNotExist(err):
		if err := os.WriteFile(name, []byte(mine+"\n"), 0o600); err != nil {
			return fmt.Errorf("data folder: %w", err)
		}
		return nil
	case err != nil:
		return fmt.Errorf("data folder: %w", err)
	}
	if was := strings.TrimSpace(string(text)); was != mine {
		return fmt.Errorf("%s: the data is that of server %s, not of %s (0 stands alone): give the right --id or another --data", name, was, mine)
	}
	return nil
}
