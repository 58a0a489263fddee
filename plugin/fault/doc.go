// Package fault breaks a host on purpose, at named points of the firing path,
// so that tests can kill it between any two steps. It does so in builds with the
// tag faultinject alone: in every other build its functions give back what they
// are given, and nothing of it is left in the program.
//
// It stands at the engine's ports, Log and Invoker, and needs nothing in the
// engine itself. Each point is passed before or after one step:
//
//	before-acquire  after-acquire   a bucket becomes this member's
//	before-claim    after-claim     a batch with claims is committed
//	before-call     after-call      a run reaches its target
//	before-settle   after-settle    a batch with settlements is committed
//	before-fold     after-fold      the log is folded into the page
//	before-release  after-release   a bucket is set free
//
// A host that is built so reads, once, from its environment:
//
//	BELFRY_FAULTS=after-claim#3=kill,before-call=stall:2s
//
// that is, points with what happens there the third (first, by default; each, if
// the number is *) time that one is passed: kill ends the process as SIGKILL does, stall:TIME stays
// there for so long, and lose, after a commit, makes an outcome unknown that was
// none. And
//
//	BELFRY_FAULT_CLOCK=FILE
//
// names a file with a duration, such as -2s, by which the host's wall clock is
// off. It is read again whenever it changed, within 50 ms. What measures time
// that has passed is not affected, as on a real machine.
//
//	BELFRY_FAULT_PLANT=no-fence,run-first
//
// plants bugs, so that it is seen that tests would find them: an owner commits
// what it decided before an edit, or runs what is not yet claimed.
package fault
