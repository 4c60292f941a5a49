package lock

import (
	"context"
	"fmt"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// Semaphore is a number of permits on a path that several programs share: each takes
// one or several, in the order in which they asked, and gives them back by Unlock or with its
// session. With a limit of one it is a lock that any goroutine may unlock.
//
// The limit is kept on the path, in the data of its node; what is to be known of that is said at
// [recipes.Pool]. Shared with other programs, it is Curator's InterProcessSemaphoreV2,
// or Kazoo's Semaphore under [WithLayout](recipes.Kazoo). A path serves either of them, or a lock.
//
// Permits can be lost like locks, and everything that is said of that at the top of this
// package holds, but for fencing by [Held.Token]: several hold at once, so that a token smaller than
// another is not outdated. [Held.Txn] fences all the same.
//
// A Semaphore is safe for concurrent use, holds nothing between calls and need not be
// closed. A caller that holds permits and asks for more may wait for itself.
type Semaphore struct {
	path string
	pool *recipes.Pool
	err  error
}

// NewSemaphore returns the semaphore on path with so many permits, 1 to 2147483647. The limit has
// to be the stored one ([ErrLimitConflict] says if it is not), and is stored with the first use; from
// then on the stored one counts. The options are those of a mutex, without
// [WithTolerance]. Nothing is sent; a path, limit or option that cannot be is reported by the
// first call.
func NewSemaphore(cl *client.Client, path string, limit int, opts ...Option) *Semaphore {
	cfg := recipes.LineConfig{Data: []byte(defaultIdentifier())}
	for i, opt := range opts {
		if opt == nil {
			return &Semaphore{path: path, err: fmt.Errorf("semaphore %s: %w: option %d is nil", path, client.ErrBadArgument, i)}
		}
		if err := opt(&cfg); err != nil {
			return &Semaphore{path: path, err: fmt.Errorf("semaphore %s: %w", path, err)}
		}
	}
	if cfg.Tolerant {
		return &Semaphore{path: path, err: fmt.Errorf("semaphore %s: %w: WithTolerance is for locks: the permits of two layouts cannot be counted together", path, client.ErrBadArgument)}
	}
	pool, err := recipes.NewPool(cl, path, recipes.PoolConfig{Layout: cfg.Layout, Limit: limit, Data: cfg.Data, ShortLine: cfg.ShortLine})
	if err != nil {
		return &Semaphore{path: path, err: fmt.Errorf("semaphore %s: %w", path, err)}
	}
	return &Semaphore{path: path, pool: pool}
}

// Path returns the path of the semaphore, as it was given.
func (s *Semaphore) Path() string { return s.path }

// Acquire waits for n permits, 1 to recipes.MaxWeight, which are held, given back and lost
// together. It returns the error of ctx if that ends first, and other errors only where
// waiting is pointless: [ErrOverLimit], also when the limit was lowered meanwhile,
// [ErrLimitConflict], [ErrLayoutConflict], and what the client or the server refuses (client.ErrClosed,
// client.ErrNoAuth, client.ErrBadArgument, ...). Whatever the error, nothing is left
// behind. Lost connections and sessions do not end the wait; a lost session costs its place in line.
//
// Who asks for many is not passed by those who ask for few: they wait behind it, though there may be
// permits for them. Without contention it takes three round trips, and some more while the nodes are new.
func (s *Semaphore) Acquire(ctx context.Context, n int) (*Held, error) {
	if s.err != nil {
		return nil, s.err
	}
	return held(s.pool.Acquire(ctx, n))
}

// TryAcquire is Acquire without the wait: [ErrBusy] says that there are too few permits, or that
// somebody else stands in line, perhaps only for the moment that it takes to get permits.
func (s *Semaphore) TryAcquire(ctx context.Context, n int) (*Held, error) {
	if s.err != nil {
		return nil, s.err
	}
	return held(s.pool.TryAcquire(ctx, n))
}

// Do runs fn with n permits, as [Mutex.Do] does with a lock.
func (s *Semaphore) Do(ctx context.Context, n int, fn func(ctx context.Context, held *Held) error) error {
	return do(ctx, func(ctx context.Context) (*Held, error) { return s.Acquire(ctx, n) }, fn)
}

// Limit returns how many permits there are. It costs one read.
func (s *Semaphore) Limit(ctx context.Context) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	return s.pool.Limit(ctx)
}

// SetLimit changes how many permits there are, for all programs, also those that wait; no permit is
// taken away. See [recipes.Pool.SetLimit].
func (s *Semaphore) SetLimit(ctx context.Context, n int) error {
	if s.err != nil {
		return s.err
	}
	return s.pool.SetLimit(ctx, n)
}

// Holder is one that holds permits.
type Holder struct {
	// Path is its node, the first if it has several permits.
	Path string
	// Permits is how many it holds. Curator's and Kazoo's permits are one holder each.
	Permits int
	// Identifier is the text it gave itself; see WithIdentifier.
	Identifier string
	// Session is the id of its session; 0 if its node is not ephemeral.
	Session int64
	// Token is what its Held.Token is.
	Token int64
	// Since is when it got them, by the servers' clocks.
	Since time.Time
}

// Holders lists who holds permits, those who have had them longest first. It costs a read,
// and one more for each permit. A path that does not exist has none.
func (s *Semaphore) Holders(ctx context.Context) ([]Holder, error) {
	if s.err != nil {
		return nil, s.err
	}
	permits, err := s.pool.Holders(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Holder, 0, len(permits))
	for _, p := range permits {
		if last := len(out) - 1; last >= 0 && out[last].Token == p.Token { // made by one transaction
			out[last].Permits++
			continue
		}
		out = append(out, Holder{Path: p.Path, Permits: 1, Identifier: string(p.Data), Session: p.Session, Token: p.Token, Since: p.Since})
	}
	return out, nil
}
