package recipes_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

const pool = "/pools/db"

// poolSite says where a layout keeps what.
type poolSite struct {
	layout        recipes.Layout
	permits, line string
}

var poolSites = []poolSite{
	{recipes.Curator, pool + "/leases", pool + "/locks"},
	{recipes.Kazoo, pool, pool + "-__lock__"},
}

func eachPoolSite(t *testing.T, test func(t *testing.T, at poolSite)) {
	for _, at := range poolSites {
		t.Run(at.layout.String(), func(t *testing.T) {
			t.Parallel()
			test(t, at)
		})
	}
}

func (at poolSite) pool(t testing.TB, cl *client.Client, limit int) *recipes.Pool {
	t.Helper()
	p, err := recipes.NewPool(cl, pool, recipes.PoolConfig{Layout: at.layout, Limit: limit, Data: []byte("holder"), ShortLine: -1})
	require.NoError(t, err)
	return p
}

// held returns the names of the permits.
func (at poolSite) held(srv *zktest.Server) []string {
	n, _ := srv.Node(at.permits)
	return n.Children
}

// inLine returns the names of those who stand in line.
func (at poolSite) inLine(srv *zktest.Server) []string {
	n, _ := srv.Node(at.line)
	return n.Children
}

// hold makes a permit of somebody else's, and returns what gives it back.
func (at poolSite) hold(t testing.TB, srv *zktest.Server) (release func()) {
	t.Helper()
	name := "0123456789abcdef0123456789abcdef"
	if at.layout == recipes.Curator {
		name = "_c_01234567-89ab-cdef-0123-456789abcdef-lease-0000000000"
	}
	if at.layout == recipes.Kazoo { // as Kazoo's makes the pool
		if _, ok := srv.Node(pool); !ok {
			require.NoError(t, srv.Create(pool, []byte("1")))
		}
	}
	require.NoError(t, srv.Create(at.permits+"/"+name, nil))
	return func() { assert.NoError(t, srv.Delete(at.permits+"/"+name)) }
}

// full is the request by which the first in line begins to watch the limit, the last that it
// sends before it waits.
func full(r zktest.Request) bool { return r.Op == zktest.OpGetData && r.Watch && r.Path == pool }

var watchesPool = zktest.Match{Where: full}

// queued is the request by which one who is not the first in line begins to wait.
func (at poolSite) queued() zktest.Match {
	return zktest.Match{Path: at.line + "/*", Ops: []zktest.Op{zktest.OpGetData}}
}

func take(t testing.TB, p *recipes.Pool, n int) *recipes.Grant {
	t.Helper()
	o := wait(t, "permits", takeLater(t.Context(), p, n))
	require.NoError(t, o.err)
	require.NoError(t, o.grant.Err())
	require.Len(t, o.grant.Paths(), n)
	return o.grant
}

func takeLater(ctx context.Context, p *recipes.Pool, n int) <-chan outcome {
	out := make(chan outcome, 1)
	go func() {
		g, err := p.Acquire(ctx, n)
		out <- outcome{g, err}
	}()
	return out
}

// takeWaiting returns once the call waits for permits, as the first in line.
func takeWaiting(ctx context.Context, t testing.TB, srv *zktest.Server, p *recipes.Pool, n int) <-chan outcome {
	t.Helper()
	there := after(srv, watchesPool)
	out := takeLater(ctx, p, n)
	wait(t, "a watch on the pool", there)
	return out
}

// takeQueued returns once the call waits in line, behind another.
func (at poolSite) takeQueued(ctx context.Context, t testing.TB, srv *zktest.Server, p *recipes.Pool, n int) <-chan outcome {
	t.Helper()
	there := after(srv, at.queued())
	out := takeLater(ctx, p, n)
	wait(t, "a watch on the one ahead", there)
	return out
}

const anyWatches = -1

// requireLeft waits until nothing is left but so many permits and watches, and nobody stands in line.
func (at poolSite) requireLeft(t testing.TB, srv *zktest.Server, permits, watches int) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		assert.Len(c, at.held(srv), permits, "permits")
		assert.Empty(c, at.inLine(srv), "in line")
		if watches != anyWatches {
			assert.Equal(c, watches, srv.Watches(), "watches")
		}
	}, patience, 2*time.Millisecond)
}

// census counts the permits of grants from when they are there until they are about to
// be released or their context has ended.
type census struct {
	now, most atomic.Int64
}

func (c *census) in(g *recipes.Grant) (out func()) {
	n := int64(len(g.Paths()))
	now := c.now.Add(n)
	for {
		most := c.most.Load()
		if now <= most || c.most.CompareAndSwap(most, now) {
			break
		}
	}
	var once atomic.Bool
	return func() {
		if once.CompareAndSwap(false, true) {
			c.now.Add(-n)
		}
	}
}

// poolRequests are those of a session that have to do with the pool.
func poolRequests(srv *zktest.Server, session int64) []string {
	var out []string
	for _, r := range srv.Requests(zktest.Match{Session: session}) {
		path := r.Path
		if len(r.Multi) > 0 {
			path = r.Multi[0].Path
		}
		if strings.HasPrefix(path, pool) {
			out = append(out, r.Op.String())
		}
	}
	return out
}

const poll = 2 * time.Millisecond

// noPlace says that nobody stands in line.
func noPlace(srv *zktest.Server, at poolSite) func(*assert.CollectT) {
	return func(c *assert.CollectT) { assert.Empty(c, at.inLine(srv), "in line") }
}
