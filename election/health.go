package election

import (
	"errors"
	"fmt"
	"time"

	"github.com/zookit/zookit/client"
)

// Healthy returns nil while this participant does what it should: it leads, or it stands in line
// on a connection that works. It is made for the handler of a readiness or health probe: nothing
// is sent, it takes no time, and it may be called as often as one likes. Otherwise the error says
// what is wrong:
//
//   - [ErrIdle]: neither Campaign nor Run is under way, and no term lasts. The participant that
//     everybody believes to be a candidate is none; its process had better be started again.
//   - [ErrLost] or [ErrResigned], with the reason: a term has ended, and the function that Run
//     has working under it has not returned, for the time that the error tells. It keeps this
//     participant from standing again, and if the term was resigned, others from leading. A
//     function needs some time to end; let the probe fail several times before anything follows
//     from it.
//   - client.ErrNotConnected: it stands for election, and is not connected. A leader is healthy
//     without a connection for as long as its term lasts.
//   - client.ErrClosed, client.ErrBadArgument and the like: it cannot work any more, or never could.
//
// It says nothing about whether anybody leads: see [Election.Leader].
func (e *Election) Healthy() error {
	if e.err != nil {
		return e.err
	}
	e.mu.Lock()
	seeking, terms := e.seeking, make([]*Term, 0, len(e.terms))
	for t := range e.terms {
		terms = append(terms, t)
	}
	e.mu.Unlock()
	leads := false
	for _, t := range terms {
		switch err := t.Err(); {
		case err == nil:
			leads = true
		case t.work != nil:
			return fmt.Errorf("election %s: the function that led has not returned for %s: %w", e.path, t.overFor().Round(time.Millisecond), err)
		}
	}
	switch change := e.cl.State(); {
	case change.State == client.Closed:
		return fmt.Errorf("election %s: %w", e.path, errors.Join(client.ErrClosed, change.Err))
	case leads:
		return nil
	case seeking == 0:
		return fmt.Errorf("election %s: %w", e.path, ErrIdle)
	case change.State != client.Connected:
		err := fmt.Errorf("%w: %s", client.ErrNotConnected, change.State)
		if change.Err != nil {
			err = fmt.Errorf("%w: %w", err, change.Err)
		}
		return fmt.Errorf("election %s: %w", e.path, err)
	}
	return nil
}

// overFor is for how long the term has been over.
func (t *Term) overFor() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended.IsZero() {
		return 0
	}
	return time.Since(t.ended)
}
