package intake

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/failure"
)

// cluster is what orders do, with the rule of idempotency keys.
type cluster struct {
	mu    sync.Mutex
	done  map[string]int // how often each id was carried out
	came  map[string]int // how often each id came
	fails map[string]int // how often each id still fails as unavailable
	heard chan struct{}  // capacity 1: something came
}

func newCluster() *cluster {
	return &cluster{done: map[string]int{}, came: map[string]int{}, fails: map[string]int{}, heard: make(chan struct{}, 1)}
}

func (c *cluster) Carry(_ context.Context, o control.Order) (control.Done, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer func() {
		select {
		case c.heard <- struct{}{}:
		default:
		}
	}()
	c.came[o.ID]++
	switch {
	case o.Verb == "nonsense":
		return control.Done{}, &failure.Error{Code: failure.CodeInvalid, Message: "verb nonsense is unknown"}
	case c.fails[o.ID] > 0:
		c.fails[o.ID]--
		return control.Done{}, &failure.Error{Code: failure.CodeUnavailable, Message: "no majority"}
	case c.done[o.ID] > 0:
		return control.Done{Repeated: true}, nil
	}
	c.done[o.ID]++
	return control.Done{Changed: true}, nil
}

// within is how long something may take at last on a machine that is busy with
// other tests.
const within = 5 * time.Minute

// until waits for what is to become true of the cluster.
func (c *cluster) until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	patience := time.After(within)
	for {
		c.mu.Lock()
		ok := holds()
		c.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-c.heard:
		case <-patience:
			t.Fatalf("%s: not within %s; %d ids were carried out", what, within, len(c.done))
		}
	}
}

func broker(t *testing.T) []kgo.Opt {
	t.Helper()
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, "tasks"), kfake.SeedTopics(1, "dead"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	return []kgo.Opt{kgo.SeedBrokers(fake.ListenAddrs()...)}
}

// run consumes until stop is called.
func run(t *testing.T, client []kgo.Opt, c Carrier, refused Refused) (i *Intake, stop func()) {
	t.Helper()
	if refused == nil {
		refused = func(source string, e *failure.Error) { t.Errorf("%s refused: %v", source, e) }
	}
	i, err := New(Config{Topic: "tasks", Group: "belfry", DeadLetter: "dead", Client: client}, c, refused, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		i.Run(ctx, 5*time.Second)
	}()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(stop)
	return i, stop
}

func produce(t *testing.T, client []kgo.Opt, records ...*kgo.Record) {
	t.Helper()
	p, err := kgo.NewClient(append(client, kgo.DefaultProduceTopic("tasks"))...)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

func order(id string, verb control.Verb) *kgo.Record {
	value, err := json.Marshal(control.Order{ID: id, Verb: verb, Task: json.RawMessage(`{"name":"x"}`)})
	if err != nil {
		panic(err)
	}
	return &kgo.Record{Key: []byte(id), Value: value}
}

func TestEveryRecordIsCarriedOutOnce(t *testing.T) {
	t.Parallel()
	client := broker(t)
	c := newCluster()
	const orders = 300
	for i := range orders / 10 {
		c.fails[fmt.Sprintf("kafka:o%d", i*10)] = 2 // the cluster is away now and then
	}
	var records []*kgo.Record
	for i := range 2 * orders { // each comes twice
		records = append(records, order(fmt.Sprintf("o%d", i%orders), control.VerbRun))
	}
	produce(t, client, records...)
	// Hosts come and go meanwhile.
	_, stop := run(t, client, c, nil)
	c.until(t, "the first host works", func() bool { return len(c.done) > orders/10 })
	second, _ := run(t, client, c, nil)
	stop()
	c.until(t, "everything is carried out", func() bool { return len(c.done) == orders })
	for id, n := range c.done {
		if n != 1 {
			t.Errorf("%s carried out %d times", id, n)
		}
	}
	if counts := second.Counts(); counts.Carried == 0 {
		t.Errorf("the second host did nothing: %+v", counts)
	}
}

func TestWhatIsRefusedBecomesADeadLetter(t *testing.T) {
	t.Parallel()
	client := broker(t)
	c := newCluster()
	refused := make(chan string, 10)
	run(t, client, c, func(source string, e *failure.Error) { refused <- source + " " + string(e.Code) })
	produce(t, client,
		&kgo.Record{Key: []byte("k"), Value: []byte("not JSON"), Headers: []kgo.RecordHeader{{Key: "from", Value: []byte("test")}}},
		&kgo.Record{Key: []byte("k"), Value: []byte(`{"id":"` + strings.Repeat("x", MaxRecord/2) + strings.Repeat("y", MaxRecord/2) + `"}`)},
		&kgo.Record{Key: []byte("k"), Value: order("", "nonsense").Value, Headers: []kgo.RecordHeader{{Key: HeaderKey, Value: []byte("h1")}}},
		&kgo.Record{Key: []byte("k"), Value: order("", control.VerbRun).Value},
	)
	reader, err := kgo.NewClient(append(client, kgo.ConsumeTopics("dead"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	var letters []*kgo.Record
	for len(letters) < 3 {
		fetches := reader.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("%d dead letters, want 3", len(letters))
		}
		letters = append(letters, fetches.Records()...)
	}
	headers := map[string]string{}
	for _, h := range letters[0].Headers {
		headers[h.Key] = string(h.Value)
	}
	if string(letters[0].Value) != "not JSON" || headers["from"] != "test" || headers[HeaderCode] != "invalid" || !strings.HasPrefix(headers[HeaderSource], "tasks/") {
		t.Errorf("dead letter %q with %v", letters[0].Value, headers)
	}
	for range 3 {
		if said := <-refused; !strings.HasSuffix(said, " invalid") {
			t.Errorf("refused: %s", said)
		}
	}
	// The one without a key has that of its place in the topic.
	c.until(t, "the good record is carried out", func() bool { return len(c.done) == 1 })
	for id := range c.done {
		if !strings.HasPrefix(id, "kafka:tasks/") {
			t.Errorf("its id is %s", id)
		}
	}
	if c.came["kafka:h1"] != 1 {
		t.Errorf("the header's key was not used: %v", c.came)
	}
}

// A record that is not carried out is not committed: the next host gets it.
func TestWhatIsNotCarriedOutComesAgain(t *testing.T) {
	t.Parallel()
	client := broker(t)
	c := newCluster()
	c.fails["kafka:stuck"] = 1 << 30
	produce(t, client, order("stuck", control.VerbRun))
	_, stop := run(t, client, c, nil)
	c.until(t, "it was tried", func() bool { return c.came["kafka:stuck"] > 1 })
	stop()
	c.mu.Lock()
	c.fails["kafka:stuck"] = 0
	c.mu.Unlock()
	run(t, client, c, nil)
	c.until(t, "the next host carries it out", func() bool { return c.done["kafka:stuck"] == 1 })
}

func TestConfigurationsThatCannotWork(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]Config{
		"no topic": {Group: "g"}, "no group": {Topic: "t"}, "circle": {Topic: "t", Group: "g", DeadLetter: "t"},
	} {
		if _, err := New(c, newCluster(), nil, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
