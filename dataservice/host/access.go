package host

import (
	"net/http"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/exchange"
)

// Authenticator finds out who makes a request. Package auth has one. Safe for
// concurrent use.
type Authenticator interface {
	// Authenticate gives nil if the request says nothing of who makes it.
	// Credentials that are wrong are an error, an exchange.Problem of which goes to
	// the client.
	Authenticate(r *http.Request) (*dataservice.Principal, error)
	// Missing is the error of a request that says nothing and should.
	Missing() error
}

// admit lets a request in to the service, whatever it asks of it, and notes who
// makes it.
func (d *deployment) admit(x *exchange.Exchange) error {
	if d.auth != nil {
		who, err := d.auth.Authenticate(x.R)
		if err != nil {
			return err
		}
		x.Caller = who
	}
	return d.refusal(d.service.Access().Check(x.Caller))
}

// permit lets the requests of a caller go on to their queries.
func (d *deployment) permit(requests ...dataservice.Request) error {
	for i := range requests {
		r := &requests[i]
		if err := d.refusal(d.allowed(r.Caller, &r.Target, r.Name)); err != nil {
			return err
		}
	}
	return nil
}

// allowed gives the fault of a caller who may not make a call; nil: it may.
func (d *deployment) allowed(caller *dataservice.Principal, call *dataservice.CallQuery, name string) *dataservice.Fault {
	f := d.service.Access().Check(caller)
	if f == nil {
		f = d.service.AccessTo(call).Check(caller)
	}
	if f != nil {
		f.Service, f.Request = d.service.Name, name
	}
	return f
}

// refusal is a fault as a client is told of it: with what it must send, if it sent
// nothing.
func (d *deployment) refusal(f *dataservice.Fault) error {
	switch {
	case f == nil:
		return nil
	case d.auth == nil:
		return unguarded(d.service)
	case f.Kind == dataservice.FaultUnauthenticated:
		return d.auth.Missing()
	}
	return f
}

// unguarded refuses what needs a caller that is known where nobody can be.
func unguarded(s *dataservice.Service) *dataservice.Fault {
	return &dataservice.Fault{
		Code: dataservice.UnknownError, Kind: dataservice.FaultUnsupported, Service: s.Name, Final: true,
		Message: "this needs authentication, and the host is configured for none (auth.users_file, auth.jwt)",
	}
}

// unguardedNote says at deployment what nobody can ask for.
func (d *deployment) unguardedNote() []dataservice.Unsupported {
	if d.auth != nil || !d.service.Secured() {
		return nil
	}
	return []dataservice.Unsupported{{
		Position: dataservice.Position{Line: 1, Column: 1}, What: "authentication",
		Why: "the host is configured for none (auth.users_file, auth.jwt): what needs a caller with a role is refused over HTTP, or left out of answers",
	}}
}
