package counter_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

const (
	node     = "/stats/hits"
	receipts = "/zookit/receipts"
)

// patience bounds every wait for an event that has to come.
const patience = time.Minute

func connect(t testing.TB, srv *zktest.Server, opts ...client.Option) *client.Client {
	t.Helper()
	cl, err := client.Connect(t.Context(), srv.ConnectString(), append([]client.Option{client.WithDialer(srv.Dial), client.WithSessionTimeout(time.Minute)}, opts...)...)
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

// sum is what an Add has returned.
type sum struct {
	n   int64
	err error
}

func later(f func() (int64, error)) <-chan sum {
	out := make(chan sum, 1)
	go func() {
		n, err := f()
		out <- sum{n, err}
	}()
	return out
}

// requireData asks what the node holds.
func requireData(t testing.TB, srv *zktest.Server, want []byte) {
	t.Helper()
	n, ok := srv.Node(node)
	require.True(t, ok, "the node is there")
	require.Equal(t, want, n.Data)
}

// requireNoReceipts waits until no receipt and no watch is left.
func requireNoReceipts(t testing.TB, srv *zktest.Server) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		n, _ := srv.Node(receipts)
		assert.Empty(c, n.Children)
		assert.Zero(c, srv.Watches(), "%v", srv.WatchList())
	}, patience, 10*time.Millisecond)
}

// counted are the requests of a session, but for the deletion of receipts and of watches, which nobody waits for.
func counted(srv *zktest.Server, session int64) []zktest.Request {
	return slices.DeleteFunc(srv.Requests(zktest.Match{Session: session}), background)
}

func background(r zktest.Request) bool {
	return r.Op == zktest.OpRemoveWatches || r.Op == zktest.OpDelete && strings.HasPrefix(r.Path, receipts)
}

// nth matches the n-th of them, from 0.
func nth(session int64, n int) zktest.Match {
	return zktest.Match{Session: session, Where: func(r zktest.Request) bool {
		if background(r) {
			return false
		}
		n--
		return n < 0
	}}
}

func steps(requests []zktest.Request) string {
	var b strings.Builder
	for _, r := range requests {
		fmt.Fprintf(&b, "%s %s; ", r.Op, r.Path)
		for _, m := range r.Multi {
			fmt.Fprintf(&b, "[%s %s] ", m.Op, m.Path)
		}
	}
	return b.String()
}

// changes matches the transactions that change the node.
func changes() zktest.Match { return zktest.On(node, zktest.OpMulti) }
