package dataservice

import (
	"context"
	"slices"
	"time"
)

// Values are the parameters of a request by name. A name that is absent was not
// given; an empty slice is an explicit null; more than one value is an array.
type Values map[string][]string

// FireKey is the idempotency key of a scheduled call. The first statement of
// the call's transaction records it in the source's inbox, so that the effect
// happens once however often the call is made.
type FireKey struct {
	ID        string
	ClaimedAt time.Time // the inbox refuses what was claimed before its horizon
}

// Principal is who makes a request, as the host has found out. It is not changed
// once it is made.
type Principal struct {
	Name  string
	Roles []string
	// Scopes are what a token is for, beside the roles: the interfaces that are not
	// data services ask for them.
	Scopes []string
	// System is the host itself, on behalf of a task that an administrator made: it
	// has every role.
	System bool
}

// Has tells whether the principal, who may be nil for nobody known, has one of
// the roles. Without roles to have, everybody does.
func (p *Principal) Has(roles []string) bool {
	if len(roles) == 0 {
		return true
	}
	return p != nil && (p.System || slices.ContainsFunc(roles, func(r string) bool { return slices.Contains(p.Roles, r) }))
}

// Call asks for an operation of a deployed service, in process.
type Call struct {
	Service   string
	Operation string
	Values    Values
	// Caller has the roles that the answer is made for; nil: none.
	Caller *Principal
	// Fire is nil for a request that is not a firing.
	Fire *FireKey
}

// Request is one call of a query, on behalf of an operation or a resource, as a
// transport has read it.
type Request struct {
	// Name of the operation or resource, for faults.
	Name   string
	Target CallQuery
	Values Values
	// ID identifies the request in events, logs and its answer: the fire id of a
	// firing, else random.
	ID   string
	Fire *FireKey
	// Status asks an in-only call to answer REQUEST_STATUS.
	Status bool
	// Whole keeps the answer until all of it is there (disableStreaming), so that
	// whatever fails is a fault.
	Whole  bool
	Caller *Principal // nil: nobody is known
}

// Box is a list of requests that are executed as one, in their order: either all
// of them take effect, or none does. They share one transaction, so that those
// that write are on one source. What a result exports is a parameter of the
// requests after it. The answer is that of the last request, in an element
// DATA_SERVICE_REQUEST_BOX_RESPONSE of DefaultNamespace.
type Box struct {
	ID       string // as that of a Request
	Requests []Request
	// Batch tells that the requests are one with many values (…_batch_req): the
	// answer is theirs, their rows in one result.
	Batch bool
}

// Observation is what a query was given, or what it returned, shown to a Hook.
type Observation struct {
	Service *Service
	Query   string
	Trigger *EventTrigger
	// Input: Document holds the parameters, as <queryId><param>value</param>…
	// without a namespace; otherwise it is the whole namespaced result.
	Input    bool
	Document []byte // XML, without declaration
	// Request identifies the request: the fire id of a firing, else random.
	Request string
	Fire    *FireKey
	At      time.Time
}

// Hook is how a plugin takes part in what the host does. The host calls it from
// many goroutines. Nothing that a Hook returns or takes makes a request fail.
type Hook interface {
	// Deploy is asked before a service is deployed, and compiles its event
	// triggers. An error refuses the deployment; one that has a Position should
	// say so in its text ("12:3: …").
	Deploy(service *Service) error
	// Undeploy tells that the service is gone.
	Undeploy(name string)
	// Observe evaluates the trigger. What it returns, nil if the condition does
	// not hold, is opaque to the host, which keeps it in the transaction of the
	// call where there is one, and hands it to Accept.
	Observe(ctx context.Context, o Observation) ([]byte, error)
	// Accept makes the hits of a request durable, after its transaction and before
	// its answer. The same hits may come again, after a crash.
	Accept(ctx context.Context, hits [][]byte) error
}
