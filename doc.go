// Package zookit is the root of a Go SDK for coordination through an existing ZooKeeper
// ensemble. It contains nothing itself; import what you need:
//
//   - package client: connections, sessions, operations, transactions, watches.
//   - package client/admin: the servers' own words about how they are.
//   - package lock: a lock that several processes share.
//   - package election: one of several processes leads.
//   - package barrier: barriers, single and double.
//   - package queue: queues of items that are leased, acknowledged and handed out again.
//   - package counter: numbers and small values, changed exactly once.
//   - package config: settings that change while programs run.
//   - package group: who is there, and work divided over them.
//   - package discovery: services and their instances.
//   - package recipes: what such recipes are made of, for writing others.
//   - package zktest: a ZooKeeper in the test's own process.
package zookit
