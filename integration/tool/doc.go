// Package tool has the tests of the program zookit that need real servers. All others are beside it, in cmd/zookit.
package tool
