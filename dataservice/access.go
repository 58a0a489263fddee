package dataservice

// Access is what a request needs of its caller. The zero value needs nothing.
type Access struct {
	// Login: somebody known, whatever the roles.
	Login bool
	// Roles: one of each list that is not empty.
	Roles [][]string
}

// Open tells that anybody may call.
func (a Access) Open() bool {
	for _, roles := range a.Roles {
		if len(roles) > 0 {
			return false
		}
	}
	return !a.Login
}

// Check gives the fault of a caller who may not, and nil for one who may. The
// caller is nil if nobody is known.
func (a Access) Check(caller *Principal) *Fault {
	switch {
	case a.Open():
		return nil
	case caller == nil:
		return &Fault{Code: UnknownError, Kind: FaultUnauthenticated, Final: true, Message: "credentials are needed"}
	}
	for _, roles := range a.Roles {
		if !caller.Has(roles) {
			return &Fault{Code: UnknownError, Kind: FaultForbidden, Final: true, Message: "the caller does not have a role that this needs"}
		}
	}
	return nil
}

// Access is what every request to the service needs, one for its description
// included.
func (s *Service) Access() Access {
	return Access{Login: s.RequiresSecurity, Roles: [][]string{s.Roles}}
}

// AccessTo is what an operation or a resource needs, beside what its service does:
// what the call of its query says, and what the query itself says.
func (s *Service) AccessTo(call *CallQuery) Access {
	a := Access{Roles: [][]string{call.Roles}}
	if q := s.Query(call.Query); q != nil {
		a.Roles = append(a.Roles, q.Roles)
	}
	return a
}

// Secured tells whether anything of the service needs a caller that is known.
func (s *Service) Secured() bool {
	if !s.Access().Open() {
		return true
	}
	for _, o := range s.Operations {
		if !s.AccessTo(&o.Call).Open() {
			return true
		}
	}
	for _, r := range s.Resources {
		if !s.AccessTo(&r.Call).Open() {
			return true
		}
	}
	for _, q := range s.Queries {
		if q.Result != nil && secret(q.Result.Fields) {
			return true
		}
	}
	return false
}

func secret(fields []*Field) bool {
	for _, f := range fields {
		if len(f.Roles) > 0 || secret(f.Fields) {
			return true
		}
	}
	return false
}
