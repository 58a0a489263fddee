package host

import (
	"maps"
	"path/filepath"
	"slices"
)

// remove undeploys what is gone, unless everything is.
func (d *deployer) remove(l look, gone map[string]bool) {
	if d.hold(l) {
		return
	}
	if d.holding {
		d.holding = false
		d.opts.Log.Info("the services folder is followed again", "dir", d.opts.Dir)
	}
	for _, rel := range slices.Sorted(maps.Keys(gone)) {
		f := d.files[rel]
		delete(d.files, rel)
		d.dirty = true
		if old := d.now.Load().services[f.deployed]; old != nil {
			d.now.Store(d.now.Load().with(f.deployed, nil))
			d.undeployed(old)
		}
	}
}

// hold tells whether everything is gone at once, without a confirmation: then
// all is kept, and that is said.
func (d *deployer) hold(l look) bool {
	running := 0
	for _, f := range d.files {
		if f.deployed != "" {
			running++
		}
	}
	_, lost := l.unread[""]
	if len(l.files) > 0 || l.confirmed || running == 0 || running == 1 && !lost && !d.holding {
		return false
	}
	for _, f := range d.files {
		d.dirty = d.dirty || !f.held
		f.held = true
	}
	if !d.holding {
		d.holding = true
		d.opts.Log.Error("every descriptor is gone from the services folder: the services are kept as they are. "+
			"To undeploy them all, create the file "+confirmation+" in it", "dir", d.opts.Dir, "services", running)
	}
	return true
}

// undeployed ends a deployment that is no longer in the set.
func (d *deployer) undeployed(old *deployment) {
	d.dirty = true
	d.opts.Log.Info("service undeployed", "service", old.service.Name, "file", old.file)
	if d.hook != nil {
		d.hook.Undeploy(old.service.Name)
	}
	d.retire(old)
}

// tellUnread says once which folders cannot be read.
func (d *deployer) tellUnread(l look) {
	for rel, err := range l.unread {
		if text := err.Error(); d.unread[rel] != text {
			d.opts.Log.Error("the services folder cannot be read: what it held is kept", "dir", filepath.Join(d.opts.Dir, filepath.FromSlash(rel)), "err", err)
		}
	}
	d.unread = make(map[string]string, len(l.unread))
	for rel, err := range l.unread {
		d.unread[rel] = err.Error()
	}
}
