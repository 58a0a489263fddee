package soap

import (
	"net/http"
	"strings"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/exchange"
)

// kind is how what is called is executed.
type kind uint8

// The kinds.
const (
	single  kind = iota
	batch        // one call with many values
	box          // request_box
	control      // begin_boxcar, end_boxcar, abort_boxcar
)

// call is something that can be called.
type call struct {
	kind    kind
	name    string // for faults and logs
	target  dataservice.CallQuery
	status  bool   // returnRequestStatus
	whole   bool   // disableStreaming
	refused string // why it is not supported; empty: it is
}

// calls are those of a service. They are not changed once made.
type calls struct {
	named  map[string]*call // operations
	folded map[string]*call // resources, by exchange.Fold
}

func callsOf(s *dataservice.Service) *calls {
	all := &calls{named: make(map[string]*call), folded: make(map[string]*call)}
	for _, r := range s.Resources {
		one := &call{name: r.Name(), target: r.Call, status: r.ReturnStatus, whole: !r.Streaming, refused: r.Unsupported}
		all.folded[exchange.Fold(r.Method+r.Path)] = one
		if s.Batches(&r.Call) {
			many := *one
			many.kind = batch
			all.folded[exchange.Fold(r.Method+r.Path+dataservice.BatchSuffix)] = &many
		}
	}
	for _, o := range s.Operations {
		one := &call{name: o.Name, target: o.Call, status: o.ReturnStatus, whole: !o.Streaming, refused: o.Unsupported}
		all.named[o.Name] = one
		if s.Batches(&o.Call) {
			many := *one
			many.kind = batch
			all.named[o.Name+dataservice.BatchSuffix] = &many
		}
	}
	for _, name := range s.BoxOperations() {
		if s.BoxOperation(name) {
			all.named[name] = &call{kind: control, name: name}
		}
	}
	if c := all.named[dataservice.RequestBox]; c != nil && c.kind == control {
		c.kind = box
	}
	return all
}

// named finds what a name calls; nil: nothing.
func (a *calls) byName(name string) *call {
	if c := a.named[name]; c != nil || !strings.HasPrefix(name, "_") {
		return c
	}
	return a.folded[exchange.Fold(name)]
}

// find gives what an element in a body calls; or, if it calls nothing, an action
// or the operation in the path.
func (a *calls) find(body *exchange.Element, action, operation string) (*call, error) {
	action = strings.TrimPrefix(strings.Trim(strings.TrimSpace(action), `"`), "urn:")
	byAction := a.byName(action)
	if byAction == nil {
		byAction = a.byName(operation)
	}
	said := action
	if body != nil {
		said = body.Name
		switch c := a.byName(body.Name); {
		case c == nil:
		case byAction != nil && byAction != c:
			return nil, refuse(client, "the action says %q, the body %q", exchange.Clip(byAction.name), exchange.Clip(body.Name))
		default:
			return c, nil
		}
	}
	if byAction == nil {
		return nil, &refusal{client, exchange.Problem{Status: http.StatusNotFound, Text: "the service has no operation " + exchange.Clip(said)}}
	}
	return byAction, nil
}
