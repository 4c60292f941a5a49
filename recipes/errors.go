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
	// exclude them. So is the directory of a line that is a [Pool]'s path, and the other way round. Give all programs one layout, or another path; see also
	// [LineConfig.Tolerant].
	ErrLayoutConflict = errors.New("layout conflict")

	// ErrLimitConflict is returned when a pool is not as large as the caller says: the
	// limit stored in its node is another. Programs that disagree on it would each let in as many
	// as they believe; [Pool.SetLimit] is how it is changed.
	ErrLimitConflict = errors.New("limit conflict")

	// ErrOverLimit is returned when more permits are asked for at once than the pool
	// has: to wait for them would be to wait for ever.
	ErrOverLimit = errors.New("more than the limit")

	// ErrGrantLost is the cause of a grant's context, and in the error of
	// [Grant.Err] and [Txn.Commit], when the grant ended otherwise than by Release.
	// It comes together with the reason: client.ErrSessionLost,
	// client.ErrHoldDeleted (somebody deleted the node), client.ErrUnconfirmed (not
	// confirmed by a quorum in time) or client.ErrClosed; client.ErrSessionTaken is among
	// the first, client.ErrDetached among the last. [Resume] returns it for a grant
	// that is no more.
	ErrGrantLost = errors.New("grant lost")

	// ErrNoContender is returned by [Line.Revoke] when the contender is in the line no
	// more: there is nobody to ask.
	ErrNoContender = errors.New("no such contender")

	// ErrReleased is the cause of a grant's context after [Grant.Release], is in it after
	// [Line.Downgrade], and is what [Persistent.Check] says after [Persistent.Release].
	ErrReleased = errors.New("grant released")

	// ErrUsedUp is returned by [Line.Downgrade] when the sequence numbers of the directory
	// are used up, or soon will be: a line is then ordered by the age of its nodes, and a
	// node made now would be behind those that wait. Delete such a directory when nobody uses it.
	ErrUsedUp = errors.New("sequence numbers used up")
)
