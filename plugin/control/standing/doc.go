// Package standing tells how tasks stand: it replays what a bucket has stored, by
// the code that its owner uses, and says in the words of package contract what each
// task is doing, why, and what became of its runs. It also says in one line what a
// definition holds (Line).
//
// Values in, values out: who reads the bucket and the group is plugin/control.
package standing
