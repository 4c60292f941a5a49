// Package etcd starts the servers that the worker of etcd is measured on: three members on this machine, each a process of its own with its
// data on the disk, as ZooKeeper's servers are, and with etcd's defaults, by which every write is forced to the disk.
package etcd
