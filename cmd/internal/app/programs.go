package app

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/seed42aab489/belfry/cmd/internal/conf"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/event"
	"github.com/seed42aab489/belfry/plugin/intake"
	"github.com/seed42aab489/belfry/plugin/store"
)

// codeRequestRefused reports a task request from Kafka that was refused.
const codeRequestRefused = "TASK_REQUEST_REFUSED"

// control is how programs reach the cluster through this host.
func (a *App) control() *control.Control {
	link := a.plugin.Link()
	return control.New(control.Deps{KV: link, Members: link, Caller: link, Log: a.log.With("component", "control")})
}

// consumeTasks takes task requests from Kafka, if brokers are configured.
func (a *App) consumeTasks(c *control.Control) error {
	k := a.o.Loaded.Config.Kafka
	if len(k.Brokers) == 0 {
		return nil
	}
	client, err := kafkaClient(k)
	if err != nil {
		return err
	}
	refused := func(source string, e *failure.Error) {
		a.plugin.Report(event.Report{At: time.Now(), Level: "warn", Code: codeRequestRefused, Object: source, Text: e.Message})
	}
	queue, err := intake.New(intake.Config{Topic: k.Topic, Group: k.Group, DeadLetter: k.DeadLetter, Client: client}, c, refused, a.log.With("component", "intake"))
	if err != nil {
		return err
	}
	a.background("intake from Kafka", func(ctx context.Context) { queue.Run(ctx, 5*time.Second) })
	return nil
}

func kafkaClient(k conf.Kafka) ([]kgo.Opt, error) {
	options := []kgo.Opt{kgo.SeedBrokers(k.Brokers...), kgo.ClientID("belfryd")}
	if k.TLS {
		secure, err := clientTLS("kafka", k.CAFile, k.CertFile, k.KeyFile)
		if err != nil {
			return nil, err
		}
		options = append(options, kgo.DialTLSConfig(secure))
	}
	if k.User == "" {
		return options, nil
	}
	var mechanism sasl.Mechanism
	switch login := (scram.Auth{User: k.User, Pass: k.Password.Reveal()}); k.Mechanism {
	case "plain":
		mechanism = plain.Auth{User: login.User, Pass: login.Pass}.AsMechanism()
	case "scram-sha-256":
		mechanism = login.AsSha256Mechanism()
	case "scram-sha-512":
		mechanism = login.AsSha512Mechanism()
	default:
		return nil, fmt.Errorf("kafka.mechanism %q is unknown", k.Mechanism)
	}
	return append(options, kgo.SASL(mechanism)), nil
}

// sweepReceipts forgets what was carried out longer ago than any copy may come,
// shard by shard, so that the work is spread over the time. Every host does;
// in a random order, so that they share it.
func (a *App) sweepReceipts() {
	s := store.New(a.plugin.Link(), store.Options{})
	// Ends that others follow have receipts too: they must outlive the messages
	// that tell of them.
	retention := max(a.o.Loaded.Config.API.Retention, a.o.Loaded.Config.Events.MaxAge+time.Hour)
	every := min(max(retention/24, time.Minute), time.Hour) / store.ReceiptShards
	a.background("sweep of idempotency keys", func(ctx context.Context) {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for shards := rand.Perm(store.ReceiptShards); ; {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			if len(shards) == 0 {
				shards = rand.Perm(store.ReceiptShards)
			}
			shard := shards[0]
			shards = shards[1:]
			if _, err := s.SweepReceipts(ctx, shard, time.Now().Add(-retention)); err != nil && ctx.Err() == nil {
				a.log.Debug("idempotency keys not swept; they will be", "err", err)
			}
		}
	})
}

// background runs f until the host stops.
func (a *App) background(what string, f func(ctx context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { // ends when cancel is called
		defer close(done)
		f(ctx)
	}()
	a.teardown.add(what, func(context.Context) error {
		cancel()
		<-done
		return nil
	})
}
