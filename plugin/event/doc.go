// Package event rings: it evaluates the conditions of event triggers, keeps
// their state (edge, hold, cool-down, digest) and delivers the messages they
// raise, once per event and subscription.
//
// # The path of an event
//
//  1. Triggers.Deploy compiles what a service's event triggers say, or refuses.
//  2. Triggers.Observe shows a query's parameters or result to a trigger. A
//     condition that holds gives a hit: bytes that hold all that the following
//     steps need, the rendered subject and text, the subscriptions, the policy.
//     The host keeps it in the transaction of the request. A trigger with a
//     memory (edge, hold) also gives a hit when its condition does not hold.
//  3. Triggers.Accept takes the hits of a request. For each trigger one commit
//     sets its state at the version read and puts the messages into the outbox.
//     The state holds which requests were accepted last, so that hits which come
//     again after a crash change nothing.
//  4. Dispatcher delivers what is in the outbox, with retries and backoff, and
//     removes what the receiver accepted.
//
// # Promise
//
// A hit that Accept took is never lost and counts once. Its message has an id
// made of the fire or request id, the service, the trigger and the
// subscription, the same whenever and wherever it is raised again, and is
// delivered until the receiver accepts it, or refuses it for good, or
// Limits.MaxAge is over. A second copy is possible only if the process dies,
// or loses its store, between the receiver's acceptance and our record of it;
// it has the same id, and a mail the same Message-ID.
//
// A replay is recognised among the last 256 firings and the last 64 plain
// requests that hit a trigger: only firings are replayed after a crash, and then
// soon. Several hits of one request on one trigger (nested queries, batches) are
// told apart by their order, so a request's hits are accepted in one call.
//
// # The policy of a trigger
//
// The zero value is the original's: it rings every time that the condition
// holds. What else can be said:
//
//   - edge: rings when the condition becomes true. It then stays silent until it
//     is re-armed: by an observation for which the condition does not hold or,
//     where a re-arm condition is given, by one for which that holds (a threshold
//     at 10 that re-arms above 15 does not chatter around 10).
//   - hold: rings only when the condition has held for so long: every observation
//     since the first that held, held. No observation says nothing, so a timer
//     rings at the end. The message is that of the latest observation.
//   - cool-down: after a ring, silence for so long. What would have rung is
//     counted, and the next message tells how many. An edge that falls into it
//     does not use up its arm: the first observation after it for which the
//     condition holds rings.
//   - digest: what rings is gathered for so long, beginning with the first, into
//     one message.
//
// They apply in this order. Time is that of the observations, and never goes
// back within a trigger.
//
// Hold and digest are durable in the trigger's state. A timer of the host rings
// them, also after a restart; in a cluster each host with the service deployed
// watches them, and the version of the state lets exactly one ring. While a
// service is not deployed, they wait.
//
// # Concurrency and errors
//
// All exported types are safe for concurrent use. Errors of a deployment name
// the trigger and, within an expression or template, line and column.
package event
