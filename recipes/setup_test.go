package recipes_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

const dir = "/stacks/42"

// patience bounds every wait for an event that has to come; cleanTime is how long
// the clean-up behind a cancelled wait may take.
const (
	patience  = 20 * time.Second
	cleanTime = 2 * time.Second
)

// connect opens a client whose session is so long that it need not confirm itself during a
// test, unless the test wants it shorter.
func connect(t testing.TB, srv *zktest.Server, opts ...client.Option) *client.Client {
	t.Helper()
	cl, err := client.Connect(t.Context(), srv.Addr(), append([]client.Option{client.WithSessionTimeout(time.Minute)}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = cl.Close() })
	return cl
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

// blocked is the request by which a waiter begins to watch its blocker.
var blocked = zktest.Match{Path: dir + "/*", Ops: []zktest.Op{zktest.OpGetData}, Where: func(r zktest.Request) bool { return r.Watch }}

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
	}, cleanTime, 2*time.Millisecond)
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

// requireNothingOf fails while the session under test has a node or a watch, or while a
// goroutine is at work in this package or for it.
func requireNothingOf(c *assert.CollectT, st *stage) {
	for path, n := range st.srv.Dump() {
		assert.NotEqual(c, st.session, n.Stat.EphemeralOwner, "%s is left", path)
	}
	assert.Zero(c, st.srv.Watches(), "watches left")
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		for _, ours := range []string{"zookit/recipes.(*", "client.(*janitor)", "client.Ops", "client.(*Session).Confirm"} {
			assert.NotContains(c, stack, ours, "goroutine left")
		}
	}
}
