// Package stage is where the fault laboratory does its work: real servers, worker processes, and a line of
// proxies between each process and each server, so that every fault can be done to one of them alone.
package stage
