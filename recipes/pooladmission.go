package recipes

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/zookit/zookit/client"
)

// errPointless is the cause of the end of a wait in line, when a look at the pool has
// shown that there is nothing to wait for.
var errPointless = errors.New("the pool cannot be used")

// admission is the place at the head of a pool's line: whoever has it, and nobody else, makes
// permits.
type admission struct {
	pool    *Pool
	session *client.Session
	place   *Grant
	n       int
	try     bool
	seen    *view // not older than the place, or a guess; nil: look
}

// admit gets to the head of the line, and looks at the pool meanwhile. If nobody was ahead
// that look serves: it is the last but for those who came and went within the round trip
// that it took, and what was overlooked shows when the permits are counted again. A pool that
// was not seen before is looked at first, since a line must not be made in what is
// something else; so is one that is only tried.
func (p *Pool) admit(ctx context.Context, s *client.Session, n int, try, known bool) (*admission, error) {
	a := &admission{pool: p, session: s, n: n, try: try}
	waiting, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var looked chan error
	look := func() error {
		seen, err := p.look(waiting, s)
		if err == nil {
			err = a.serves(seen)
		}
		a.seen = seen
		return err
	}
	if try || !known {
		if err := look(); err != nil {
			return nil, err
		}
	} else {
		looked = make(chan error, 1)
		go func() {
			err := look()
			if err != nil && !passing(err) {
				stop(errPointless)
			}
			looked <- err
		}()
	}
	var ahead atomic.Bool
	line, err := p.newLine(func(before []Contender, own Contender) (Contender, bool) {
		if len(before) > 0 {
			ahead.Store(true)
		}
		return DirectlyAhead(before, own)
	})
	if err == nil {
		enter := line.Acquire
		if try {
			enter = line.TryAcquire
		}
		a.place, err = enter(waiting)
	}
	if err != nil {
		stop(err) // the look is of no use any more
	}
	if looked != nil {
		if why := <-looked; why != nil && !passing(why) && (err == nil || errors.Is(context.Cause(waiting), errPointless)) {
			err = why
		}
	}
	if err == nil && a.place.Session() != s {
		err = fmt.Errorf("%w: %w", errNotOwned, client.ErrSessionLost)
	}
	if err != nil {
		a.leave(ctx)
		return nil, err
	}
	if ahead.Load() {
		a.seen = nil
	}
	return a, nil
}

// serves says what is final about a look.
func (a *admission) serves(v *view) error {
	switch {
	case a.n > v.limit:
		return overLimit(a.n, v.limit)
	case a.try && !v.room(a.n):
		return a.full(v)
	}
	return nil
}

func (a *admission) full(v *view) error {
	return fmt.Errorf("%w: %d of %d permits are held, and %d are wanted", ErrBusy, len(v.permits), v.limit, a.n)
}

// leave gives the place in line up, in the background.
func (a *admission) leave(ctx context.Context) {
	if a.place == nil {
		return
	}
	a.pool.mu.Lock()
	a.pool.last = a.place // those before it are gone, or it would not have been first
	a.pool.mu.Unlock()
	over, cancel := context.WithCancel(ctx)
	cancel()
	_ = a.place.Release(over)
}

// grant waits until there is room, and takes it. Each wake-up, whatever caused it, is
// followed by a new look.
func (a *admission) grant(ctx context.Context, since time.Time) (*Grant, error) {
	var pace pace
	for {
		select {
		case <-a.session.Detaching():
			return nil, client.ErrDetached
		default:
		}
		if err := a.place.Err(); err != nil {
			return nil, fmt.Errorf("%w: %w", errOwnGone, err)
		}
		if a.seen == nil {
			seen, err := a.pool.look(ctx, a.session)
			if err != nil {
				return nil, err
			}
			a.seen = seen
		}
		v := a.seen
		a.seen = nil
		if err := a.serves(v); err != nil {
			return nil, err
		}
		if !v.room(a.n) {
			if err := a.wait(ctx, v); err != nil {
				return nil, err
			}
			continue
		}
		paths, err := a.make(ctx, v)
		if err == nil && paths != nil {
			var g *Grant
			if g, err = a.claim(ctx, v, paths, since); g != nil {
				return g, nil
			}
		}
		if err == nil { // something else was there, or is now
			err = pace.wait(ctx)
		}
		if err != nil {
			return nil, err
		}
	}
}

// wait returns nil when it is time to look again.
func (a *admission) wait(ctx context.Context, v *view) error {
	permits, _, gone, err := a.session.ChildrenW(ctx, a.pool.permits)
	if errors.Is(err, client.ErrNoNode) {
		return nil
	}
	if err != nil {
		return err
	}
	defer gone.Remove()
	_, stat, changed, err := a.session.GetW(ctx, a.pool.path)
	if errors.Is(err, client.ErrNoNode) {
		return nil
	}
	if err != nil {
		return err
	}
	defer changed.Remove()
	if stat.Version != v.version || len(permits) < len(v.permits) {
		return nil
	}
	select {
	case <-gone.C: // also when the connection was lost, and the watches with it
		return nil
	case <-changed.C:
		return nil
	case <-a.place.Context().Done():
		return nil // and the next look says so
	case <-a.session.Detaching():
		return client.ErrDetached
	case <-a.session.Context().Done():
		return context.Cause(a.session.Context())
	case <-ctx.Done():
		return ended(ctx)
	}
}
