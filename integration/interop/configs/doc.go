// Package configs holds the tests that settings of package config are shared with Kazoo and Curator, in
// processes of their own, on a real server: what each of them writes comes to all that watch, nobody loses an
// update to another kind, and zookit's histories are in nobody's way; and that zookit's watches outlive what servers and
// links can do to them.
//
// A program in testdata is one client. It is told on its standard input, a line for each order, and says
// on its standard output what has come of it. Data is in hexadecimal, "-" stands for empty data and "gone" for a node
// that is not there:
//
//	watch KIND PATH      follow a node: "data KIND PATH DATA", each time; KIND is data (Kazoo's DataWatch, Curator's
//	                     NodeCache), tree (TreeCache of both) or shared (Curator's SharedValue)
//	children PATH        follow a node's children: "children PATH NAME,NAME" (Kazoo's ChildrenWatch)
//	set PATH DATA        write, and make the node if there is none: "done"
//	shared PATH DATA     write by SharedValue: "done"
//	delete PATH          "done"
//	add PATH N           count up N times, by SharedCount's trySetCount or Kazoo's Counter: "done"
//	failed WHY           said of whatever has failed
package configs
