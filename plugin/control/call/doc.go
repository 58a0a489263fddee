// Package call is what one host of the group is asked to do for others: to try an
// operation, to fetch a WSDL document, to tell how it would place buckets, to take
// a reply. It holds both sides of each verb: the question, which is sent to one
// member, and what a host installs to answer it. An *failure.Error of a host
// reaches who asked with its code.
package call
