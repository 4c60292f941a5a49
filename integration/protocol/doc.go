// Package protocol holds the tests of what real servers answer: operations, watches,
// credentials, configuration, read-only mode. None of that depends on how the servers are
// run. Whether zktest answers the same is tested in the package conformance.
package protocol
