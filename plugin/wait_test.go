package plugin_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/plugin"
)

// A host that starts waits for a store that does not answer, as long as it may,
// and not at all for what no time changes.
func TestStartWaitsForTheStore(t *testing.T) {
	t.Parallel()
	away := fmt.Errorf("join: %w", coordclient.ErrUnavailable)
	other := errors.New("the root is readable")
	for name, c := range map[string]struct {
		failures       []error // of the first attempts
		wait           time.Duration
		hopeless       bool
		want           error
		told           int
		atLeast, until time.Duration
	}{
		"answers at once":      {wait: time.Minute},
		"answers later":        {failures: []error{away, away, away}, wait: time.Minute, told: 3, atLeast: 700 * time.Millisecond, until: time.Second},
		"an answer is lost":    {failures: []error{fmt.Errorf("x: %w", coordclient.ErrUnknownOutcome)}, wait: time.Minute, told: 1, until: time.Second},
		"does not wait":        {failures: []error{away}, want: coordclient.ErrUnavailable},
		"answers too late":     {failures: make([]error, 1000), wait: time.Minute, want: coordclient.ErrUnavailable, told: 12, atLeast: time.Minute, until: 61 * time.Second},
		"is of no use":         {failures: []error{away}, wait: time.Minute, hopeless: true, want: coordclient.ErrUnavailable, told: 1},
		"other credentials":    {failures: []error{fmt.Errorf("%w: %w", away, coordclient.ErrUnauthorised)}, wait: time.Minute, want: coordclient.ErrUnauthorised},
		"fails for what lasts": {failures: []error{other}, wait: time.Minute, want: other},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				member := coordtest.NewCluster(time.Now).Join("n1", nil)
				tries, told := 0, 0
				last := c.wait + time.Nanosecond
				p := plugin.New(plugin.Deps{
					Join: func(context.Context) (plugin.Port, error) {
						if tries++; tries > len(c.failures) {
							return member, nil
						}
						if err := c.failures[tries-1]; err != nil {
							return nil, err
						}
						return nil, away
					},
					Host: &shop{}, Sender: &post{}, Node: "n1", Now: time.Now, Log: slog.New(slog.DiscardHandler),
					Options: plugin.Options{
						Buckets: 8, Wait: c.wait,
						Waiting: func(err error, left time.Duration) bool {
							told++
							if err == nil || left <= 0 || left >= last {
								t.Errorf("told of %v, %s left of %s", err, left, last)
							}
							last = left
							return !c.hopeless
						},
					},
				})
				began := time.Now()
				err := p.Start(t.Context())
				if !errors.Is(err, c.want) || told != c.told {
					t.Errorf("%v, told %d times; want %v, %d", err, told, c.want, c.told)
				}
				if took := time.Since(began); took < c.atLeast || took > max(c.until, time.Second) {
					t.Errorf("it took %s", took)
				}
				if err := p.Stop(context.Background()); err != nil {
					t.Errorf("stop: %v", err)
				}
			})
		})
	}
}

// Whoever is told to stop while it waits stops at once.
func TestStartWaitsNoLongerThanItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := plugin.New(plugin.Deps{
			Join: func(context.Context) (plugin.Port, error) { return nil, coordclient.ErrUnavailable },
			Host: &shop{}, Sender: &post{}, Node: "n1", Now: time.Now, Log: slog.New(slog.DiscardHandler),
			Options: plugin.Options{Wait: time.Hour},
		})
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		began := time.Now()
		if err := p.Start(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		if took := time.Since(began); took != 30*time.Second {
			t.Errorf("it took %s", took)
		}
		if err := p.Stop(context.Background()); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
}
