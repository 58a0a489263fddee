package dataservice

import "fmt"

// FaultCode is the original's ds_code (WSO2: DBConstants.FaultCodes).
type FaultCode string

// The fault codes.
const (
	DatabaseError          FaultCode = "DATABASE_ERROR"
	ConnectionUnavailable  FaultCode = "CONNECTION_UNAVAILABLE_ERROR"
	ValidationError        FaultCode = "VALIDATION_ERROR"
	IncompatibleParameters FaultCode = "INCOMPATIBLE_PARAMETERS_ERROR"
	UnknownError           FaultCode = "UNKNOWN_ERROR"
)

// FaultKind tells a transport and a scheduler what kind of failure it was.
type FaultKind uint8

// The kinds of faults. The transport maps them to a status.
const (
	FaultInternal        FaultKind = iota // our side or the database: 500
	FaultInput                            // the request is wrong: 400
	FaultNotFound                         // no such service, operation, resource: 404
	FaultInactive                         // the service is deployed but inactive: 503
	FaultUnsupported                      // described, but not supported yet: 501
	FaultUnreachable                      // no connection to be had, nothing was sent: 503
	FaultTimeout                          // took too long: 504
	FaultLimit                            // a bound was exceeded: rows, bytes, nesting: 500
	FaultBusy                             // concurrency exhausted: 429
	FaultInProgress                       // the same firing is being executed elsewhere
	FaultExpired                          // the firing was claimed before the inbox's horizon
	FaultUnauthenticated                  // nobody known asks for what not everybody may: 401
	FaultForbidden                        // the caller lacks a role: 403
)

// Fault is what a request ends with when it fails (WSO2: DataServiceFault).
// Message is safe to show to the client; Err, the cause, is for the log.
type Fault struct {
	Code    FaultCode
	Kind    FaultKind
	Message string
	Service string
	Request string            // operation or resource
	Query   string            // may be empty
	Params  map[string]string // current_params; may be nil
	// Final, of a firing: it is certain that nothing of it took effect, or the
	// inbox has recorded that it failed. Otherwise only asking again tells.
	Final bool
	Err   error
}

// Error gives code and message.
func (f *Fault) Error() string { return fmt.Sprintf("%s: %s", f.Code, f.Message) }

// Unwrap gives the cause.
func (f *Fault) Unwrap() error { return f.Err }
