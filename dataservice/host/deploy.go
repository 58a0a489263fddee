package host

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// file is what the host knows of a descriptor in the folder.
type file struct {
	info   fs.FileInfo
	readAt time.Time
	hash   string // of the bytes last read; empty if they could not be
	name   string // of the service that they describe, if they do
	// deployed is the name of the service that runs from this file; empty: none.
	// No other file has the same.
	deployed string
	problem  string // why the bytes last read are not what runs
	held     bool
	// again: when to try once more what may have failed for a passing reason;
	// zero: never, until the file changes. Wait doubles.
	again time.Time
	wait  time.Duration
	// contested: another file has its name.
	contested bool
}

// Waits between two attempts to deploy what could not be opened.
const (
	firstRetry = time.Second
	lastRetry  = time.Minute
)

// openTime bounds the opening of one service's sources.
const openTime = 10 * time.Second

// deployer brings the deployed set in line with the folder. It belongs to Start
// and then to the watching goroutine.
type deployer struct {
	*Host
	files     map[string]*file // by path in the folder
	dirs      []string         // to be watched
	revisions map[string]int64 // by service name
	holding   bool
	unread    map[string]string // folders that could not be read, and said so
	dirty     bool              // Services() has to be told anew
}

func newDeployer(h *Host) *deployer {
	return &deployer{Host: h, files: make(map[string]*file), revisions: make(map[string]int64), unread: make(map[string]string)}
}

// first deploys what is there at the start.
func (d *deployer) first(ctx context.Context) {
	l := scan(d.opts.Dir)
	d.dirs = l.dirs
	d.apply(ctx, l, nil)
	d.dirty = true
	d.publish()
	if len(l.files) == 0 {
		d.opts.Log.Warn("no descriptor (*.dbs) in the services folder", "dir", d.opts.Dir)
	}
}

// pass looks at the folder, twice if something changed, and deploys what did.
// It tells whether something was not at rest and wants another pass soon.
func (d *deployer) pass(ctx context.Context) (restless bool) {
	one := scan(d.opts.Dir)
	if d.different(one) {
		if !pause(ctx, d.opts.Settle) {
			return false
		}
		two := scan(d.opts.Dir)
		unsteady := make(map[string]bool)
		for rel, info := range two.files {
			if was, ok := one.files[rel]; !ok || !same(was, info) {
				unsteady[rel] = true
			}
		}
		for rel, info := range one.files {
			if _, ok := two.files[rel]; !ok {
				two.files[rel], unsteady[rel] = info, true
			}
		}
		one, restless = two, len(unsteady) > 0
		d.apply(ctx, one, unsteady)
	}
	d.dirs = one.dirs
	d.retry(ctx, one)
	d.publish()
	return restless
}

// different tells whether a look shows anything to do.
func (d *deployer) different(l look) bool {
	if len(l.unread) != len(d.unread) || d.holding && l.confirmed {
		return true
	}
	for rel, info := range l.files {
		if f := d.files[rel]; f == nil || f.held || d.changed(f, info) {
			return true
		}
	}
	for rel, f := range d.files {
		if _, ok := l.files[rel]; !ok && !f.held && !l.kept(rel) {
			return true
		}
	}
	return false
}

// changed tells whether a file may hold something else than what was read.
func (d *deployer) changed(f *file, info fs.FileInfo) bool {
	return !same(f.info, info) || f.readAt.Sub(info.ModTime()) < coarse && d.opts.Now().Sub(f.readAt) >= d.opts.Poll
}

// apply deploys what a look shows but for what is unsteady: first what is new
// or changed, then what is gone, so that a renamed file passes its service on.
func (d *deployer) apply(ctx context.Context, l look, unsteady map[string]bool) {
	d.tellUnread(l)
	gone := make(map[string]bool)
	for rel := range d.files {
		if _, ok := l.files[rel]; !ok && !l.kept(rel) && !unsteady[rel] {
			gone[rel] = true
		}
	}
	for _, rel := range slices.Sorted(maps.Keys(l.files)) {
		if ctx.Err() != nil {
			return
		}
		f := d.files[rel]
		if unsteady[rel] || f != nil && !f.held && !d.changed(f, l.files[rel]) {
			continue
		}
		d.read(ctx, rel, l.files[rel], gone)
	}
	d.remove(l, gone)
	for _, rel := range slices.Sorted(maps.Keys(d.files)) {
		if f := d.files[rel]; f.contested && d.now.Load().services[f.name] == nil {
			d.read(ctx, rel, f.info, nil) // the name is free now
		}
	}
}

// read takes in one descriptor. The same bytes are not tried twice, but for what
// may have become possible.
func (d *deployer) read(ctx context.Context, rel string, info fs.FileInfo, gone map[string]bool) {
	f := d.files[rel]
	if f == nil {
		f = &file{}
		d.files[rel] = f
		d.dirty = true
	}
	at := d.opts.Now()
	data, hash, err := content(d.opts.Dir, rel, d.opts.MaxFile)
	known := err == nil && hash == f.hash
	hopeful := f.contested || !f.again.IsZero() && !at.Before(f.again)
	d.dirty = d.dirty || f.held
	f.info, f.readAt, f.held = info, at, false
	if known && !hopeful {
		return
	}
	f.hash, f.contested, f.again = hash, false, time.Time{}
	if err != nil {
		d.refuse(rel, f, fmt.Errorf("%s: %w", d.path(rel), cause(err)))
		d.later(f)
		return
	}
	if !known {
		f.wait = 0
	}
	if old := d.now.Load().services[f.deployed]; old != nil && old.service.Hash == hash {
		f.problem, d.dirty = "", true
		d.opts.Log.Info("descriptor is again what is deployed", "service", f.deployed, "file", rel)
		return
	}
	d.deploy(ctx, rel, f, data, gone)
}

