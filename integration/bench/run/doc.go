// Package run has the libraries do the same work in turn, and collects the samples.
//
// All peers work on the same servers in the same run: three of them, which force every transaction to the disk. A round
// measures every row of a group with every peer; the order of the peers is reversed from round to round, so that what changes slowly,
// as on a shared machine, meets all of them alike. What passes on the wire is counted afterwards, through proxies, which would cost time.
package run
