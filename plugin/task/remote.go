package task

import "time"

// RemoteService is a service of another system that was registered by its WSDL,
// so that its operations can be scheduled.
type RemoteService struct {
	Name     string    `json:"name"`
	WSDL     string    `json:"wsdl"`     // where it was read
	Endpoint string    `json:"endpoint"` // http: or https:
	Version  string    `json:"version"`  // "1.1" or "1.2"
	Added    time.Time `json:"added,omitzero"`
	// Operations in the order of the WSDL.
	Operations []RemoteOperation `json:"operations"`
}

// RemoteOperation is an operation of a RemoteService.
type RemoteOperation struct {
	Name   string `json:"name"`
	Action string `json:"action,omitempty"`
	// Payload is the element to send; empty: the Body is.
	Payload string `json:"payload,omitempty"`
	InOnly  bool   `json:"in_only,omitempty"`
	// Parameters are what its input holds.
	Parameters []string `json:"parameters,omitempty"`
	// Why says why it cannot be scheduled. Empty: it can.
	Why string `json:"why,omitempty"`
}

// Call is what a task does that calls the operation.
func (s *RemoteService) Call(o *RemoteOperation) *Action {
	return &Action{SOAP: &SOAPCall{
		Endpoint: s.Endpoint, WSDL: s.WSDL, Operation: o.Name, Action: o.Action, Version: s.Version, Payload: o.Payload, InOnly: o.InOnly,
	}}
}
