// Package toolrecipes holds the tests of the tool's commands for queues, counters, groups, settings and barriers on real servers:
// what is certain about them with the embedded server is so with these, also while one of them is killed.
package toolrecipes
