package ensemble

import "errors"

var (
	// ErrNoProvider says that no real ZooKeeper can be run here. The text of the
	// error that wraps it says what was tried, why it failed and what to install.
	ErrNoProvider = errors.New("no way to run ZooKeeper here")

	// ErrNotControllable says that the servers run outside, under
	// ZOOKIT_TEST_SERVERS, and cannot be stopped or changed.
	ErrNotControllable = errors.New("the servers are not ours to control")

	// ErrNoPeerCuts says that the ensemble was started without WithPeerCuts.
	ErrNoPeerCuts = errors.New("the servers cannot be cut off from each other: start the ensemble with WithPeerCuts")

	// ErrNoDisks says that the servers have no file systems of their own: the ensemble was
	// started without WithDisks, or by a provider that cannot make them.
	ErrNoDisks = errors.New("the servers have no disks of their own (WithDisks, with local processes, root and Linux)")

	// ErrClosed says that the ensemble has been closed.
	ErrClosed = errors.New("the ensemble is closed")
)
