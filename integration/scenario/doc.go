// Package scenario holds the tests that show, on real servers, what zookit
// promises about locks while servers, links and processes fail. Each file is one
// kind of failure.
package scenario
