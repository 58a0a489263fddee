// Package exchange carries one HTTP request of a data service from the door to
// its answer, whatever it speaks: plain HTTP or SOAP. A Gate bounds what runs at
// the same time in a service, and how many requests come in a second; a Binding reads requests and writes answers and
// faults in its own form.
//
// # Answers
//
// An answer is held back until it is complete or exceeds Options.Buffer, so that
// most failures have a proper status. A failure after that breaks the
// connection, so that a cut answer never looks like a whole one.
//
// # Boxcarring
//
// Between begin_boxcar and end_boxcar, which a cookie joins, what a client asks is
// kept (package boxcar) and answered with its result's element, empty, or 202; a
// batch is kept as its requests. begin_boxcar answers an empty box, since later
// clients of the original wait for an answer and earlier ones pass it over. end_boxcar executes all of it as a box.
//
// # Faults
//
// A failure is a DataServiceFault as the original's WSDL describes it (Detail).
// Unlike the original, which answers 500 to everything, the status follows the
// kind of the fault, see Status; SOAP has rules of its own. What the database
// said goes to the log, never to the client; the header X-Request-Id joins the
// two.
package exchange
