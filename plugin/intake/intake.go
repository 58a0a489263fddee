package intake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/definition"
	"github.com/seed42aab489/belfry/plugin/control/failure"
)

// Bounds of consuming.
const (
	// MaxRecord bounds the value of a record in bytes; a larger one is refused.
	MaxRecord = 256 << 10
	// pollRecords bounds the records that are in hand at once.
	pollRecords = 500
	firstRetry  = 100 * time.Millisecond
	lastRetry   = 10 * time.Second
)

// The headers of a record.
const (
	HeaderKey    = "idempotency-key"
	HeaderCode   = "belfry-error-code"
	HeaderError  = "belfry-error"
	HeaderSource = "belfry-source"
)

// Carrier carries out orders: control.Control does.
type Carrier interface {
	Carry(ctx context.Context, o control.Order) (control.Done, error)
}

// Config says where the queue is.
type Config struct {
	Topic, Group string
	// DeadLetter topic; empty: what is refused is reported and dropped.
	DeadLetter string
	// Client options beside the group's: seed brokers, TLS, SASL.
	Client []kgo.Opt
}

// Refused hears of a record that was refused.
type Refused func(source string, e *failure.Error)

// Counts tells what became of records since the start.
type Counts struct{ Carried, Repeated, Refused, Retried int64 }

// Intake consumes a topic. Make it with New, and call Run once.
type Intake struct {
	c       Config
	carrier Carrier
	refused Refused
	log     *slog.Logger
	client  *kgo.Client

	carried, repeated, dead, retried atomic.Int64
}

// New makes an Intake. It connects when Run does. Error: the configuration.
func New(c Config, carrier Carrier, refused Refused, log *slog.Logger) (*Intake, error) {
	if c.Topic == "" || c.Group == "" {
		return nil, errors.New("intake: name a topic and a group")
	}
	if c.Topic == c.DeadLetter {
		return nil, fmt.Errorf("intake: topic %s cannot be its own dead-letter topic", c.Topic)
	}
	client, err := kgo.NewClient(append(c.Client[:len(c.Client):len(c.Client)],
		kgo.ConsumerGroup(c.Group), kgo.ConsumeTopics(c.Topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.AutoCommitMarks(), kgo.AutoCommitInterval(time.Second),
		kgo.OnPartitionsRevoked(func(ctx context.Context, client *kgo.Client, _ map[string][]int32) {
			if err := client.CommitMarkedOffsets(ctx); err != nil {
				log.Warn("offsets not committed: records will come again", "err", err)
			}
		}),
		kgo.RequiredAcks(kgo.AllISRAcks()),
	)...)
	if err != nil {
		return nil, fmt.Errorf("intake: %w", err)
	}
	return &Intake{c: c, carrier: carrier, refused: refused, log: log, client: client}, nil
}

// Counts tells what became of records. Safe for concurrent use.
func (i *Intake) Counts() Counts {
	return Counts{Carried: i.carried.Load(), Repeated: i.repeated.Load(), Refused: i.dead.Load(), Retried: i.retried.Load()}
}

// Run consumes until ctx ends; what is carried out by then is committed within
// grace.
func (i *Intake) Run(ctx context.Context, grace time.Duration) {
	for ctx.Err() == nil {
		fetches := i.client.PollRecords(ctx, pollRecords)
		fetches.EachError(func(topic string, partition int32, err error) {
			if ctx.Err() == nil {
				i.log.Warn("intake cannot read", "topic", topic, "partition", partition, "err", err)
			}
		})
		var all sync.WaitGroup
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			all.Go(func() { // ends with its records, or soon after ctx
				for _, record := range p.Records {
					if !i.take(ctx, record) {
						return
					}
					i.client.MarkCommitRecords(record)
				}
			})
		})
		all.Wait()
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := i.client.CommitMarkedOffsets(bounded); err != nil {
		i.log.Warn("offsets not committed: records will come again", "err", err)
	}
	i.client.Close()
}

// take deals with one record; false: ctx ended before that was done.
func (i *Intake) take(ctx context.Context, record *kgo.Record) bool {
	source := fmt.Sprintf("%s/%d/%d", record.Topic, record.Partition, record.Offset)
	order, err := read(record, source)
	for pause := firstRetry; err == nil; pause = min(2*pause, lastRetry) {
		var done control.Done
		done, err = i.carrier.Carry(ctx, order)
		switch {
		case err == nil && done.Repeated:
			i.repeated.Add(1)
			return true
		case err == nil:
			i.carried.Add(1)
			return true
		case !passing(err):
			continue // to the dead letters
		}
		i.retried.Add(1)
		i.log.Warn("task request not carried out; it is tried again", "source", source, "err", err, "again_in", pause)
		if !wait(ctx, pause) {
			return false
		}
		err = nil
	}
	return i.bury(ctx, record, source, failure.Of(err))
}

// passing tells whether an error may be over soon.
func passing(err error) bool {
	switch failure.Of(err).Code {
	case failure.CodeUnavailable, failure.CodeUnknownOutcome, failure.CodeTimeout:
		return true
	default:
		return false
	}
}

// read reads an order from a record.
func read(record *kgo.Record, source string) (control.Order, error) {
	if len(record.Value) > MaxRecord {
		return control.Order{}, &failure.Error{Code: failure.CodeInvalid, Message: fmt.Sprintf("a record of %d bytes: the limit is %d", len(record.Value), MaxRecord)}
	}
	var order control.Order
	if err := definition.Decode("no order", record.Value, &order); err != nil {
		return control.Order{}, err
	}
	if order.ID == "" {
		for _, h := range record.Headers {
			if h.Key == HeaderKey {
				order.ID = string(h.Value)
			}
		}
	}
	if order.ID == "" {
		order.ID = source
	}
	order.ID = "kafka:" + order.ID
	return order, nil
}

// bury puts a refused record aside; false: ctx ended before that was done.
func (i *Intake) bury(ctx context.Context, record *kgo.Record, source string, e *failure.Error) bool {
	if i.c.DeadLetter != "" {
		letter := &kgo.Record{
			Topic: i.c.DeadLetter, Key: record.Key, Value: record.Value,
			Headers: append(record.Headers[:len(record.Headers):len(record.Headers)],
				kgo.RecordHeader{Key: HeaderCode, Value: []byte(e.Code)},
				kgo.RecordHeader{Key: HeaderError, Value: []byte(e.Message)},
				kgo.RecordHeader{Key: HeaderSource, Value: []byte(source)},
			),
		}
		for pause := firstRetry; ; pause = min(2*pause, lastRetry) {
			err := i.client.ProduceSync(ctx, letter).FirstErr()
			if err == nil {
				break
			}
			i.log.Warn("dead letter not written; it is tried again", "source", source, "topic", i.c.DeadLetter, "err", err)
			if !wait(ctx, pause) {
				return false
			}
		}
	}
	i.dead.Add(1)
	i.refused(source, e)
	return true
}

func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
