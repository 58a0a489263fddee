package zktest

import (
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Ensemble is servers that replicate.
type Ensemble []*Server

// Addresses of all.
func (e Ensemble) Addresses() []string {
	var all []string
	for _, s := range e {
		all = append(all, s.Address)
	}
	return all
}

// At gives the server with that address for clients, nil if there is none.
func (e Ensemble) At(address string) *Server {
	for _, s := range e {
		if s.Address == address {
			return s
		}
	}
	return nil
}

// Leader gives the server that leads, and waits for there to be one.
func (e Ensemble) Leader(tb testing.TB) *Server {
	tb.Helper()
	return e.find(tb, "leader")
}

// Follower gives a server that follows.
func (e Ensemble) Follower(tb testing.TB) *Server {
	tb.Helper()
	return e.find(tb, "follower")
}

// Whole waits until one leads and all others follow it, up to date.
func (e Ensemble) Whole(tb testing.TB) {
	tb.Helper()
	deadline := time.Now().Add(startTime)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for time.Now().Before(deadline) {
		leaders, synced := 0, ""
		for _, s := range e {
			is, err := s.Mode()
			if err == nil && is == "standalone" {
				return
			}
			if err == nil && is == "leader" {
				leaders, synced = leaders+1, s.Metrics(tb)["zk_synced_followers"]
			}
		}
		if leaders == 1 && synced == strconv.Itoa(len(e)-1) {
			return
		}
		<-tick.C
	}
	tb.Fatalf("the ensemble is not whole within %s", startTime)
}

func (e Ensemble) find(tb testing.TB, mode string) *Server {
	tb.Helper()
	deadline := time.Now().Add(startTime)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for time.Now().Before(deadline) {
		for _, s := range e {
			if is, err := s.Mode(); err == nil && is == mode {
				return s
			}
		}
		<-tick.C
	}
	tb.Fatalf("no %s within %s", mode, startTime)
	return nil
}

func (e Ensemble) startAll(tb testing.TB) error {
	tb.Helper()
	for i, s := range e {
		if err := s.run(); err != nil {
			return err
		}
		tb.Cleanup(func() {
			s.stop()
			if tail := s.log.tail(); tb.Failed() && tail != "" {
				tb.Logf("ZooKeeper %d (%s) said:\n%s", i+1, s.Address, tail)
			}
		})
	}
	for _, s := range e {
		if err := s.await(); err != nil {
			return err
		}
	}
	return nil
}

// wordTime bounds one four-letter command.
const wordTime = 2 * time.Second

// Ask sends a four-letter command and gives the answer as it is.
func (s *Server) Ask(word string) (string, error) {
	conn, err := net.DialTimeout("tcp", s.Address, wordTime)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(wordTime)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(conn, word); err != nil {
		return "", err
	}
	text, err := io.ReadAll(conn)
	return string(text), err
}

// Mode is "standalone", "leader" or "follower"; an error while it does not
// serve.
func (s *Server) Mode() (string, error) {
	text, err := s.Ask("srvr")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(text) {
		if mode, ok := strings.CutPrefix(line, "Mode: "); ok {
			return strings.TrimSpace(mode), nil
		}
	}
	return "", fmt.Errorf("srvr: %s", strings.TrimSpace(text))
}

// Metrics is what mntr answers, by name.
func (s *Server) Metrics(tb testing.TB) map[string]string {
	tb.Helper()
	text, err := s.Ask("mntr")
	if err != nil {
		tb.Fatalf("mntr of %s: %v", s.Address, err)
	}
	metrics := make(map[string]string)
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			metrics[name] = value
		}
	}
	return metrics
}
