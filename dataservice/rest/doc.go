// Package rest serves one data service over plain HTTP: its resources by method
// and path, its operations by name. SOAP is not its business, nor is finding the
// service that a path means; the host does both.
//
// # Requests
//
// An operation answers GET and POST at its name, as the original's HTTP binding
// does; a resource answers its method at its path, and POST, or what
// reads also GET, at the name that SOAP clients have for it (_postproduct). Where several could answer, a resource at
// its path does. Where several resources could, a literal segment beats a
// variable one, from left to right; then the earlier in the descriptor wins.
//
// Parameters come from, the later winning: the query string; the body, a form,
// JSON or XML; the variables of the path. A repeated name is an array. A name
// that no parameter has is ignored, as in the original. Absent, empty and null
// differ: JSON's null, an empty JSON array and xsi:nil="true" are null.
//
// A JSON body is an object of parameters, or an object whose only member is one:
// an envelope. The original's clients call it like the operation ({"getX":{"id":1}})
// or the resource ({"_postproduct":{…}}), but it may have any name, as there. An XML
// body is one element of any name, in any namespace, whose children are the
// parameters.
//
// A batch (…_batch_req) takes {"op_batch_req":{"op":[{…},{…}]}}, or the same in XML,
// under any names; a box (request_box) takes an object, or an element, whose members are bodies with
// their envelopes, in their order, batches among them. The operations of
// boxcarring sessions and what a session does, package exchange says.
//
// # Answers
//
// Accept chooses between JSON and XML, by quality; when both are equally welcome
// or nothing is said, a result that the descriptor describes as JSON comes as
// JSON, any other as XML; so too if the header names neither. 406 if it refuses both
// (q=0).
//
// A query without a result answers 202 with an empty body, as in the original,
// or 200 with REQUEST_STATUS if the descriptor says returnRequestStatus.
//
// How an answer is held back and what becomes of a failure, package exchange
// says. A failure is a DataServiceFault; in JSON,
// {"Fault":{"faultcode","faultstring","detail":{"DataServiceFault":{…}}}}.
//
// # Cross-origin
//
// A browser that says it acts for another site (Sec-Fetch-Site, Origin) is
// refused with 403 whatever may change data: every method but GET, HEAD and
// OPTIONS, and GET where the query has no result.
package rest
