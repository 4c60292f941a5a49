// Package queuefaults holds the tests that a queue of zookit's loses and doubles nothing on real servers, one and three, whatever
// is done to those who use it: producers and consumers are killed, cut off for longer than their session lasts, their connections
// reset, their requests and replies lost, and the leader of the servers killed.
//
// Each producer and consumer is a process, the test's own binary started again, behind proxies of its own. It writes down on its
// standard output what it is about to do, and what came of it: the history, a line for each event. history_test.go has the form of
// an event and the check, which needs nothing but the history and what was left in the queue.
package queuefaults
