// Package zookit is the root of a Go SDK for coordination through an existing ZooKeeper
// ensemble. It contains nothing itself; import what you need:
//
//   - package client: connections, sessions, operations, transactions, watches.
//   - package client/admin: the servers' own words about how they are.
//   - package lock: a lock that several processes share.
//   - package recipes: what such recipes are made of, for writing others.
//   - package zktest: a ZooKeeper in the test's own process.
package zookit
