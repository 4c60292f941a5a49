package queue

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/zookit/zookit/client"
)

// core is a queue of bytes: what does not depend on the type of the items.
type core struct {
	cl   *client.Client
	path string
	side string // where nodes are that the layout knows nothing of
	cfg  config

	lanes *lanes
	store store
	stock stock
	bound bound
	alone atomic.Bool   // the servers do not know reads in one request
	gone  atomic.Uint64 // items with ids that were acknowledged here

	mu      sync.Mutex
	made    bool   // the nodes were there
	holding uint64 // the epoch of the session that has told others that it holds items
	dead    *core
}

// store is where the items are: what differs between the layouts.
type store interface {
	// nodes are those that have to be there, parents first; all are persistent and empty.
	nodes() []string
	// conflict says ErrLayoutConflict if a child of the queue's node is another layout's.
	conflict(children []string) error
	// spot returns where an entry is to be put now.
	spot(ctx context.Context, e *entry) (spot, error)
	// look returns what there is to take, best first: n items, if there are so many.
	look(ctx context.Context, s *client.Session, n int) (*view, error)
	// arm watches for whatever can make a look return more than the last one.
	arm(ctx context.Context, s *client.Session, a *alarm) error
	// size counts the items, leased and delayed ones included.
	size(ctx context.Context) (int, error)
	// ring adds what wakes consumers when an item is given back, besides the lease's deletion.
	ring(p *plan, it *candidate)
	// lease is the path of the node by which an item is leased, "" if there are no leases.
	lease(name string) string
	// body takes an item's bytes apart: several, in Curator's queues.
	body(data []byte) (header, [][]byte, error)
	// departures is the node whose children change when an item leaves the queue.
	departures() string
}

// spot is a place for entries.
type spot interface {
	// key is equal for places that can be used in one transaction.
	key() string
	// begin and end add what goes before and behind the entries.
	begin(p *plan)
	end(p *plan)
	// prefix is the path that the sequential node of an entry is asked for with.
	prefix(e *entry) string
	// seal is what is stored for it.
	seal(e *entry) []byte
	// made is told the path of the last node that was made.
	made(ctx context.Context, path string)
	// refused is told why the place is none any more, and mends what can be mended.
	refused(ctx context.Context, why error) error
}

// entry is an item that is to be put.
type entry struct {
	id       string
	named    bool // by the caller
	priority int32
	due      int64 // milliseconds of the epoch; 0: at once
	header   header
	data     []byte
	raw      []byte // with what the layout has around it, if it is known
}

func newCore(cl *client.Client, path string, opts []Option) (*core, error) {
	cfg, err := configure(cl, path, opts)
	if err != nil {
		return nil, err
	}
	c := &core{cl: cl, path: path, side: path, cfg: cfg, lanes: newLanes(cl)}
	if cfg.layout == Native {
		c.store = newNative(c)
	} else {
		c.side = path + "-__zookit__"
		c.store = newFlat(c)
	}
	c.lanes.dir = func() string { return client.Join(c.side, "lanes") }
	c.lanes.ready, c.lanes.reset = c.ready, c.reset
	c.bound.turn = make(chan struct{}, 1)
	return c, nil
}

// reset makes the next call look for the nodes again.
func (c *core) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made = false
}

// ready sees to it that the queue's nodes are there, once, and that it is no other layout's queue.
func (c *core) ready(ctx context.Context) error {
	c.mu.Lock()
	made := c.made
	c.mu.Unlock()
	if made {
		return nil
	}
	var pace pace
	for {
		err := c.build(ctx)
		if err == nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.made = true
			return nil
		}
		if !passing(err) && !errors.Is(err, client.ErrNodeExists) && client.Outcome(err) == client.Definite || ctx.Err() != nil {
			return err
		}
		if errors.Is(err, client.ErrClosed) || errors.Is(err, ErrLayoutConflict) {
			return err
		}
		if err := pace.wait(ctx); err != nil {
			return err
		}
	}
}

