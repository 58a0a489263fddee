// Package timer raises events and gives them to handlers: the timer service and
// the kickers of a host.
//
// # Events and handlers
//
// An event has a name and data. A host raises "start" once, when it is ready,
// and "timer" whenever a timer is due. The handlers' configuration lists which
// handler is for which events and, by conditions on the data, for which of
// them: several handlers may be for one event, and each is called, in the order
// of the file.
//
// The timer service itself is such a handler, of the event "start": without that
// entry a host has none, publishes none, and no timer is placed on it. A timer that
// is due before it is launched, as after a restart, waits for it. It makes
// the timers of the configuration tasks, which any host with a timer service may
// fire, and which are seen and controlled like other tasks.
//
// # When a timer is due
//
// A timer is a task of kind timer: name, trigger, data. Its firing raises
// "timer" with the data of the timer, and with _taskName, _fireId, _scheduled
// and _attempt. The firing succeeds if every handler that is for it does. At a
// further attempt at the same firing the handlers that succeeded are not called
// again.
//
// # When a handler fails
//
// The firing has failed, and the next may be delayed: by what the timer says
// (a least delay, doubled with each further failure in a row up to a limit), or
// by what the handler asks for, whichever is longer. Instants within the delay
// are skipped, with reason BACKOFF. One success, and the timer is back at its
// period. A run that somebody asks for by hand is not delayed.
//
// # What is remembered
//
// Failures in a row, and what resource kickers saw last, are kept in the
// coordination store under the task's uid, so they survive restarts and go
// where the timer goes. Memory is written after handlers were called, at the
// version that was read; when that fails, the attempt has failed and comes
// again. So a kick may come twice, with the same Idempotency-Key: of a timer
// kicker the fire id and the handler's name, of a resource kicker the task's
// uid, the handler's name, a number that grows with each change, and a digest
// of the state.
package timer
