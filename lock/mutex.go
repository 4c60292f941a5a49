package lock

import (
	"context"
	"fmt"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// Mutex is a lock on a path that one holder has at a time, in the order in which
// they asked for it.
//
// A Mutex is safe for concurrent use: each call of Lock stands in line for
// itself. It does not know who calls it: whoever holds the lock and asks for it again by Lock
// waits for itself, until its context ends; [Held.Again] is for that. It holds nothing between
// calls and need not be closed.
type Mutex struct {
	path string
	line *recipes.Line
	err  error
}

// NewMutex returns the lock on path: the directory in which its contenders have their
// nodes, made with its parents when it is first used. Nothing is sent; a path
// or an option that cannot be is reported by the first call.
func NewMutex(cl *client.Client, path string, opts ...Option) *Mutex {
	return newMutex(cl, path, recipes.LineConfig{}, opts)
}

// newMutex returns a lock whose contenders are of the kind, and wait by the rule, of cfg.
func newMutex(cl *client.Client, path string, cfg recipes.LineConfig, opts []Option) *Mutex {
	m := &Mutex{path: path}
	cfg.Data = []byte(defaultIdentifier())
	for i, opt := range opts {
		if opt == nil {
			m.err = fmt.Errorf("lock %s: %w: option %d is nil", path, client.ErrBadArgument, i)
			return m
		}
		if err := opt(&cfg); err != nil {
			m.err = fmt.Errorf("lock %s: %w", path, err)
			return m
		}
	}
	line, err := recipes.NewLine(cl, path, cfg)
	if err != nil {
		m.err = fmt.Errorf("lock %s: %w", path, err)
		return m
	}
	m.line = line
	return m
}

// Path returns the path of the lock, as it was given.
func (m *Mutex) Path() string { return m.path }

// invalid returns why this cannot be a lock, if it cannot.
func (m *Mutex) invalid() error { return m.err }

// Lock waits for the lock. It returns the error of ctx if that ends first, and
// other errors only where waiting is pointless: [ErrLayoutConflict], and
// what the client or the server refuses (client.ErrClosed, client.ErrNoAuth,
// client.ErrBadPath, client.ErrBadArgument, ...). Whatever the error, nothing is left behind. Lost
// connections and sessions do not end the wait; a lost session costs its place in line.
//
// Without contention, Lock and Unlock are three requests in two round trips.
func (m *Mutex) Lock(ctx context.Context) (*Held, error) {
	if m.err != nil {
		return nil, m.err
	}
	return held(m.line.Acquire(ctx))
}

// TryLock is Lock without the wait: [ErrBusy] says that somebody else is in the way.
// ctx bounds the requests that it takes to find out. A lock that was unlocked just now
// may still look busy to another client for a moment.
func (m *Mutex) TryLock(ctx context.Context) (*Held, error) {
	if m.err != nil {
		return nil, m.err
	}
	return held(m.line.TryAcquire(ctx))
}

func held(g *recipes.Grant, err error) (*Held, error) {
	if err != nil {
		return nil, err
	}
	return newHeld(g, &shared{users: 1}), nil
}

// Do runs fn under the lock. The context that fn gets is ctx, ended in addition the moment
// the lock is lost; the cause tells which. Do unlocks when fn returns or panics, also
// when ctx has ended, and returns when the lock blocks nobody any more: in
// the worst case, with no server in reach, after one session timeout. What fn has taken by
// [Held.Again] and not unlocked keeps the lock held beyond that.
//
// The error is that of Lock, and fn has not run; or that of fn; together with
// [ErrLost] if the lock was lost before fn returned, even if fn says nil: what it
// did last may have overlapped with the next holder, unless it was fenced.
func (m *Mutex) Do(ctx context.Context, fn func(ctx context.Context, held *Held) error) error {
	return do(ctx, m.Lock, fn)
}
