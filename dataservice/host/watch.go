package host

import (
	"context"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Times of watching.
const (
	// quiet is how long a burst of events must have ended before the folder is
	// looked at.
	quiet = 50 * time.Millisecond
	// loudest is how long a burst may go on before the folder is looked at anyway.
	loudest = 400 * time.Millisecond
)

// run watches the folder until ctx ends.
func (d *deployer) run(ctx context.Context) {
	var events <-chan fsnotify.Event
	var faults <-chan error
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		d.opts.Log.Warn("the services folder cannot be watched and is looked at from time to time", "every", d.opts.Poll, "err", err)
	} else {
		defer func() { _ = watcher.Close() }() // nothing is left to lose
		events, faults = watcher.Events, watcher.Errors
	}
	poll := time.NewTicker(d.opts.Poll)
	defer poll.Stop()
	for {
		restless := d.pass(ctx)
		d.follow(watcher)
		if restless && ctx.Err() == nil {
			continue // pass itself waits between its looks
		}
		select {
		case <-ctx.Done():
			return
		case <-poll.C:
		case err := <-faults: // events were lost: look
			d.opts.Log.Debug("watching the services folder", "err", err)
		case <-events:
			if !settle(ctx, events) {
				return
			}
		}
	}
}

// follow watches every folder there is. Folders come and go; watching one twice
// is no fault, and what cannot be watched is still looked at.
func (d *deployer) follow(watcher *fsnotify.Watcher) {
	if watcher == nil {
		return
	}
	for _, dir := range d.dirs {
		_ = watcher.Add(dir)
	}
}

// settle swallows a burst of events. False: ctx ended.
func settle(ctx context.Context, events <-chan fsnotify.Event) bool {
	end := time.NewTimer(loudest)
	defer end.Stop()
	still := time.NewTimer(quiet)
	defer still.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-end.C:
			return true
		case <-still.C:
			return true
		case <-events:
			still.Reset(quiet)
		}
	}
}

// pause waits. False: ctx ended.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
