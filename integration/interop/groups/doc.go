// Package groups holds the tests that zookit's elections and barriers share a path with those of
// Kazoo and Curator, in processes of their own, on a real server: leaderships and rounds go around
// among the kinds, leaders are killed, expire and hand over, and nobody leads beside another one or
// waits for ever.
//
// A program in testdata is several members, each with a session of its own. It is told what
// they are to do on its standard input, and says on its standard output what they have done, a line
// for each thing that begins with the member's name. zookit's members, in the test's own
// process, are told and say the same by and large:
//
//	open TIMEOUT               make a session, with a timeout in milliseconds: "opened"
//	stand KIND PATH WITNESS    be a candidate from now on: "leads", each time; KIND is latch or selector
//	yield                      give the leadership up, and be a candidate again
//	handover ID                likewise, to that candidate: zookit's only
//	set PATH, remove PATH      close, open a barrier: "set", "removed"
//	wait PATH WITNESS          wait at a barrier: "through"
//	enter PATH N WITNESS       enter a double barrier: "in"
//	leave WITNESS              leave it: "out"
//	failed WHY                 said of whatever has failed
//
// The witnesses are judged, not the order in which lines arrive. They are nodes that a member
// makes by a plain create. Of leaders there is one, ephemeral and in the leader's own session: who finds
// it there when it begins to lead says "clash". At barriers each passage has a node, whose
// transaction id tells whether it came after what has allowed it.
//
// What the libraries do wrong among themselves is not what is tested here, so the tests are built
// around it: see the comments there.
package groups
