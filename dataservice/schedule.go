package dataservice

import "fmt"

// Schedulable tells whether a task may run an operation (WSO2:
// DSTaskUtils.getAllSchedulableDataServices, getNoParamDSOperations). If it may
// not, reason is a sentence for the person who asked.
func (s *Service) Schedulable(operation string) (reason string, ok bool) {
	o := s.Operation(operation)
	switch {
	case boxcarOperation(operation):
		return fmt.Sprintf("operation %s of service %s controls a boxcarring session, it does no work of its own", operation, s.Name), false
	case o == nil:
		return fmt.Sprintf("service %s has no operation %s", s.Name, operation), false
	case !s.Active:
		return fmt.Sprintf("service %s is inactive", s.Name), false
	case !s.HTTP():
		return fmt.Sprintf("service %s has no HTTP endpoint", s.Name), false
	case o.Unsupported != "":
		return fmt.Sprintf("operation %s of service %s is not served: %s", operation, s.Name, o.Unsupported), false
	case len(o.Call.Params) > 0:
		return fmt.Sprintf("operation %s of service %s has input parameters", operation, s.Name), false
	}
	return "", true
}

func boxcarOperation(name string) bool {
	switch name {
	case BeginBoxcar, EndBoxcar, AbortBoxcar, RequestBox:
		return true
	}
	return false
}
