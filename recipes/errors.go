package recipes

import "errors"

// The errors of this package; test for them with [errors.Is]. What the client
// reports (client.ErrNoAuth, client.ErrBadPath, client.ErrClosed, the context's error)
// comes through wrapped, so that it can be tested for as well. What cannot work whatever the
// server says (no client, an unknown layout) is client.ErrBadArgument.
var (
	// ErrBusy is returned by [Line.TryAcquire] when another contender is in
	// the way. Nothing was acquired and nothing is left behind.
	ErrBusy = errors.New("busy")

	// ErrLayoutConflict is returned when a child of the line's directory is a
	// contender written in another [Layout]: the programs that wrote it do not
	// see this line's contenders, so nothing that is granted here would
	// exclude them. Give all programs one layout, or another path; see also
	// [LineConfig.Tolerant].
	ErrLayoutConflict = errors.New("layout conflict")

	// ErrGrantLost is the cause of a grant's context, and in the error of
	// [Grant.Err] and [Txn.Commit], when the grant ended otherwise than by Release.
	// It comes together with the reason: client.ErrSessionLost,
	// client.ErrHoldDeleted (somebody deleted the node), client.ErrUnconfirmed (not
	// confirmed by a quorum in time) or client.ErrClosed.
	ErrGrantLost = errors.New("grant lost")

	// ErrReleased is the cause of a grant's context after [Grant.Release].
	ErrReleased = errors.New("grant released")
)
