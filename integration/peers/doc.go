// Package peers holds the tests that other clients work with zktest: Kazoo, for Python, and
// Curator, for Java, as Debian packages them. Each has a program in testdata that tries one
// thing after the other, and runs against zktest and against a real server: what fails on
// both is the program's own fault.
//
// A program is given the address of a server, and says on its standard output what it does,
// a line for each thing:
//
//	ok NAME            a check has passed
//	failed NAME: WHY   it has not
//	please drop        all connections are to be dropped; "done" is the answer
//	please expire ID NODE
//	                   the session with that id and that ephemeral node is to expire
//	end N              all N checks were tried
package peers
