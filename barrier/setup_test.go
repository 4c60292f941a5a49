package barrier_test

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/barrier"
	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/internal/testmain"
	"github.com/zookit/zookit/zktest"
)

const (
	dir   = "/jobs/gather"
	ready = dir + "/ready"
)

// patience bounds every wait for an event that has to come.
const patience = time.Minute

// connect opens a client whose session is so long that it need not confirm itself during a
// test, unless the test wants it shorter.
func connect(t testing.TB, srv *zktest.Server, opts ...client.Option) *client.Client {
	t.Helper()
	cl, err := client.Connect(t.Context(), srv.Addr(), append([]client.Option{client.WithDialer(srv.Dial), client.WithSessionTimeout(time.Minute)}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = cl.Close() })
	return cl
}

func bounded(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func sessionOf(t testing.TB, cl *client.Client) int64 {
	t.Helper()
	s, err := cl.Session(bounded(t))
	require.NoError(t, err)
	return s.ID()
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

// not fails if there is something: what has to come first has come.
func not[T any](t testing.TB, what string, from <-chan T) {
	t.Helper()
	select {
	case v := <-from:
		require.FailNow(t, what, "%v", v)
	default:
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

// entered is the outcome of an Enter.
type entered struct {
	in  *barrier.Inside
	err error
}

func enterLater(ctx context.Context, d *barrier.Double) <-chan entered {
	out := make(chan entered, 1)
	go func() {
		in, err := d.Enter(ctx)
		out <- entered{in, err}
	}()
	return out
}

func later(f func() error) <-chan error {
	out := make(chan error, 1)
	go func() { out <- f() }()
	return out
}

// listed matches a list of the directory by a session.
func listed(session int64) zktest.Match {
	return zktest.Match{Path: dir, Ops: []zktest.Op{zktest.OpGetChildren2}, Session: session}
}

// watching matches the reads by which a session begins to watch a participant's node.
func watching(session int64) zktest.Match {
	return zktest.Match{Path: dir + "/*", Ops: []zktest.Op{zktest.OpGetData}, Session: session, Where: func(r zktest.Request) bool { return r.Watch }}
}

// waiting begins an Enter that has to wait, and returns when it has looked who is there.
func waiting(ctx context.Context, t testing.TB, srv *zktest.Server, cl *client.Client, d *barrier.Double) <-chan entered {
	t.Helper()
	looked := after(srv, listed(sessionOf(t, cl)))
	out := enterLater(ctx, d)
	wait(t, "a look at the directory", looked)
	return out
}

func got(t testing.TB, from <-chan entered) *barrier.Inside {
	t.Helper()
	e := wait(t, "the end of Enter", from)
	require.NoError(t, e.err)
	require.NoError(t, e.in.Err())
	require.NoError(t, e.in.Context().Err())
	return e.in
}

// peer makes the node of a participant that another library has written.
func peer(t testing.TB, cl *client.Client, name string) string {
	t.Helper()
	p := client.Join(dir, name)
	_, err := cl.Create(bounded(t), p, []byte("peer"), client.WithMode(client.Ephemeral), client.WithParents())
	require.NoError(t, err)
	return p
}

func nodes(srv *zktest.Server) []string {
	n, _ := srv.Node(dir)
	return n.Children
}

func base(p string) string { return path.Base(p) }

// requireLeft waits until nothing is left but the given children, and so many watches.
func requireLeft(t testing.TB, srv *zktest.Server, watches int, keep ...string) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		assert.ElementsMatch(c, keep, nodes(srv), "nodes left")
		assert.Equal(c, watches, srv.Watches(), "watches left: %v", srv.WatchList())
	}, patience, 2*time.Millisecond)
}

// requireIdle waits until no goroutine of the bubble is at work in this package or for it.
func requireIdle(t testing.TB) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		for _, stack := range testmain.Stacks() {
			for _, ours := range []string{"zookit/barrier.(*", "client.(*janitor)", "client.Ops"} {
				assert.NotContains(c, stack, ours, "goroutine left")
			}
		}
	}, patience, 2*time.Millisecond)
}

// counted are the requests of a session that a call sends, but for those of which nobody waits.
func counted(srv *zktest.Server, session int64) []zktest.Request {
	return slices.DeleteFunc(srv.Requests(zktest.Match{Session: session}), func(r zktest.Request) bool { return r.Op == zktest.OpRemoveWatches })
}

// nth matches the n-th of them, from 0.
func nth(session int64, n int) zktest.Match {
	return zktest.Match{Session: session, Where: func(r zktest.Request) bool {
		if r.Op == zktest.OpRemoveWatches {
			return false
		}
		n--
		return n < 0
	}}
}

// losses are the ways to lose a request, or its reply.
var losses = map[string]func(*zktest.Server, zktest.Match) *zktest.Fault{
	"request": (*zktest.Server).DropRequest, "reply": (*zktest.Server).SwallowReply,
}

// steps tells which requests were sent, for the text of a failure.
func steps(srv *zktest.Server, session int64) string {
	var b strings.Builder
	for _, r := range counted(srv, session) {
		fmt.Fprintf(&b, "%s %s; ", r.Op, r.Path)
	}
	return b.String()
}

// absent asks that there be no node.
func absent(srv *zktest.Server, p string) func(*assert.CollectT) {
	return func(c *assert.CollectT) {
		_, ok := srv.Node(p)
		assert.False(c, ok, "%s is there", p)
	}
}
