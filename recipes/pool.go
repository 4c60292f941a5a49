package recipes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/zookit/zookit/client"
)

// MaxWeight is how many permits one grant of a [Pool] can be for.
const MaxWeight = 1000

// PoolConfig says how a pool works. Nodes, and parents that are made, get the client's
// default ACL.
type PoolConfig struct {
	// Layout is whose znodes they are. Default: Curator.
	Layout Layout
	// Limit is how many permits there are: 1 to 2147483647. It has to be what the pool's
	// node says, and is written there if that says nothing; see [Pool]. No default.
	Limit int
	// Data is stored in each of this pool's own nodes, permits and places in line; by custom
	// an identifier that tells people whose they are. Default: none.
	Data []byte
	// ShortLine is that of the line; see [LineConfig].
	ShortLine int
}

// Pool is a number of permits, each an ephemeral node in a directory, behind a line: who
// is first in line takes as many permits as it wants in one transaction, as soon as there
// are so many, and makes way for the next.
//
// It contends correctly with Curator's InterProcessSemaphoreV2 on the same path, and
// in Kazoo's layout with Kazoo's Semaphore. The two cannot share a path; where one finds the
// other's nodes, or those of a [Line], it says [ErrLayoutConflict].
//
// The limit is kept as decimal digits in the data of the node at the pool's path. The first
// to come writes it; who comes later with another gets [ErrLimitConflict]. Once a Pool has
// seen its own limit there it follows what is stored, so that [Pool.SetLimit]
// changes the limit of all of them while they run. A node whose data is something else is
// somebody else's (Curator has its default data there, an address) and is left alone: then
// each program goes by the limit it was given, as Curator's and Kazoo's do.
//
// A Pool is safe for concurrent use; each call of Acquire stands in line for itself, so a
// goroutine that holds permits and asks for more may wait for itself. It need not be closed.
//
// What is promised:
//   - Never are more permits granted than the limit was when the last of them was:
//     permits are made by a transaction that the servers carry out only while its
//     place in line is there and the limit is the one that was read, and they are
//     counted once more before they are handed out.
//   - Nobody overtakes: who asks for many is not passed by those who ask for few.
//   - One waiter at a time watches the permits, the first in line; so a release wakes one.
//   - All nodes of one grant come and go together. If one of them is deleted the grant ends, and
//     the others go too.
//   - Cancelling a wait leaves no node, no watch and no goroutine behind, as with a Line.
//
// Every child of the permits' directory counts as a permit, whoever made it, as the
// libraries count.
type Pool struct {
	cl      *client.Client
	path    string
	cfg     PoolConfig
	permits string    // the directory of the permits
	line    string    // that of the line
	warned  sync.Once // these are of all lines of the pool, one for each call
	oneShot atomic.Bool

	mu     sync.Mutex
	limit  int    // as it was seen last
	agreed bool   // the pool's node has said so
	looked bool   // it is a pool that can be used
	fits   fit    // the state in which nothing foreign was found
	last   *Grant // the newest place at the head of the line
}

// NewPool returns the pool on path. No request is sent; the nodes are made when somebody asks
// for permits. The error is client.ErrBadPath or client.ErrBadArgument.
func NewPool(cl *client.Client, path string, cfg PoolConfig) (*Pool, error) {
	p := &Pool{cl: cl, path: path, cfg: cfg, limit: cfg.Limit}
	p.cfg.Data = slices.Clone(cfg.Data)
	if err := checkLimit(cfg.Limit); err != nil {
		return nil, fmt.Errorf("pool %s: %w", path, err)
	}
	if err := client.CheckPath(path); err != nil {
		return nil, fmt.Errorf("pool: %w", err)
	}
	if path == "/" {
		return nil, fmt.Errorf("pool: %w: the root cannot be one: its data is not the pool's", client.ErrBadPath)
	}
	if _, err := cfg.Layout.marker(KindMutex); err != nil { // says whether the layout can be
		return nil, fmt.Errorf("pool %s: %w", path, err)
	}
	p.permits, p.line = cfg.Layout.poolDirs(path)
	if _, err := p.newLine(nil); err != nil { // and this, whether the client can
		return nil, fmt.Errorf("pool %s: %w", path, err)
	}
	return p, nil
}

