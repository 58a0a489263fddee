package host

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/dataservice"
)

// State is how a service stands.
type State string

// The states.
const (
	Active   State = "active"
	Inactive State = "inactive" // serviceStatus="inactive": deployed, and refuses requests
	Failed   State = "failed"   // its descriptor was refused and no version of it runs
)

// View is what can be told of a service.
type View struct {
	// Name; of a service that failed before it had one, its file without ".dbs".
	Name  string `json:"name"`
	File  string `json:"file"` // relative to the services folder, with slashes
	State State  `json:"state"`
	// Error says why what the file holds now is not what is served, and what is wrong
	// with other files of its name, a line each; empty: nothing.
	Error string `json:"error,omitempty"`
	// Held: the file is gone, as all others are, and the service is kept.
	Held        bool   `json:"held,omitempty"`
	Description string `json:"description,omitempty"`
	Namespace   string `json:"namespace,omitempty"`
	HTTP        bool   `json:"http"`
	// Hash is the SHA-256 of the running descriptor's bytes, in hexadecimal.
	Hash string `json:"hash,omitempty"`
	// Revision counts the deployments of this name since the host began, from 1.
	Revision   int64           `json:"revision,omitempty"`
	DeployedAt time.Time       `json:"deployed_at,omitzero"`
	Operations []OperationView `json:"operations"`
	Resources  []ResourceView  `json:"resources"`
	// Unsupported lists what the descriptor asks for in vain.
	Unsupported []UnsupportedView `json:"unsupported,omitempty"`
}

// OperationView is what can be told of an operation.
type OperationView struct {
	Name        string      `json:"name"`
	Description string      `json:"description,omitempty"`
	Params      []ParamView `json:"params"`
	Schedulable bool        `json:"schedulable"`
	// Reason says why it is not schedulable.
	Reason string `json:"reason,omitempty"`
}

// ResourceView is what can be told of a resource.
type ResourceView struct {
	Method      string      `json:"method"`
	Path        string      `json:"path"`
	Description string      `json:"description,omitempty"`
	Params      []ParamView `json:"params"`
	Unsupported string      `json:"unsupported,omitempty"`
}

// ParamView is a parameter that a request may give.
type ParamView struct {
	Name     string `json:"name"`
	Type     string `json:"type"` // sqlType
	Array    bool   `json:"array,omitempty"`
	Required bool   `json:"required"`
}

// UnsupportedView is something that a descriptor asks for in vain.
type UnsupportedView struct {
	Line   int    `json:"line"`
	Column int    `json:"column"`
	What   string `json:"what"`
	Why    string `json:"why"`
}

// Services tells of every service that is deployed and every descriptor that is
// not, by name. The caller owns the slice, and must not change what is in it.
func (h *Host) Services() []View { return slices.Clone(h.now.Load().views) }

// Service gives what is deployed under a name.
func (h *Host) Service(name string) (*dataservice.Service, bool) {
	d, ok := h.now.Load().services[name]
	if !ok {
		return nil, false
	}
	return d.service, true
}

// describe makes the view of a deployment.
func describe(d *deployment) View {
	s := d.service
	v := View{
		Name: s.Name, File: d.file, State: Active, Description: s.Description, Namespace: s.Namespace, HTTP: s.HTTP(),
		Hash: s.Hash, Revision: d.revision, DeployedAt: d.at, Operations: []OperationView{}, Resources: []ResourceView{},
	}
	if !s.Active {
		v.State = Inactive
	}
	for _, o := range s.Operations {
		reason, ok := s.Schedulable(o.Name)
		v.Operations = append(v.Operations, OperationView{
			Name: o.Name, Description: o.Description, Params: paramsOf(s, o.Call), Schedulable: ok, Reason: reason,
		})
	}
	for _, r := range s.Resources {
		v.Resources = append(v.Resources, ResourceView{
			Method: r.Method, Path: r.Path, Description: r.Description, Params: paramsOf(s, r.Call), Unsupported: r.Unsupported,
		})
	}
	for _, u := range slices.Concat(s.Unsupported, d.runtime.Unsupported(), d.unguardedNote()) {
		v.Unsupported = append(v.Unsupported, UnsupportedView{Line: u.Line, Column: u.Column, What: u.What, Why: u.Why})
	}
	return v
}

func paramsOf(s *dataservice.Service, call dataservice.CallQuery) []ParamView {
	views := []ParamView{}
	q := s.Query(call.Query)
	for _, w := range call.Params {
		if w.QueryParam == "" {
			continue
		}
		v := ParamView{Name: w.QueryParam, Required: true}
		if q != nil {
			for _, p := range q.Params {
				if p.Name == w.Name {
					v.Type, v.Array, v.Required = p.SQLType, p.Array, p.Default == nil && !p.Optional
				}
			}
		}
		views = append(views, v)
	}
	return views
}

// views tells of a set, and of the files that are not what is deployed. A name has
// one view: a second file of a service that is served, such as a copy that somebody
// kept beside it, is a fault of that service and not a service that failed.
func views(s *set, files map[string]*file) []View {
	list := make([]View, 0, len(s.services))
	served := make(map[string]int, len(s.services))
	for _, d := range s.services {
		v := describe(d)
		if f := files[d.file]; f != nil {
			v.Error, v.Held = f.problem, f.held
		}
		served[v.Name] = len(list)
		list = append(list, v)
	}
	for _, rel := range slices.Sorted(maps.Keys(files)) {
		if f := files[rel]; f.deployed == "" && f.problem != "" {
			name := cmp.Or(f.name, strings.TrimSuffix(rel, ".dbs"))
			if i, there := served[name]; there {
				list[i].Error = strings.TrimPrefix(list[i].Error+"\n"+f.problem, "\n")
				continue
			}
			list = append(list, View{
				Name: name, File: rel, State: Failed, Error: f.problem, Hash: f.hash,
				Operations: []OperationView{}, Resources: []ResourceView{},
			})
		}
	}
	slices.SortFunc(list, func(a, b View) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.File, b.File)) })
	return list
}
