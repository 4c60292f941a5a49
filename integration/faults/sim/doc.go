// Package sim runs the workloads of the fault laboratory in one process and in virtual time: clients, each with a network of
// its own, and an ensemble of package zktest, in a bubble of testing/synctest, under a schedule of faults that a seed makes.
//
//	go test ./faults/sim -run TestSchedules -v                                        # a few schedules of each workload
//	go test ./faults/sim -run TestSchedules -v -sim.seeds 100                         # 1,000 of 10 workloads
//	go test ./faults/sim -run TestSchedules -v -sim.workload mutex-token -sim.seed 42 -sim.seeds 1 -count 5
//	go test ./faults/sim -run TestSchedules -v -sim.faults "cut off" -sim.duration 1h # one kind of fault
//
// The seed decides how many servers and clients there are, which servers each client knows, timeouts and
// ticks, which kinds of faults are done (one alone, or a mixture), when, to whom and for how long. Then comes a calm, in which
// every client has to get on with its work, and then the end, after which nothing may be left.
//
// Each frame takes a random time of up to 2 ms, or more while its link is slow. A client process that is killed has its
// connections reset and writes no more history; its session stays until it expires, and a successor is started.
//
// # What replays
//
// The setting and the whole schedule are the same for a seed, always, and so are the choices of the workloads and the
// delays of the network as long as everything happens in the same order. That order is the same until, as a rule, the first time
// that a client has to connect again: which server it tries first, and how long it waits, is drawn by the client from a source that cannot be
// seeded; which of several ready cases a select takes and the order of maps are the runtime's own dice. So a
// seed that failed is run several times (-count): the same faults come at the same times, and what
// follows is a sibling of the run that failed. What happened in that one is in its history, whole.
//
// # What it does not do
//
// A process cannot be stopped in a bubble, since its goroutines run whenever they can; that, the clocks of clients, disks and
// real partitions between servers are for the real servers. The leader of package zktest has no clients and never fails:
// what a deposed leader does, its cut-off followers do here (zktest.Door.CutOff).
package sim
