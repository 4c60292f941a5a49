// Package faults is the fault laboratory: it makes the worst days on purpose, writes down what every client saw, and lets checkers
// decide whether a promise was broken. This package is its description; the work is done in those below.
//
//	history    what is written down: one file of JSON lines a process, merged by the machine's monotonic clock
//	workload   what clients do and write down, and what has to be true of it; one file a workload
//	models     the checkers: exclusion in real time, tokens, permits, rounds, porcupine's linearizability
//	resource   something outside of ZooKeeper that a lock protects, in this process or behind HTTP
//	sim        workloads and faults in one process, on zktest, in virtual time, under seeded schedules
//	lab        the same on real servers, with worker processes, which make faults runs:
//	stage      servers, processes, a proxy on each line between them, and what is left behind there
//	worker     the process that does the work, and is killed and stopped
//	nemesis    every fault by itself
//	schedule   which fault is done when
//	clock      a Go whose wall clock can be set, for the workers
//	report     numbers and violations
//
// # What is asserted
//
// Who holds something notes, again and again, a time at which it made sure that it still held: first the time is read, then
// the library is asked. From the moment it was told of its success until the last such note it believed; nobody
// else may believe the same at the same time. So a process that is slow to notice or to write is
// never accused of more than it has done, and one that goes on believing is caught by its own notes. A process
// that is killed believes nothing any more; one that is stopped (SIGSTOP) cannot notice, and its belief ends with
// the signal for the checker: against stopped processes only fencing helps, which the workload mutex-token
// demands without exceptions.
//
// An operation whose outcome is unknown may have been done, at any time after it began, or never. An acquire that
// failed, or of which nothing is known, gives nobody the right to do anything; what it leaves on the servers is
// found at the end: when all clients have closed, no session, watch or ephemeral or sequential node is left, and
// in a simulation no goroutine. A release that fails ends the holding all the same.
//
// # How to read a failure
//
// That of a run on real servers is described in docs/faults.md. A failing schedule of the simulation leaves a folder, and prints its name and the command that runs it again. In it are
//
//	violations.txt    which promise was broken, by whom and when
//	schedule.txt      the seed, what it made of the run, and each fault with its time
//	history.jsonl     everything that was written down, the faults among it (process "laboratory")
//	violation-N.html  porcupine's picture, where it was the judge: open it in a browser
//
// Begin with the time in violations.txt, and look in history.jsonl for the last faults before it and for what the clients named did from
// then on. Times are nanoseconds, in a simulation since its start.
//
// # How to add a workload
//
// Write one file in package workload with a function that returns a *workload.Workload, and name it in workload.All. What
// is held is written down by Env.Hold and Env.Release, and checked by models.Exclusive, models.Tokens and models.Permits; for anything else
// give the operations names, arguments and results as small structs in package models, with the checker beside them. A
// checker has to find a violation in a history that was made by hand, and nothing in a good one with unknown
// outcomes: see the tests of package models. Then try it:
//
//	go test ./faults/workload -run TestUndisturbed/NAME
//	go test ./faults/sim -run TestSchedules -v -sim.workload NAME -sim.seeds 100
//
// A program in another language takes part by writing the same lines; see history.Event.
package faults
