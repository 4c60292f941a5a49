// Package worker is a process of the fault laboratory that does the work: it has clients of its own, writes
// histories, and is killed, stopped and lied to. The laboratory tells it what to do on its standard input, and
// it answers on its standard output, a line of JSON each. It ends with its standard input.
package worker
