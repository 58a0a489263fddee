// Package soap serves one data service over SOAP 1.1 and 1.2, document/literal, as
// its WSDL says: the operations, the resources under the names that the original
// gives them, batches of both, and the operations of boxcarring.
//
// # Requests
//
// A request is a POST of an envelope, as text/xml (SOAP 1.1) or
// application/soap+xml (SOAP 1.2); either is answered, in its own version, at
// each of a service's endpoints. With a SOAPAction, text/plain is SOAP 1.1. What is called is the element in the body, in any
// namespace; its children are the parameters. An element that is none of the
// service's is called by the action (SOAPAction, or the media type's action:
// "urn:op" or "op"), and so is an empty body. An action that names another
// operation than the body does is refused: what looks at the action alone, such
// as a proxy's rule, would be deceived.
//
// A header block that must be understood is refused, for none is; others are
// passed over. Attachments (MTOM) are not understood.
//
// A resource is called "_", its method and its path (WSO2:
// Resource.generateRequestName), of which letters and digits count, in any case.
// The element op_batch_req holds elements each with the parameters of one call;
// request_box holds elements that are each a call, or a batch.
//
// # Answers
//
// A result stands in the body while it is read from the database: nothing of it
// is copied. How an answer is held back and what becomes of a failure, package
// exchange says. A query without a result answers 202 with an empty body, or
// REQUEST_STATUS if the descriptor says returnRequestStatus.
//
// # Faults
//
// A fault's detail is a DataServiceFault. In SOAP 1.1 its code is the ds_code, as
// in the original, or Client, VersionMismatch or MustUnderstand where the envelope
// is at fault; the status is 500. In SOAP 1.2, whose codes are fixed, the ds_code
// is the subcode of Sender (status 400) or Receiver (500); the original puts it
// in the code. What HTTP has a status for (405, 413, 415, 429, and what
// concerns the caller: 401, 403) has that in both.
package soap
