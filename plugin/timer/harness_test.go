package timer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/plugin/invoke/web"
	"github.com/seed42aab489/belfry/plugin/task"
)

// bench is a host with a receiver and a resource, without sockets.
type bench struct {
	mu     sync.Mutex
	kicks  []Kick
	keys   []string
	at     []time.Time
	answer func(n int) (status int, header http.Header) // of the nth kick from 1; nil: 200
	etag   string
	body   string
	gets   int
	stored map[string][]byte
	rev    map[string]int64
	fail   error // of the memory
}

func newBench() *bench { return &bench{stored: map[string][]byte{}, rev: map[string]int64{}} }

// forbidden is the error of a receiver that may not be called.
type forbidden struct{}

func (forbidden) Error() string { return "may not be called" }

func (forbidden) Refused() bool { return true }

func (b *bench) Do(r *http.Request) (*http.Response, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.URL.Host == "forbidden.example.org" {
		return nil, forbidden{}
	}
	respond := func(status int, header http.Header, body string) (*http.Response, error) {
		if header == nil {
			header = http.Header{}
		}
		return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body))}, nil
	}
	if r.Method == http.MethodGet {
		b.gets++
		if b.etag != "" && r.Header.Get("If-None-Match") == b.etag {
			return respond(http.StatusNotModified, nil, "")
		}
		h := http.Header{}
		if b.etag != "" {
			h.Set("ETag", b.etag)
		}
		return respond(http.StatusOK, h, b.body)
	}
	var k Kick
	if err := json.NewDecoder(r.Body).Decode(&k); err != nil {
		return nil, err
	}
	b.kicks, b.keys, b.at = append(b.kicks, k), append(b.keys, r.Header.Get(web.HeaderKey)), append(b.at, time.Now())
	if b.answer == nil {
		return respond(http.StatusOK, nil, "")
	}
	status, header := b.answer(len(b.kicks))
	return respond(status, header, "")
}

func (b *bench) Recall(_ context.Context, uid string) ([]byte, int64, error) {
	data, ok := b.stored[uid]
	if !ok {
		return nil, -1, b.fail
	}
	return data, b.rev[uid], b.fail
}

func (b *bench) Remember(_ context.Context, uid string, data []byte, version int64) error {
	_, there := b.stored[uid]
	if b.fail != nil {
		return b.fail
	}
	if there && b.rev[uid] != version || !there && version != -1 {
		return ErrMoved
	}
	b.stored[uid] = bytes.Clone(data)
	b.rev[uid] = version + 1
	return nil
}

func (b *bench) CallOperation(_ context.Context, service, operation string) error {
	if operation == "broken" {
		panic("broken")
	}
	return nil
}

func (b *bench) RunCode(_ context.Context, name string, e Event) error {
	return Delayed(errors.New(name+" is not ready"), time.Minute)
}

func (b *bench) service(t *testing.T, config string) *Service {
	t.Helper()
	c, err := Parse("handlers.yaml", []byte(config))
	if err != nil {
		t.Fatal(err)
	}
	s := b.idle(c)
	s.Start()
	synctest.Wait()
	t.Cleanup(s.Stop)
	return s
}

func due1(name string, n int, do task.TimerEvent) task.Call {
	at := time.Now().UTC()
	return task.Call{
		Info:   task.Info{Key: task.Key{Name: name}.Normal(), UID: "7-" + name, Do: &task.Action{Timer: &do}},
		FireID: task.FireID(fmt.Sprintf("7-%s:%d", name, n)), Scheduled: at, Attempt: 1,
	}
}

const sample = `
handlers:
  - {events: start, handler: timer-service}
  - events: timer
    conditions: /event/_taskName =~ task1
    handler: timer-kicker
    receiver: http://receiver.example.org/kick
    resource: testFile
`
