// Package adminapi is the REST interface to scheduling that every host serves:
// programs create, change, list and control tasks through it, and read runs.
// What it can do is what package control can; it adds HTTP, and says who may.
//
// # Durable, and safe to be sent again
//
// An answer of 200, 201 or 202 to a write is given after the cluster has it
// durably, never before. A write may be sent again at any time: PUT, PATCH,
// DELETE, pause and resume are idempotent, and POST (a creation, a run) is with
// an Idempotency-Key header: the first request of a key is carried out, the
// others get what came of it, with "repeated": true. A key belongs to its
// caller, and is remembered for the configured retention.
//
// An answer of 503 or 504 with code "unavailable" means that nothing was done;
// "unknown_outcome" that it may have been: send the same again, with the same
// key.
//
// # Versions
//
// A task's ETag is its revision. If-Match makes a PUT, PATCH or DELETE
// conditional: 412 when the task is at another one. If-None-Match: * makes a
// PUT a creation.
//
// # Errors
//
// Every error is application/problem+json (RFC 9457) with the members code (of
// package failure, stable), and hint where there is a next step.
//
// # Bulk
//
// POST /api/v1/orders takes thousands of orders in one request, each with a verb
// and an idempotency key of its own, and answers with one result for each, in
// their order. Orders about the same task are carried out in the order given,
// the others side by side. When the connection breaks, what was not carried out
// is not: send the same again.
package adminapi
