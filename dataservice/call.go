package dataservice

import (
	"context"
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

// Call asks for an operation of a deployed service, in process.
type Call struct {
	Service   string
	Operation string
	Values    Values
	// Fire is nil for a request that is not a firing.
	Fire *FireKey
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
