package dataservice

import "slices"

// The operations that a service with boxcarring has besides its own, and the
// ending of those that take many requests at once.
const (
	BeginBoxcar = "begin_boxcar"
	EndBoxcar   = "end_boxcar"
	AbortBoxcar = "abort_boxcar"
	RequestBox  = "request_box"
	BatchSuffix = "_batch_req"
)

// BoxResponse is the element, in DefaultNamespace, around the answer of a box.
const BoxResponse = "DATA_SERVICE_REQUEST_BOX_RESPONSE"

// BoxOperations are those of the service: of a session (unless the descriptor
// says disableLegacyBoxcarringMode), and the one that holds a whole box.
func (s *Service) BoxOperations() []string {
	switch {
	case !s.Boxcarring:
		return nil
	case !s.LegacyBoxcarring:
		return []string{RequestBox}
	}
	return []string{BeginBoxcar, EndBoxcar, AbortBoxcar, RequestBox}
}

// BoxOperation tells whether the service has such an operation by itself: not if
// the descriptor describes one of that name.
func (s *Service) BoxOperation(name string) bool {
	return slices.Contains(s.BoxOperations(), name) && s.Operation(name) == nil
}

// Batches tells whether a call can be made with many values at once, in its
// operation or resource that ends in BatchSuffix: it has parameters, and its query
// has no result, or only tells what it changed (WSO2:
// DataServiceFactory.isBatchCompatible).
func (s *Service) Batches(c *CallQuery) bool {
	if !s.BatchRequests || len(c.Params) == 0 {
		return false
	}
	q := s.Query(c.Query)
	return q != nil && (q.Result == nil || q.ReturnGeneratedKeys || q.ReturnUpdatedRowCount)
}
