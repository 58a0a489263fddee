// Package boxcar keeps the requests of boxcarring sessions until their box is
// ended: begin_boxcar opens a session, what a client then asks of the service is
// kept instead of executed, and end_boxcar gives it all, to be executed as one.
//
// A session is named by a cookie, as the original's HTTP sessions are, so that its
// clients keep it by themselves. Everything is bounded (Limits): a client that
// forgets its session costs memory only until MaxAge.
//
// Source: WSO2 data services, DSSessionManager, RequestBox,
// BoxcarringDataServiceRequest.
package boxcar
