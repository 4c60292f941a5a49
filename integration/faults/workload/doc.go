// Package workload has the work that the fault laboratory's clients do, one workload a file: what a client does
// and writes down, and what has to be true of the history of all of them.
//
// To add one, write a file with a function that returns a [Workload], and name it in [All]; see package faults.
package workload
