// Package openapi describes the plain HTTP of a data service, its resources and
// operations, their batches and boxes, as an OpenAPI 3.0 document. It is pure.
//
// A schema is made for each result, under its query's id, and for each request's
// body. XML and JSON share them: what is a member "@id" in JSON is the attribute id
// in XML, and the element around a result is a member of one object more in JSON.
// Numbers that JSON cannot carry come as strings (package result), which the
// schemas do not say.
//
// A batch is described with its values as an array, a box with a member for each
// request that it can hold: their order, which matters, OpenAPI has no word for.
//
// OpenAPI takes paths that differ only in the names of their variables for one: the
// first one's names stand for all. What the host does not serve is left out.
package openapi
