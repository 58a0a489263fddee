package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/query"
	"github.com/seed42aab489/belfry/dataservice/result"
)

// patience bounds every wait for something that is to happen by itself.
const patience = 2 * time.Minute

// fakeRuntime answers each request with the description of its service, unless
// run says otherwise.
type fakeRuntime struct {
	service *dataservice.Service
	opener  *fakeOpener

	mu      sync.Mutex // guards the two below
	running int
	closed  bool
}

func (f *fakeRuntime) Run(ctx context.Context, r dataservice.Request, out result.Sink) (query.Outcome, error) {
	f.enter(1)
	defer f.enter(-1)
	if run := f.opener.run; run != nil {
		return run(ctx, f.service, r, out)
	}
	return query.Outcome{Rows: 1}, out.Leaf(result.Name{Local: "is"}, result.Value{Valid: true, Text: f.service.Description})
}

func (f *fakeRuntime) RunBox(_ context.Context, b dataservice.Box, out result.Sink) (query.Outcome, error) {
	f.enter(1)
	defer f.enter(-1)
	return query.Outcome{Rows: 1}, out.Leaf(result.Name{Local: "box"}, result.Value{Valid: true, Text: fmt.Sprint(len(b.Requests))})
}

func (*fakeRuntime) Unsupported() []dataservice.Unsupported { return nil }

func (f *fakeRuntime) enter(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running += n
	if f.closed {
		f.opener.t.Errorf("service %s runs after its sources were closed", f.service.Name)
	}
}

func (f *fakeRuntime) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.running > 0 && !f.opener.cut {
		f.opener.t.Errorf("the sources of %s are closed under %d requests", f.service.Name, f.running)
	}
	if f.closed {
		f.opener.t.Errorf("the sources of %s are closed twice", f.service.Name)
	}
	f.closed = true
	f.opener.closings <- f.service.Description
	return nil
}

// fakeOpener opens fake runtimes.
type fakeOpener struct {
	t        *testing.T
	run      func(context.Context, *dataservice.Service, dataservice.Request, result.Sink) (query.Outcome, error)
	cut      bool // requests may outlive their sources
	fail     func(*dataservice.Service) error
	closings chan string // descriptions of the services that were closed
}

func (o *fakeOpener) Open(_ context.Context, s *dataservice.Service, _ dataservice.Hook) (Runtime, error) {
	if o.fail != nil {
		if err := o.fail(s); err != nil {
			return nil, err
		}
	}
	return &fakeRuntime{service: s, opener: o}, nil
}

// fakeHook refuses services whose description holds "hookless".
type fakeHook struct {
	mu    sync.Mutex
	calls []string
}

func (k *fakeHook) Deploy(s *dataservice.Service) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if strings.Contains(s.Description, "hookless") {
		return errors.New("3:7: no such function")
	}
	k.calls = append(k.calls, "+"+s.Name)
	return nil
}

func (k *fakeHook) Undeploy(name string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.calls = append(k.calls, "-"+name)
}

func (*fakeHook) Observe(context.Context, dataservice.Observation) ([]byte, error) { return nil, nil }
func (*fakeHook) Accept(context.Context, [][]byte) error                           { return nil }

// fixture is a host on a folder of its own.
type fixture struct {
	*Host
	t       *testing.T
	dir     string
	opener  *fakeOpener
	log     *lines
	changes chan struct{} // has an element after Services() changed
}

// lines gathers what was logged.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func newFixture(t *testing.T, adjust ...func(*Options)) *fixture {
	t.Helper()
	f := &fixture{
		t: t, dir: t.TempDir(), log: &lines{}, changes: make(chan struct{}, 1),
		opener: &fakeOpener{t: t, closings: make(chan string, 1000)},
	}
	o := Options{
		Dir: f.dir, Opener: f.opener, Settle: 2 * time.Millisecond, Poll: 50 * time.Millisecond,
		Log: slog.New(slog.NewTextHandler(f.log, nil)),
	}
	for _, a := range adjust {
		a(&o)
	}
	h, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	h.OnChange(func() {
		select {
		case f.changes <- struct{}{}:
		default:
		}
	})
	f.Host = h
	return f
}

func (f *fixture) start() {
	f.t.Helper()
	if err := f.Start(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := f.Stop(ctx); err != nil {
			f.t.Error(err)
		}
	})
}

// steps gives a deployer that a test drives pass by pass, instead of start.
func (f *fixture) steps() *deployer {
	d := newDeployer(f.Host)
	d.first(f.t.Context())
	f.ready.Store(true)
	return d
}

// write puts a descriptor into the folder, in one step as careful editors do.
func (f *fixture) write(rel, text string) {
	f.t.Helper()
	name := filepath.Join(f.dir, filepath.FromSlash(rel))
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name+".tmp", []byte(text), 0o644), os.Rename(name+".tmp", name)); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) remove(rel string) {
	f.t.Helper()
	if err := os.RemoveAll(filepath.Join(f.dir, filepath.FromSlash(rel))); err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.t.Fatal(err)
	}
}

// until waits until the host's services are as said, in the form of told.
func (f *fixture) until(want string) {
	f.t.Helper()
	limit := time.After(patience)
	for {
		got := told(f.Services())
		if got == want {
			return
		}
		select {
		case <-f.changes:
		case <-limit:
			f.t.Fatalf("services are %q, want %q\n%s", got, want, f.log)
		}
	}
}

// now checks that the services are as said, in the form of told.
func (f *fixture) is(want string) {
	f.t.Helper()
	if got := told(f.Services()); got != want {
		f.t.Fatalf("services are %q, want %q\n%s", got, want, f.log)
	}
}

// told writes services in short: "name description/revision", "!" for one whose
// newest bytes are refused, "held", the state if it is not active.
func told(list []View) string {
	var out []string
	for _, v := range list {
		s := fmt.Sprintf("%s=%s/%d", v.Name, v.Description, v.Revision)
		if v.State != Active {
			s += " " + string(v.State)
		}
		if v.Error != "" {
			s += "!"
		}
		if v.Held {
			s += " held"
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

// dbs is a descriptor with one operation, "op", that takes no parameter.
func dbs(name, description string) string {
	return fmt.Sprintf(`<data name=%q>
  <description>%s</description>
  <config id="default"><property name="url">jdbc:sqlite:x.db</property><property name="driverClassName">x</property></config>
  <query id="q" useConfig="default"><sql>select 1 as n</sql><result element="R" rowName="r"><element name="n" column="n"/></result></query>
  <operation name="op"><call-query href="q"/></operation>
  <operation name="with"><call-query href="q"/></operation>
</data>`, name, description)
}
