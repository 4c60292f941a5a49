// Package counters holds the tests that zookit's counters share a node with those of Kazoo and Curator, in
// processes of their own, on a real server: all add at once, some are killed, zookit's replies and sessions are lost, and
// the totals are exact.
//
// A program in testdata is one adder: its arguments are the server's address, a kind of counter, the
// node and how often to add 1, 0 for without end. It says "did" for each that it believes to have added, and "failed WHY"
// if it gives up. zookit's adders are in the test's own process, and in a process of the test's program (see main_test.go).
//
// Who is killed may have added once more than it could say. Replies are lost for zookit's adders only: Kazoo and
// Curator add twice then (K16 and C3), which is not what is tested here.
package counters
