package lock

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// Mutex is a lock on a path that one holder has at a time, in the order in which
// they asked for it.
//
// A Mutex is safe for concurrent use: each call of Lock stands in line for
// itself. It is not re-entrant: whoever holds the lock and asks for it again
// waits for itself, until its context ends. It holds nothing between calls and
// need not be closed.
type Mutex struct {
	line *recipes.Line
	err  error
}

// NewMutex returns the lock on path: the directory in which its contenders have their
// nodes, made with its parents when it is first used. Nothing is sent; a path
// or an option that cannot be is reported by the first call.
func NewMutex(cl *client.Client, path string, opts ...Option) *Mutex {
	cfg := recipes.LineConfig{Data: []byte(defaultIdentifier())}
	for i, opt := range opts {
		if opt == nil {
			return &Mutex{err: fmt.Errorf("lock %s: %w: option %d is nil", path, client.ErrBadArgument, i)}
		}
		if err := opt(&cfg); err != nil {
			return &Mutex{err: fmt.Errorf("lock %s: %w", path, err)}
		}
	}
	line, err := recipes.NewLine(cl, path, cfg)
	if err != nil {
		return &Mutex{err: fmt.Errorf("lock %s: %w", path, err)}
	}
	return &Mutex{line: line}
}

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
	return &Held{grant: g}, nil
}

// Do runs fn under the lock. The context that fn gets is ctx, ended in addition the moment
// the lock is lost; the cause tells which. Do unlocks when fn returns or panics, also
// when ctx has ended, and returns when the lock blocks nobody any more: in
// the worst case, with no server in reach, after one session timeout.
//
// The error is that of Lock, and fn has not run; or that of fn; together with
// [ErrLost] if the lock was lost before fn returned, even if fn says nil: what it
// did last may have overlapped with the next holder, unless it was fenced.
func (m *Mutex) Do(ctx context.Context, fn func(ctx context.Context, held *Held) error) (err error) {
	if fn == nil {
		return fmt.Errorf("%w: the function to run under the lock is nil", client.ErrBadArgument)
	}
	held, err := m.Lock(ctx)
	if err != nil {
		return err
	}
	under, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(held.Context(), func() { cancel(context.Cause(held.Context())) })
	defer func() {
		if lost := held.Err(); errors.Is(lost, ErrLost) && !errors.Is(err, ErrLost) {
			err = errors.Join(err, lost)
		}
		stop()
		cancel(nil)
		if unlock := held.Unlock(context.WithoutCancel(ctx)); unlock != nil {
			err = errors.Join(err, unlock)
		}
	}()
	return fn(under, held)
}

// Contender is one that holds the lock or waits for it.
type Contender struct {
	// Path is its node.
	Path string
	// Identifier is the text it gave itself; see WithIdentifier.
	Identifier string
	// Session is the id of its session; 0 if its node is not ephemeral.
	Session int64
	// Token is what its Held.Token is, or will be.
	Token int64
	// Since is when it came, by the servers' clocks.
	Since time.Time
}

// Contenders lists who holds the lock and who waits for it, in order: the first one
// holds it. It costs a read, and one more for each contender. A path that does
// not exist has none.
func (m *Mutex) Contenders(ctx context.Context) ([]Contender, error) {
	if m.err != nil {
		return nil, m.err
	}
	all, err := m.line.Details(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Contender, 0, len(all))
	for _, d := range all {
		out = append(out, Contender{Path: d.Path, Identifier: string(d.Data), Session: d.Session, Token: d.Token, Since: d.Since})
	}
	return out, nil
}
