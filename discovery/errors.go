package discovery

import "errors"

// The errors of this package; test for them with [errors.Is]. What the client reports (client.ErrClosed,
// client.ErrNoAuth, client.ErrBadArgument, ...) comes through wrapped.
var (
	// ErrNoInstance is returned when there is no instance to return: none is registered, or all are disabled, filtered
	// out or taken out after errors; the text says how many of each.
	ErrNoInstance = errors.New("no instance")

	// ErrBadInstance is returned for an instance that cannot be written, and is why one that was read is left out:
	// it is not what Curator's JsonInstanceSerializer writes.
	ErrBadInstance = errors.New("malformed instance")

	// ErrBadURISpec is returned for a template of an address that is none.
	ErrBadURISpec = errors.New("malformed URI specification")

	// ErrUnregistered is returned by [Registration.Update] after [Registration.Unregister].
	ErrUnregistered = errors.New("unregistered")
)