// newLine returns the line before the pool, with a rule.
func (p *Pool) newLine(rule Rule) (*Line, error) {
	l, err := NewLine(p.cl, p.line, LineConfig{Layout: p.cfg.Layout, Rule: rule, Data: p.cfg.Data, ShortLine: p.cfg.ShortLine})
	if err != nil {
		return nil, err
	}
	l.warned, l.oneShot = &p.warned, &p.oneShot
	return l, nil
}

// Path returns the path of the pool's node.
func (p *Pool) Path() string { return p.path }

// Acquire waits for n permits, 1 to MaxWeight, and returns one grant of all of them, with a
// node for each ([Grant.Paths]). Its token is the czxid of its nodes, the same for all, and
// greater than that of any grant of the pool before. (Several hold at once, so a token that
// is smaller than another one seen is not outdated: it tells which of two came later.)
//
// Errors, once ctx has ended or the wait is pointless:
//
//   - the error of ctx. What had been created is being deleted.
//   - [ErrOverLimit] if n is more than the limit, also when it was lowered meanwhile.
//   - [ErrLimitConflict], [ErrLayoutConflict].
//   - client.ErrBadArgument for an n out of range; client.ErrClosed, client.ErrDetached, and
//     whatever else the server or the client definitely refuses.
//
// Lost connections and sessions, and nodes deleted by somebody, do not end the wait; what
// ends its place in line puts it at the end again.
//
// Without contention, in a pool whose nodes this Pool has seen, it takes three round trips: the
// place in line together with a look at the pool (4 requests), the transaction (1), and a
// last look (2, and 1 more for each further permit). The place in line is given up behind
// that (1). A release is one request. A Pool's first call looks before it makes anything.
// Hooks are told of the place in line as of a grant of its own.
func (p *Pool) Acquire(ctx context.Context, n int) (*Grant, error) { return p.enter(ctx, n, false) }

// TryAcquire is Acquire without the wait: [ErrBusy] says that there are not so many permits,
// or that somebody is first in line, if only for the moment that it takes to get permits. Where
// the permits are seen to be taken no node is made.
func (p *Pool) TryAcquire(ctx context.Context, n int) (*Grant, error) { return p.enter(ctx, n, true) }

// enter repeats attempts until one ends for good.
func (p *Pool) enter(ctx context.Context, n int, try bool) (*Grant, error) {
	if n < 1 || n > MaxWeight {
		return nil, fmt.Errorf("pool %s: %w: %d permits: ask for 1 to %d", p.path, client.ErrBadArgument, n, MaxWeight)
	}
	var pace pace
	missing, since := 0, time.Now()
	for {
		g, err := p.attempt(ctx, n, try, since)
		if err == nil {
			return g, nil
		}
		if errors.Is(err, client.ErrNoNode) {
			missing++
		} else {
			missing = 0
		}
		if !passing(err) || missing > missingTries {
			return nil, p.missed(ctx, since, err)
		}
		p.cl.Logger().Debug("joining the pool's line again", "path", p.path, "attempt", pace.n+1, "err", err)
		if err := pace.wait(ctx); err != nil {
			return nil, p.missed(ctx, since, err)
		}
	}
}

// missed tells the client's hooks that there will be no grant, and returns why.
func (p *Pool) missed(ctx context.Context, since time.Time, why error) error {
	err := fmt.Errorf("pool %s: %w", p.path, why)
	p.cl.EmitGrant(client.GrantEvent{Kind: client.GrantMissed, Ctx: ctx, Path: p.permits, Waited: time.Since(since), Err: err})
	return err
}

// attempt is one try under one session, with one place in line.
func (p *Pool) attempt(ctx context.Context, n int, try bool, since time.Time) (*Grant, error) {
	s, err := p.cl.Session(ctx)
	if err != nil {
		return nil, err
	}
	end, err := s.Begin()
	if err != nil {
		return nil, err
	}
	defer end()
	p.mu.Lock()
	limit, agreed, known, last := p.limit, p.agreed, p.looked, p.last
	p.mu.Unlock()
	if n > limit {
		if !agreed { // it is that, or an error
			return nil, overLimit(n, limit)
		}
		known = false // it may have been raised
	}
	if try && last != nil {
		_ = last.Release(ctx) // it may linger, and would be in the way
	}
	a, err := p.admit(ctx, s, n, try, known)
	if err != nil {
		return nil, err
	}
	defer a.leave(ctx)
	return a.grant(ctx, since)
}

func overLimit(n, limit int) error {
	return fmt.Errorf("%w: %d permits were asked for, and there are %d in all", ErrOverLimit, n, limit)
}
