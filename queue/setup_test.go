package queue_test

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/internal/testmain"
	"github.com/zookit/zookit/queue"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

const path = "/jobs"

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

func texts(cl *client.Client, opts ...queue.Option) *queue.Queue[string] {
	return queue.NewWith(cl, path, recipes.Text{}, opts...)
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

// taken is the outcome of a Take.
type taken struct {
	item *queue.Item[string]
	err  error
}

func takeLater(ctx context.Context, q *queue.Queue[string]) <-chan taken {
	out := make(chan taken, 1)
	go func() {
		item, err := q.Take(ctx)
		out <- taken{item, err}
	}()
	return out
}

func put(t testing.TB, q *queue.Queue[string], values ...string) {
	t.Helper()
	for _, v := range values {
		_, err := q.Put(bounded(t), v)
		require.NoError(t, err)
	}
}

// take takes an item that is there.
func take(t testing.TB, q *queue.Queue[string]) *queue.Item[string] {
	t.Helper()
	item, err := q.TryTake(bounded(t))
	require.NoError(t, err)
	return item
}

// drain takes and acknowledges all that is there, and returns the values in their order.
func drain(t testing.TB, q *queue.Queue[string]) []string {
	t.Helper()
	var out []string
	for {
		item, err := q.TryTake(bounded(t))
		if err != nil {
			require.ErrorIs(t, err, queue.ErrEmpty)
			return out
		}
		require.NoError(t, item.Ack(bounded(t)))
		out = append(out, item.Value)
	}
}

// counted are the requests of a session that a call sends, but for those of which nobody waits.
func counted(srv *zktest.Server, session int64) []zktest.Request {
	return slices.DeleteFunc(srv.Requests(zktest.Match{Session: session}), func(r zktest.Request) bool { return r.Op == zktest.OpRemoveWatches })
}

// steps tells which requests were sent, for the text of a failure.
func steps(requests []zktest.Request) string {
	var b strings.Builder
	for _, r := range requests {
		fmt.Fprintf(&b, "%s %s", r.Op, r.Path)
		for i, m := range r.Multi {
			if i > 6 {
				fmt.Fprintf(&b, " and %d more", len(r.Multi)-i)
				break
			}
			fmt.Fprintf(&b, " [%s %s]", m.Op, m.Path)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// left are the nodes that items, leases and waits leave.
func left(srv *zktest.Server) []string {
	var out []string
	for p := range srv.Dump() {
		rest := strings.TrimPrefix(p, path)
		for _, place := range []string{"/leases/", "/consumers/", "/producers/"} {
			if strings.HasPrefix(rest, place) {
				out = append(out, p)
			}
		}
		if strings.HasPrefix(rest, "/segments/") && strings.Count(rest, "/") > 3 || strings.HasPrefix(rest, "/delayed/") && strings.Count(rest, "/") > 2 {
			out = append(out, p)
		}
	}
	slices.Sort(out)
	return out
}

// requireLeft waits until nothing is left but the given number of items, and no watch.
func requireLeft(t testing.TB, srv *zktest.Server, items int) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		assert.Len(c, left(srv), items)
		assert.Equal(c, 0, srv.Watches(), "watches left: %v", srv.WatchList())
	}, patience, 2*time.Millisecond)
}

var _ = testmain.Stacks

func escape(id string) string { return url.PathEscape(id) }
