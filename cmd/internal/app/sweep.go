package app

import (
	"context"
	"log"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/seed42aab489/belfry/dataservice/query"
)

// sweepEvery is how often inboxes are swept, and sweepTime what a sweep may take.
const (
	sweepEvery = time.Hour
	sweepTime  = 10 * time.Minute
)

// sweepInboxes removes old rows from the inboxes of all databases, every hour.
func (a *App) sweepInboxes(queries *query.Engine) {
	a.background("sweep of inboxes", func(ctx context.Context) {
		tick := time.NewTicker(sweepEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			bounded, end := context.WithTimeout(ctx, sweepTime)
			if err := queries.Sweep(bounded); err != nil && ctx.Err() == nil {
				a.log.Warn("inboxes not swept; they will be in an hour", "err", err)
			}
			end()
		}
	})
}

// quietDriver sends what the MySQL driver writes to standard error (lost
// connections, which come back as errors anyway) to the log, for those who debug.
func quietDriver(debug *log.Logger) error { return mysql.SetLogger(debug) }
