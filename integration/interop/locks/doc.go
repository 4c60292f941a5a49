// Package locks holds the tests that zookit's locks share a path with those of Kazoo, of
// Curator and of go-zookeeper: real processes of both libraries contend with zookit's clients on a real
// server, and some of them are killed, cut off or lose their sessions.
//
// Whether two hold at once is not judged by any lock. Whoever holds writes to one node, the
// ledger, through a plain client of its own, when it begins and before it ends; the versions
// that the ledger gets thereby put all moments at which somebody surely held into one order. See
// judge.
//
// Kazoo's Lock and Curator's InterProcessMutex do not notice that their session has ended, and
// go-zookeeper's Lock does not look for its own node. So the processes with these are killed, and never
// made to go on after their session. Kazoo's ReadLock waits for writers behind it up to version
// 2.8, which is Debian's, and so for ever; its program mends that.
//
// In Curator's layout all three kinds are on one path: Kazoo's locks by subclasses that have Curator's
// names, which is how it is told to. Its default names no other library sees, and the semaphores
// of the two count differently.
//
// A program in testdata is given the address of a server, the timeout of its sessions in
// milliseconds and the path of the ledger. It is told on its standard input, a line for each thing:
//
//	contend RECIPE PATH N   hold RECIPE (mutex, rw or semaphore) again and again, in N threads
//	keep MODE               keep the next holding of that mode: write, read or permit
//	take RECIPE PATH        take RECIPE (also read, election or latch) and keep it
//	stop                    finish what has been begun, say "end" and exit
//
// The end of its input ends it as well. On its standard output it says:
//
//	enter THREAD HOLDING MODE VERSION   it holds, and has given the ledger that version
//	keeps HOLDING                       and goes on to do so, as it was told
//	leave HOLDING VERSION               it held still when it gave the ledger that version
//	took PATH                           as it was told
//	failed WHY                          a thread has ended by an error
//	end                                 all threads have ended as they should
package locks
