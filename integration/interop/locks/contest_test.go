package locks

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/integration/trial"
	"github.com/zookit/zookit/recipes"
)

const (
	limit    = 3               // permits that a semaphore has; the peers' programs know it too
	enough   = 300             // holdings in one contest
	threads  = 3               // of a peer's process
	patience = 2 * time.Minute // for a contest

	// The sessions that end in a contest are short, so that the others need not wait long; and the others
	// long, so that a slow machine does not end them.
	shortSessions, longSessions = 10 * time.Second, time.Minute
)

// contest is one path that different kinds of process contend on.
type contest struct {
	addr    string // of the server
	recipe  string // mutex, rw or semaphore
	layout  recipes.Layout
	peers   []string // the command of the other library's program
	third   []string // the command of a third kind of process, which takes part as well; nil: none
	gozk    bool     // go-zookeeper's Lock takes part
	path    string
	ledger  string
	j       *journal
	plain   *zk.Conn
	alive   []string // the contenders
	running sync.WaitGroup
	// stopping tells those in this process to finish.
	stopping atomic.Bool
}

// run is the contest. One process of the other library is killed while it holds and while its other
// threads wait; a client of zookit loses its session at the same time, which it mostly spends
// waiting, and later once more while it holds.
func (c *contest) run(t *testing.T) {
	t.Helper()
	ctx := trial.Within(t, patience)
	c.j = newJournal()
	c.path, c.ledger = "/"+c.recipe+"/shared", "/"+c.recipe+"/ledger"
	c.plain = connectPlain(t, c.addr, longSessions)
	makeDirectory(t, c.plain, c.ledger)
	t.Cleanup(func() {
		if t.Failed() {
			there, _, err := c.plain.Children(c.path)
			t.Logf("%s has %v, %v", c.path, there, err)
		}
	})
	// Whatever happens, those in this process end: their clients are closed before this waits.
	t.Cleanup(c.running.Wait)

	victim := startPeer(ctx, t, c.j, c.layout.String()+"-1", c.peers, c.addr, shortSessions, c.ledger)
	steady, fragile := newOurs(t, c, "zookit-1", longSessions), newOurs(t, c, "zookit-2", shortSessions)
	theirs := victim.contend(t, c.recipe, c.path, threads)
	c.alive = append(c.alive, steady.contend(ctx, 2)...)
	c.alive = append(c.alive, fragile.contend(ctx, 2)...)
	if c.gozk {
		c.alive = append(c.alive, c.goZookeeper(t, 2)...)
	}
	var third *peer
	if c.third != nil {
		third = startPeer(ctx, t, c.j, "third", c.third, c.addr, longSessions, c.ledger)
		c.alive = append(c.alive, third.contend(t, c.recipe, c.path, threads)...)
	}
	c.further(ctx, t, theirs, 3, enough/3)
	steady.proxy.Cut() // which costs nobody anything
	c.further(ctx, t, theirs, 3, 0)

	victim.tell(t, "keep", c.mode())
	kept := await(ctx, t, victim.name+" to hold", victim.kept)
	version, err := stamp(c.plain, c.ledger)
	require.NoError(t, err)
	c.j.held(kept, version)
	if c.recipe == "semaphore" { // the others go on with what is left
		c.further(ctx, t, nil, 2, 0)
	} else { // nobody else gets in, so all come to wait
		c.awaitContenders(ctx, t, len(c.alive)+len(theirs))
	}
	version, err = stamp(c.plain, c.ledger)
	require.NoError(t, err)
	c.j.held(kept, version)
	victim.kill()
	heir := startPeer(ctx, t, c.j, c.layout.String()+"-2", c.peers, c.addr, longSessions, c.ledger)
	c.alive = append(c.alive, heir.contend(t, c.recipe, c.path, threads)...)
	fragile.expire(ctx, t)
	c.further(ctx, t, nil, 2, 0)

	fragile.lose(ctx, t, map[string]string{"mutex": "write", "rw": "read", "semaphore": "permit"}[c.recipe])
	c.further(ctx, t, nil, 2, enough)

	c.stopping.Store(true)
	heir.stop(ctx, t)
	if third != nil {
		third.stop(ctx, t)
	}
	ended := make(chan struct{})
	go func() { c.running.Wait(); close(ended) }()
	await(ctx, t, "all contenders to end", ended)
	require.NoError(t, c.j.wait(ctx, nil, nil, 0, 0))
	most, err := judge(c.j.holdings(), limit)
	require.NoError(t, err)
	c.awaitContenders(ctx, t, 0)
	switch c.recipe {
	case "mutex":
		require.Equal(t, map[string]int{"write": 1}, most)
	case "rw":
		require.Equal(t, 1, most["write"])
		require.Greater(t, most["read"], 1, "readers share the lock")
	case "semaphore":
		require.Equal(t, map[string]int{"permit": limit}, most)
	}
	t.Logf("%v; at once: %v", c.j.grants(), most)
}

// mode is what the victim is killed with.
func (c *contest) mode() string {
	if c.recipe == "semaphore" {
		return "permit"
	}
	return "write"
}

// further waits until each that is alive, and each of others, has held n times more, and all together
// so many times.
func (c *contest) further(ctx context.Context, t *testing.T, others []string, n, together int) {
	t.Helper()
	who := slices.Concat(c.alive, others)
	require.NoError(t, c.j.wait(ctx, who, maps.Clone(c.j.grants()), n, together))
}

// awaitContenders waits until the lock has n nodes; of a semaphore it looks at the permits.
func (c *contest) awaitContenders(ctx context.Context, t *testing.T, n int) {
	t.Helper()
	dir := c.path
	if c.recipe == "semaphore" && c.layout == recipes.Curator {
		dir += "/leases"
	}
	for {
		there, _, watch, err := c.plain.ChildrenW(dir)
		if errors.Is(err, zk.ErrNoNode) && n == 0 { // the servers delete containers
			return
		}
		require.NoError(t, err)
		if len(there) == n {
			return
		}
		await(ctx, t, fmt.Sprintf("%d nodes in %s, not %v", n, dir, there), watch)
	}
}

// goZookeeper has contenders with go-zookeeper's Lock begin, and returns their names.
func (c *contest) goZookeeper(t *testing.T, n int) []string {
	t.Helper()
	conn := connectPlain(t, c.addr, longSessions)
	var names []string
	for i := range n {
		who := fmt.Sprintf("go-zookeeper #%d", i)
		names = append(names, who)
		l := zk.NewLock(conn, c.path, zk.WorldACL(zk.PermAll))
		hold := func(name string) error {
			if err := l.Lock(); err != nil {
				return err
			}
			version, err := stamp(c.plain, c.ledger)
			if err != nil {
				return err
			}
			c.j.enter(name, holding{who: who, mode: "write", weight: 1, first: version})
			if version, err = stamp(c.plain, c.ledger); err != nil {
				return err
			}
			c.j.leave(name, version)
			return l.Unlock()
		}
		c.running.Go(func() {
			for turn := 0; !c.stopping.Load(); turn++ {
				if err := hold(fmt.Sprintf("%s.%d", who, turn)); err != nil {
					c.j.fail(fmt.Errorf("%s: %w", who, err))
					return
				}
			}
		})
	}
	return names
}
