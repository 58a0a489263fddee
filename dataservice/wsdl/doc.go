// Package wsdl describes a data service to SOAP clients: as WSDL 1.1, as WSDL 2.0,
// and the XML schema of both, equivalent to what the original publishes (WSO2:
// DataServiceDocLitWrappedSchemaGenerator, DBDeployer; Axis2 writes it down). It
// is pure.
//
// # Names
//
// An operation op has the input element op, the messages opRequest and opResponse
// and the action urn:op. The output is the result's own element, REQUEST_STATUS,
// or, where its shape is not known, DATA_SERVICE_RESPONSE; without any, the
// operation is one-way and has no fault. Resources are operations too, named "_",
// method and path (Operation). An input whose name is also that of a result has
// a number after it, from 2; the action then says what is called.
//
// # Types
//
// The elements of an input stand in the order of the query's parameters, each
// nillable, and once unless they are optional or an array. Those of a result
// stand in the order of the mapping; optional ones and those for certain roles
// may be absent. Where two results share an element but not their fields, the
// type has them all and those that are not common may be absent; the original
// describes the first alone.
package wsdl
