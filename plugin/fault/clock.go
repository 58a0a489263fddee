//go:build faultinject

package fault

import (
	"os"
	"strings"
	"sync"
	"time"
)

// readClock is how often the file of the clock is looked at.
const readClock = 50 * time.Millisecond

// Clock gives the wall clock of the host: now, and what the file says.
func (p Plan) Clock(now func() time.Time) func() time.Time {
	path := os.Getenv(envClock)
	if p.state == nil || path == "" {
		return now
	}
	c := &clock{path: path, plan: p.state}
	return func() time.Time { return now().Add(c.off()) }
}

type clock struct {
	path string
	plan *state

	mu    sync.Mutex
	at    time.Time     // guarded by mu; when the file was read
	ahead time.Duration // guarded by mu
}

// off is by how much the clock is ahead; a file that cannot be read changes
// nothing.
func (c *clock) off() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.at) < readClock {
		return c.ahead
	}
	c.at = time.Now()
	text, err := os.ReadFile(c.path)
	if err != nil {
		return c.ahead
	}
	if d, err := time.ParseDuration(strings.TrimSpace(string(text))); err == nil && d != c.ahead {
		c.plan.log.Warn("clock set on purpose", "ahead", d, "was", c.ahead)
		c.ahead = d
	}
	return c.ahead
}
