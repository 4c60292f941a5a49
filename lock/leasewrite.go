package lock

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// errNotOurs says that a lease to be renewed is not the holder's any more.
var errNotOurs = errors.New("somebody else has taken it, or it was released")

// written is a record that has been found on the server.
type written struct {
	record
	token int64 // the transaction that wrote it
}

// under runs step under Kazoo's lock, and again if that is lost before step is done.
func (l *Lease) under(ctx context.Context, step func(g *recipes.Grant) error) error {
	for {
		g, err := l.line.Acquire(ctx)
		if err != nil {
			return err
		}
		err = step(g)
		if r := g.Release(ctx); r != nil && ctx.Err() == nil && !errors.Is(r, client.ErrClosed) {
			l.cl.Logger().Warn("lease: its lock is not released", "path", l.path, "err", r)
		}
		if !errors.Is(err, ErrLost) && !errors.Is(err, client.ErrSessionLost) {
			return err
		}
	}
}

// write takes the lease, or renews what t stands for. What it may have written when it
// fails is t's, or is given back.
func (l *Lease) write(ctx context.Context, t *Taken) (*written, error) {
	var (
		tried []*record
		loose bool  // the last of them was written, or may have been, and has not been read since
		open  bool  // it is not known which
		seen  int64 // what the last of them was to take the place of: the transaction that wrote it
		last  *client.Session
		found *written
	)
	err := l.under(ctx, func(g *recipes.Grant) (err error) {
		last = g.Session()
		for {
			if open { // behind this, what is read is what has become of it
				if err := last.Sync(ctx, l.path); err != nil {
					return err
				}
			}
			held, stat, err := l.read(ctx, last.Ops)
			if err != nil {
				return err
			}
			// What was there before can be equal: ends are whole seconds.
			ours := func(r *record) bool { return r.equal(held) && stat.Mzxid != seen }
			if slices.ContainsFunc(tried, ours) {
				loose, found = false, &written{*held, stat.Mzxid}
				return nil
			}
			loose, open = false, false
			if err := l.busy(held); err != nil {
				return err
			}
			if t != nil && (held == nil || held.holder != l.id) {
				return errNotOurs
			}
			seen = stat.Mzxid
			next := newRecord(l.id, time.Now().Add(l.span))
			_, err = txn(g, l.holderPath(), held, stat, next).Commit(ctx)
			open = client.Outcome(err) == client.Unknown
			if loose = err == nil || open; loose {
				tried = append(tried, next)
			}
			if !lookAgain(ctx, err) {
				return err
			}
		}
	})
	switch {
	case err == nil:
		return found, nil
	case !loose:
		return nil, err
	case t != nil:
		t.maybe(tried)
	default:
		last.Cleanup("release lease "+l.path, func(ctx context.Context) error { return final(l.drop(ctx, tried)) })
	}
	return nil, &client.OpError{Op: "multi", Path: l.holderPath(), Outcome: client.Unknown, Err: err}
}

// txn writes next where held was read.
func txn(g *recipes.Grant, path string, held *record, stat client.Stat, next *record) *recipes.Txn {
	if held == nil {
		return g.Txn().Create(path, next.bytes())
	}
	return g.Txn().Set(path, next.bytes(), stat.Version)
}

// lookAgain tells whether the holder has to be read again: to see what was written; or whether it was;
// or because somebody has changed it without the lock.
func lookAgain(ctx context.Context, err error) bool {
	if err == nil {
		return true
	}
	if errors.Is(err, ErrLost) || ctx.Err() != nil || errors.Is(err, client.ErrClosed) {
		return false
	}
	for _, meanwhile := range []error{client.ErrNoNode, client.ErrNodeExists, client.ErrBadVersion} {
		if errors.Is(err, meanwhile) {
			return true
		}
	}
	return client.Outcome(err) == client.Unknown && !errors.Is(err, client.ErrSessionLost)
}

// drop deletes the holder if it is one of those given: then nobody has the lease, as for Kazoo.
func (l *Lease) drop(ctx context.Context, which []*record) error {
	return l.under(ctx, func(g *recipes.Grant) error {
		for {
			if err := g.Session().Sync(ctx, l.path); err != nil {
				return err
			}
			held, stat, err := l.read(ctx, g.Session().Ops)
			if errors.Is(err, ErrLeaseFormat) {
				return nil // so it is somebody else's
			}
			if err != nil || !slices.ContainsFunc(which, func(r *record) bool { return r.equal(held) }) {
				return err
			}
			_, err = g.Txn().Delete(l.holderPath(), stat.Version).Commit(ctx)
			if !lookAgain(ctx, err) {
				return err
			}
		}
	})
}

// final is for the janitor: nil ends its tries.
func final(err error) error {
	if client.Outcome(err) == client.Definite || errors.Is(err, client.ErrClosed) {
		return nil
	}
	return err
}

// giveBack drops the lease, in the background if ctx ends first.
func (l *Lease) giveBack(ctx context.Context, which []*record) error {
	for {
		s, err := l.cl.Session(ctx)
		if err != nil {
			return err
		}
		settled := make(chan error, 1)
		s.Cleanup("release lease "+l.path, func(ctx context.Context) error {
			err := l.drop(ctx, which)
			if final(err) == nil {
				settled <- err
			}
			return final(err)
		})
		select {
		case err := <-settled:
			return err
		case <-ctx.Done():
			return fmt.Errorf("the release goes on in the background: %w", context.Cause(ctx))
		case <-s.Context().Done():
		}
		select {
		case err := <-settled:
			return err
		default:
		}
		if over := context.Cause(s.Context()); errors.Is(over, client.ErrClosed) {
			return over
		}
	}
}

// lookEvery bounds a wait for the end of a lease: clocks can be set meanwhile.
const lookEvery = time.Minute

// awaitNews returns when one of the leases may have become free.
func awaitNews(ctx context.Context, leases ...*Lease) error {
	wait := lookEvery
	news := make(chan struct{}, len(leases))
	for _, l := range leases {
		data, _, w, err := l.cl.GetW(ctx, l.holderPath())
		if errors.Is(err, client.ErrNoNode) {
			return nil
		}
		if err != nil {
			return err
		}
		defer w.Remove()
		held, err := parseRecord(data)
		if err != nil {
			return fmt.Errorf("%s: %w", l.holderPath(), err)
		}
		if l.busy(held) == nil {
			return nil
		}
		wait = min(wait, time.Until(held.end.Add(l.margin)))
		stop, ended := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(ended)
			select {
			case <-w.C:
				news <- struct{}{}
			case <-stop:
			}
		}()
		defer func() {
			close(stop)
			<-ended
		}()
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-news:
	case <-timer.C:
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrBusy, ctx.Err())
	}
	return nil
}
