// Package resource is what the locks of the fault laboratory protect: something outside of ZooKeeper, that
// checks fencing tokens or does not. It is the judge of what happened to it: each write is noted by the
// resource itself.
package resource
