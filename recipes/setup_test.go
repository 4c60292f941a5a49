package recipes_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/internal/testmain"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

const dir = "/stacks/42"

// patience bounds every wait for an event that has to come; cleanTime is how long, in
// the time of a bubble, the clean-up behind a cancelled wait may take.
const (
	patience  = time.Minute
	cleanTime = 2 * time.Second
)

// inMemory is for tests in a bubble of testing/synctest: there the server lives in the
// bubble's time, so that no load of the machine can make an answer late.
var inMemory = zktest.WithInMemoryNetwork()

// connect opens a client whose session is so long that it need not confirm itself during a
// test, unless the test wants it shorter.
func connect(t testing.TB, srv *zktest.Server, opts ...client.Option) *client.Client {
	t.Helper()
	cl, err := client.Connect(t.Context(), srv.Addr(), append([]client.Option{client.WithDialer(srv.Dial), client.WithSessionTimeout(time.Minute)}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = cl.Close() })
	return cl
}

// runInBubble runs a subtest in the time of a bubble.
func runInBubble(t *testing.T, name string, test func(t *testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}

func newLine(t testing.TB, cl *client.Client, cfg recipes.LineConfig) *recipes.Line {
	t.Helper()
	l, err := recipes.NewLine(cl, dir, cfg)
	require.NoError(t, err)
	return l
}

func acquire(t testing.TB, l *recipes.Line) *recipes.Grant {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	g, err := l.Acquire(ctx)
	require.NoError(t, err)
	require.NoError(t, g.Err())
	require.NoError(t, g.Context().Err())
	return g
}

func release(t testing.TB, g *recipes.Grant) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, g.Release(ctx))
}

type outcome struct {
	grant *recipes.Grant
	err   error
}

// acquireLater starts an Acquire whose outcome comes through the channel.
func acquireLater(ctx context.Context, l *recipes.Line) <-chan outcome {
	out := make(chan outcome, 1)
	go func() {
		g, err := l.Acquire(ctx)
		out <- outcome{g, err}
	}()
	return out
}

// wait receives an event that has to come.
func wait[T any](t testing.TB, what string, from <-chan T) T {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case v := <-from:
		return v
	case <-timer.C:
		require.FailNow(t, "waited in vain for "+what)
		panic("unreachable")
	}
}

// after returns a channel that is closed when the server has executed a request that
// matches, which it has not received yet.
func after(srv *zktest.Server, on zktest.Match) <-chan struct{} {
	h := srv.HoldReply(on)
	done := make(chan struct{})
	go func() {
		<-h.Fired()
		h.Release()
		close(done)
	}()
	return done
}

// blocked is the request with which a waiter has its blocker watched: a read that sets the watch,
// or one behind an addWatch.
var blocked = zktest.Match{Path: dir + "/*", Ops: []zktest.Op{zktest.OpGetData}}

// waiting joins the line and returns once the waiter watches its blocker.
func waiting(ctx context.Context, t testing.TB, srv *zktest.Server, l *recipes.Line) <-chan outcome {
	t.Helper()
	watched := after(srv, blocked)
	out := acquireLater(ctx, l)
	wait(t, "a watch on the blocker", watched)
	return out
}

// nodes returns the names of the nodes in the line's directory.
func nodes(srv *zktest.Server) []string {
	n, _ := srv.Node(dir)
	return n.Children
}

// requireClean waits until nothing is left of a wait: no node but the given ones, and so many watches.
func requireClean(t testing.TB, srv *zktest.Server, watches int, keep ...string) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		assert.ElementsMatch(c, keep, nodes(srv), "nodes left")
		assert.Equal(c, watches, srv.Watches(), "watches left")
	}, patience, 2*time.Millisecond)
}

// requireNothingLeft waits until there is nothing of the session under test.
func requireNothingLeft(t *testing.T, st *stage, within time.Duration) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) { requireNothingOf(c, st) }, within, 20*time.Millisecond)
}

func base(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// requests are those that reached the server for the line's directory, pings and the like left out.
func requests(srv *zktest.Server) []string {
	var out []string
	for _, r := range srv.Requests(zktest.Match{Path: dir + "*"}) {
		out = append(out, r.Op.String())
	}
	return out
}

// handOver is requests, but for the removal of watches and for the operations of a transaction: it
// shows as one.
func handOver(srv *zktest.Server) []string {
	var out []string
	for _, r := range srv.Requests(zktest.Match{}) {
		ours := strings.HasPrefix(r.Path, dir+"/") || len(r.Multi) > 0 && strings.HasPrefix(r.Multi[0].Path, dir+"/")
		counts := r.Path == dir && r.Op == zktest.OpExists // of a waiter, for whom time has passed
		if (ours || r.Path == dir) && r.Op != zktest.OpRemoveWatches && !counts {
			out = append(out, r.Op.String())
		}
	}
	return out
}

// requireNothingOf fails while the session under test has a node or a watch, or while a
// goroutine of the bubble is at work in this package or for it.
func requireNothingOf(c *assert.CollectT, st *stage) {
	clean := assert.Zero(c, st.srv.Watches(), "watches left")
	for path, n := range st.srv.Dump() {
		clean = assert.NotEqual(c, st.session, n.Stat.EphemeralOwner, "%s is left", path) && clean
	}
	if !clean {
		return // stacks cost more
	}
	for _, stack := range testmain.Stacks() {
		for _, ours := range []string{"zookit/recipes.(*", "client.(*janitor)", "client.Ops", "client.(*Session).Confirm"} {
			assert.NotContains(c, stack, ours, "goroutine left")
		}
	}
}
