// Package web calls others on behalf of tasks: by HTTP, and by SOAP 1.1 and 1.2
// (WSO2: ntask.solutions, WebServiceCallTask). It holds no state and starts no
// goroutine.
//
// # What is sent
//
// Every request carries the fire id as Idempotency-Key, the same at each
// attempt, so that a receiver can tell a repeat: it is all that can be done for
// a system that keeps no record for us, and why such tasks are at-least-once at
// best. Bodies and payloads are templates of package render over Data. Header
// values may refer to secrets of the host, which are read at each call and
// appear in no definition, error or log.
//
// # What is believed of the answer
//
// A call succeeds if its status is one of those expected and its condition, if
// it has one, holds of the answer, which is XML or JSON. Everything else is a
// failure with its reason. A failure is NotSent if no connection was made:
// address refused, name not found, nobody listening, template or secret
// missing. SOAP 1.1 goes through gowsdl's client; a Fault is a failure with its
// text, at whatever status it comes.
//
// A call that the host's rules refuse (task.Refused), at once or after a redirect,
// has failed for good.
//
// Where it may call is decided by the client that it is given: addresses,
// redirects, proxy and TLS are the host's to say.
package web
