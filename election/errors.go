package election

import (
	"errors"
	"fmt"

	"github.com/zookit/zookit/recipes"
)

// The errors of this package; test for them with [errors.Is]. What the client reports
// (client.ErrClosed, client.ErrNoAuth, client.ErrBadPath, client.ErrBadArgument, the context's
// error, ...) comes through wrapped.
var (
	// ErrNoLeader is returned by [Election.Leader] when there is no candidate.
	ErrNoLeader = errors.New("nobody leads")

	// ErrNoCandidate is returned by [Term.HandOver] when no candidate behind the leader
	// has the given id.
	ErrNoCandidate = errors.New("no such candidate")

	// ErrIdle is returned by [Election.Healthy] when this election neither leads nor campaigns.
	ErrIdle = errors.New("neither leading nor campaigning")

	// ErrLost is the cause of [Term.Context], and in the error of [Term.Err] and of fenced
	// transactions, when the term ended otherwise than by Resign or HandOver; the reason
	// comes with it: client.ErrSessionLost, client.ErrHoldDeleted (somebody deleted the
	// candidate's node), client.ErrUnconfirmed (no quorum has confirmed it in time) or
	// client.ErrClosed.
	ErrLost = recipes.ErrGrantLost

	// ErrResigned is the cause of [Term.Context] after [Term.Resign].
	ErrResigned = recipes.ErrReleased

	// ErrHandedOver is an ErrResigned: the cause of [Term.Context] after [Term.HandOver].
	ErrHandedOver = fmt.Errorf("handed over: %w", ErrResigned)

	// ErrLayoutConflict is returned when other candidates on the path have names in another
	// layout, or are locks: they would not see this one's. Give all programs one layout, or
	// another path; see [WithLayout] and [WithLeaderSelector].
	ErrLayoutConflict = recipes.ErrLayoutConflict

	// ErrStale is what [Election.Observe] ends with when the servers go on telling of a leader who is
	// known to have been succeeded: they have lost data, or were set back to an older state.
	ErrStale = errors.New("the servers have gone back in time")
)
