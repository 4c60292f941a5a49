package recipes

import (
	"context"
	"errors"
	"fmt"

	"github.com/zookit/zookit/client"
)

// AcquirePersistent is [Line.Acquire] for what is to outlive the session, and the process: the node is
// persistent, as Kazoo's acquire(ephemeral=False) makes it. It waits its turn among
// all other contenders, and they wait for it. A wait goes on over lost connections and sessions in
// the same place. Errors are those of Acquire.
//
// Nothing is left behind by a wait that is cancelled or by lost replies. As it would stay, the node is
// deleted before the call returns; if that does not succeed within five seconds, with no server in reach, the error
// says so, and the client goes on until it is closed: let the call return before closing it. But a process that is killed while it waits, or
// before it has written down the handle, leaves its node: it blocks the line, as soon as it is
// its turn, until somebody deletes it ([Line.Break]).
//
// Without contention it costs five round trips. The client's hooks are not told of it.
func (l *Line) AcquirePersistent(ctx context.Context) (*Persistent, error) {
	return l.settle(ctx, false)
}

// TryAcquirePersistent is AcquirePersistent without the wait: it returns [ErrBusy] if somebody is in the way,
// as [Line.TryAcquire] does.
func (l *Line) TryAcquirePersistent(ctx context.Context) (*Persistent, error) {
	return l.settle(ctx, true)
}

// settle repeats attempts, one for each session, until one ends for good.
func (l *Line) settle(ctx context.Context, try bool) (*Persistent, error) {
	var (
		pl      *place
		pace    pace
		missing int
		err     error
	)
	for {
		pl, err = l.proceed(ctx, pl, try)
		if err == nil {
			return &Persistent{cl: l.cl, path: pl.path, token: pl.token}, nil
		}
		if errors.Is(err, client.ErrNoNode) {
			missing++
		} else {
			missing = 0
		}
		if !passing(err) || missing > missingTries {
			break
		}
		l.cl.Logger().Debug("waiting on", "path", l.dir, "attempt", pace.n+1, "err", err)
		if err = pace.wait(ctx); err != nil {
			break
		}
	}
	if pl != nil {
		err = withdrawn(ctx, uproot(l.cl, pl.path, pl.token), err)
	}
	return nil, fmt.Errorf("line %s: %w", l.dir, err)
}

// proceed makes a place if there is none and waits in it, for as long as one session lasts. With an
// error that is passing it returns the place in which to wait on, if it still stands; with any other
// there is none left.
func (l *Line) proceed(ctx context.Context, pl *place, try bool) (*place, error) {
	s, err := l.cl.Session(ctx)
	if err != nil {
		return pl, err
	}
	end, err := s.Begin()
	if err != nil {
		return pl, err
	}
	defer end()
	if pl == nil {
		if try {
			if err := l.glance(ctx, s); err != nil {
				return nil, err
			}
		}
		var undo *uprooting
		if pl, undo, err = l.enlist(ctx, s); err != nil {
			if undo != nil {
				err = withdrawn(ctx, undo, err)
			}
			return nil, err
		}
	}
	err = pl.wait(ctx, s, try)
	switch {
	case err == nil:
		return pl, nil
	case errors.Is(err, errOwnGone):
		return nil, err
	case passing(err):
		return pl, err
	}
	return nil, withdrawn(ctx, uproot(l.cl, pl.path, pl.token), err) // before the session may be left to another process
}
