//go:build e2e && bench

package e2e

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/coordclient/zk/zktest"
	"github.com/seed42aab489/belfry/plugin/task"
)

// What three hosts ask of ZooKeeper when nothing fires, and when each second ten
// tasks do: requests, and numbered writes, of which one leader has 2^32.
func TestBenchClusterIdle(t *testing.T) {
	machine(t)
	r := newRig(t, "512m", 256, nil)
	second := func(int) task.TriggerInfo { return task.TriggerInfo{Interval: task.Duration(time.Second), Count: -1} }
	tasks := 0
	for _, c := range []struct {
		more, firings int
		when          func(int) task.TriggerInfo
	}{{1, 0, far}, {999, 0, far}, {10, 10, second}} {
		r.create(t, tasks, tasks+c.more, c.when)
		tasks += c.more
		during(t, 20*time.Second)
		const lasts = 60 * time.Second
		begun, before, from := time.Now(), r.requests(t), r.zxid(t)
		during(t, lasts)
		took := time.Since(begun)
		requests, writes := float64(r.requests(t)-before)/took.Seconds(), float64(r.zxid(t)-from)/took.Hours()
		t.Logf("%d tasks, %d firings/s: %.1f requests/s at all servers, %.0f writes/h: a leader's numbers last %.0f years",
			tasks, c.firings, requests, writes, (1<<32)/writes/24/365)
	}
	machine(t)
}

// requests is how many all servers were sent by clients.
func (r *rig) requests(t *testing.T) int {
	t.Helper()
	all := 0
	for _, s := range r.zk {
		text := fourLetter(t, s, "mntr", "zk_packets_received\t")
		n, err := strconv.Atoi(strings.Fields(text)[0])
		if err != nil {
			t.Fatal(err)
		}
		all += n
	}
	return all
}

// zxid is the number of the last write.
func (r *rig) zxid(t *testing.T) int64 {
	t.Helper()
	var id int64
	text := fourLetter(t, r.zk.Leader(t), "srvr", "Zxid: ")
	if _, err := fmt.Sscanf(text, "0x%x", &id); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return id
}

// fourLetter gives what follows a text in the answer to a four-letter command, which a
// busy machine may take a while for.
func fourLetter(t *testing.T, s *zktest.Server, word, before string) string {
	t.Helper()
	answer := ""
	eventually(t, time.Minute, word+" is answered", func() bool {
		text, err := s.Ask(word)
		_, rest, found := strings.Cut(text, before)
		answer = rest
		return err == nil && found
	})
	return answer
}