// deploy brings the bytes of a file into service, or says why not.
func (d *deployer) deploy(ctx context.Context, rel string, f *file, data []byte, gone map[string]bool) {
	defer func() { // one descriptor must not take the others down
		if p := recover(); p != nil {
			d.opts.Log.Error("deployment panicked", "file", rel, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			d.refuse(rel, f, fmt.Errorf("%s: internal error: %v", d.path(rel), p))
		}
	}()
	s, err := d.opts.Parse(d.path(rel), data)
	if err != nil {
		d.refuse(rel, f, err)
		return
	}
	s.Name = qualified(rel, s.Name)
	s.Hash = f.hash
	f.name = s.Name
	old := d.now.Load().services[s.Name]
	switch {
	case old != nil && old.file != rel && !gone[old.file]:
		f.contested = true
		d.refuse(rel, f, fmt.Errorf("%s: service %s is already deployed from %s: rename one of the two, or remove it", d.path(rel), s.Name, d.path(old.file)))
		return
	case old == nil && len(d.now.Load().services) >= d.opts.MaxServices:
		d.refuse(rel, f, fmt.Errorf("%s: more than %d services", d.path(rel), d.opts.MaxServices))
		d.later(f)
		return
	}
	opening, cancel := context.WithTimeout(ctx, openTime)
	defer cancel()
	runtime, err := d.opts.Opener.Open(opening, s, d.hook)
	if err != nil {
		d.refuse(rel, f, &located{d.path(rel), err})
		d.later(f)
		return
	}
	if d.hook != nil {
		if err := d.hook.Deploy(s); err != nil {
			_ = runtime.Close() // nothing has used it
			d.refuse(rel, f, &located{d.path(rel), err})
			return
		}
	}
	way := d.opts.HTTP
	way.Limits = d.opts.Limits(s.Name)
	next := newDeployment(s, runtime, d.opts.Auth, way)
	d.revisions[s.Name]++
	next.file, next.revision, next.at = rel, d.revisions[s.Name], d.opts.Now().UTC()
	d.replace(f, next, old)
}

// replace publishes a deployment in the place of old, which may be nil, and of
// the service that the same file described before under another name.
func (d *deployer) replace(f *file, next, old *deployment) {
	name := next.service.Name
	now := d.now.Load().with(name, next)
	var renamed *deployment
	if f.deployed != name {
		if renamed = now.services[f.deployed]; renamed != nil {
			now = now.with(f.deployed, nil)
		}
	}
	d.now.Store(now)
	f.deployed, f.problem, f.wait = name, "", 0
	d.dirty = true
	d.opts.Log.Info("service deployed", "service", name, "file", next.file, "revision", next.revision, "active", next.service.Active,
		"operations", len(next.service.Operations), "resources", len(next.service.Resources))
	for _, u := range next.unguardedNote() {
		d.opts.Log.Warn("nobody can ask for what needs a role", "service", name, "why", u.Why)
	}
	for _, u := range next.service.Unsupported {
		if u.Follows {
			continue // its source is said; the view has all
		}
		d.opts.Log.Warn("not supported", "service", name, "at", fmt.Sprintf("%s:%s", next.file, u.Position), "what", u.What, "why", u.Why)
	}
	if old != nil {
		if old.file != next.file {
			d.files[old.file].deployed = "" // it is gone, and its service lives on
		}
		d.retire(old)
	}
	if renamed != nil {
		d.undeployed(renamed)
	}
}

// refuse notes why a file is not what runs, and says it once.
func (d *deployer) refuse(rel string, f *file, err error) {
	if f.problem == err.Error() {
		return
	}
	f.problem = err.Error()
	d.dirty = true
	d.opts.Log.Warn("descriptor refused", "file", rel, "service", f.name, "running", f.deployed, "err", err)
}

// retry reads again what may have failed for a passing reason.
func (d *deployer) retry(ctx context.Context, l look) {
	for _, rel := range slices.Sorted(maps.Keys(d.files)) {
		f := d.files[rel]
		if info, there := l.files[rel]; there && !f.again.IsZero() && !d.opts.Now().Before(f.again) {
			d.read(ctx, rel, info, nil)
		}
	}
}

// later has a file tried again, each time after twice as long.
func (d *deployer) later(f *file) {
	f.wait = min(max(2*f.wait, firstRetry), lastRetry)
	f.again = d.opts.Now().Add(f.wait)
}

// path is how a descriptor is named to people.
func (d *deployer) path(rel string) string { return filepath.Join(d.opts.Dir, filepath.FromSlash(rel)) }

// publish makes the views of what is deployed and tells who wants to know.
func (d *deployer) publish() {
	if !d.dirty {
		return
	}
	d.dirty = false
	now := d.now.Load()
	d.now.Store(&set{services: now.services, depth: now.depth, views: views(now, d.files)})
	for _, f := range d.onChange {
		f()
	}
}

// qualified puts the group that a file lies in before a service's name.
func qualified(rel, name string) string {
	group := path.Dir(rel)
	if group == "." || strings.HasPrefix(name, group+"/") {
		return name
	}
	return group + "/" + name
}

func segments(name string) int { return strings.Count(name, "/") + 1 }