// build makes what is missing, in one transaction.
func (c *core) build(ctx context.Context) error {
	have := map[string]bool{}
	for _, root := range []string{c.path, c.side} {
		children, _, err := c.cl.Children(ctx, root)
		if errors.Is(err, client.ErrNoNode) {
			if err := c.mkdir(ctx, root); err != nil {
				return err
			}
		} else if err != nil {
			return err
		}
		if root == c.path {
			if err := c.store.conflict(children); err != nil {
				return err
			}
		}
		for _, name := range children {
			have[client.Join(root, name)] = true
		}
		if c.path == c.side {
			break
		}
	}
	t := c.cl.Txn()
	for _, path := range append(c.store.nodes(), c.lanes.dir()) {
		if below := path == c.path || path == c.side || have[path]; !below {
			t.Create(path, nil)
		}
	}
	if c.cfg.lockPath != "" {
		if err := c.mkdir(ctx, c.cfg.lockPath); err != nil {
			return err
		}
	}
	_, err := t.Commit(ctx)
	return err
}

// mkdir makes a node and its parents, unless it is there. Curator's parents are containers; a queue is not, lest
// it go while nothing is in it.
func (c *core) mkdir(ctx context.Context, path string) error {
	_, err := c.cl.Idempotent().Create(ctx, path, nil, client.WithParents())
	if errors.Is(err, client.ErrNodeExists) {
		return nil
	}
	return err
}

// hold tells others, by an ephemeral node, that this session holds items of the queue: when it goes
// the one who waits for items looks again.
func (c *core) hold(ctx context.Context, s *client.Session) error {
	if c.cfg.layout != Native {
		return nil // the leases themselves are watched there
	}
	c.mu.Lock()
	told := c.holding == s.Epoch()
	c.mu.Unlock()
	if told {
		return nil
	}
	_, err := s.Idempotent().Create(ctx, client.Join(c.path, "holders/"+childOf(s)), nil, client.WithMode(client.Ephemeral))
	if err != nil && !errors.Is(err, client.ErrNodeExists) { // of another Queue in this session
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.holding = s.Epoch()
	return nil
}

// letters is the queue of the dead letters.
func (c *core) letters() *core {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead == nil {
		// Its options are known to be good.
		c.dead, _ = newCore(c.cl, client.Join(c.side, "dead"), []Option{WithOwner(c.cfg.owner), WithSegment(c.cfg.segment)})
	}
	return c.dead
}

// bury moves an item that is leased to the dead letters.
func (c *core) bury(ctx context.Context, l *lease, why string) error {
	e := l.again()
	e.named, e.header.reason, e.header.keep = false, why, 0
	if e.id == "" {
		e.id = l.it.name
	}
	return l.move(ctx, c.letters(), e, buried)
}

// conflict is an ErrLayoutConflict.
func (c *core) conflict(child string, what string) error {
	return fmt.Errorf("%w: %s is a queue in the layout %s, and its child %q is %s", ErrLayoutConflict, c.path, c.cfg.layout, child, what)
}

// sequence takes a name apart into what is before its number and the number.
func sequence(name string) (before string, number int32, ok bool) {
	cut := len(name) - 10
	if cut < 0 {
		return "", 0, false
	}
	n := int64(0)
	for _, d := range []byte(name[cut:]) {
		if d < '0' || d > '9' {
			return "", 0, false
		}
		n = n*10 + int64(d-'0')
	}
	return name[:cut], int32(n), n <= 1<<31-1
}

// familyOf says whose queue a child is part of, by its name; "" if that cannot be told.
func familyOf(name string) string {
	before, _, ok := sequence(name)
	switch {
	case name == "entries" || name == "taken":
		return "Kazoo's LockingQueue's"
	case name == "segments":
		return "a native queue's"
	case !ok:
		return ""
	case strings.HasPrefix(before, "entry-"):
		return "Kazoo's Queue's"
	case before == "qn-":
		return "Curator's SimpleDistributedQueue's"
	case strings.HasPrefix(before, "queue-"):
		return "Curator's DistributedQueue's"
	}
	return ""
}
