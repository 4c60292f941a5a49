package recipes_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

// counts are the operations that the server has received since they were counted last.
func counts(srv *zktest.Server) map[string]int {
	out := map[string]int{}
	for _, r := range srv.Requests() {
		out[r.Op.String()]++
	}
	srv.ResetRequests()
	return out
}

// grove makes a tree of n leaves of that many bytes in directories of ten.
func grove(t *testing.T, srv *zktest.Server, n, bytes int) {
	t.Helper()
	for i := range n {
		require.NoError(t, srv.Create(fmt.Sprintf("/tree/%d/%d", i/10, i), make([]byte, bytes)))
	}
}

// bubble runs a test with a server in memory, and a client, in the time of a bubble.
func bubble(t *testing.T, test func(t *testing.T, srv *zktest.Server, cl *client.Client), opts ...zktest.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, append(opts, inMemory)...)
		test(t, srv, connect(t, srv))
	})
}

// pass lets time pass in a bubble.
func pass(d time.Duration) { time.Sleep(d) }

// calm lets everything happen that is under way.
const calm = 3 * time.Second

func TestMirrorCosts(t *testing.T) {
	bubble(t, func(t *testing.T, srv *zktest.Server, cl *client.Client) {
		grove(t, srv, 100, 1000)
		srv.ResetRequests()
		m := startMirror(t, cl, recipes.MirrorConfig{})
		require.Equal(t, map[string]int{"addWatch": 1, "sync": 1, "getData": 111, "getChildren2": 11}, counts(srv), "the start: a read for each node, a list for each directory")

		require.NoError(t, srv.Create("/tree/0/new", nil))
		time.Sleep(calm)
		require.Equal(t, map[string]int{"getData": 1}, counts(srv), "one that joins")
		require.NoError(t, srv.Set("/tree/0/new", []byte("x")))
		time.Sleep(calm)
		require.Equal(t, map[string]int{"getData": 1}, counts(srv), "one that changes")
		require.NoError(t, srv.Delete("/tree/0/new"))
		time.Sleep(calm)
		require.Empty(t, counts(srv), "one that leaves")
		require.Equal(t, 111, m.Snapshot().Len())

		srv.DropConnections()
		time.Sleep(calm)
		got := counts(srv)
		require.Equal(t, map[string]int{"setWatches2": 1, "sync": 1, "exists": 100, "getData": 11, "getChildren2": 1}, got,
			"a reconnect: each node is asked for, and only the directory that has changed is listed")

		require.NoError(t, srv.Set("/tree/0/1", []byte("y")))
		time.Sleep(calm)
		counts(srv)
		srv.DropConnections()
		require.NoError(t, srv.Set("/tree/0/2", make([]byte, 2000)))
		time.Sleep(calm)
		require.Equal(t, map[string]int{"setWatches2": 1, "sync": 1, "exists": 99, "getData": 13}, counts(srv), "what has changed is read: two, of which one is small")
		require.Equal(t, 1, srv.Watches())
		m.Close()
		time.Sleep(calm)
		require.Zero(t, srv.Watches())
	})
}

// A rebuild keeps to its rate, and starts at some moment of its own.
func TestMirrorRate(t *testing.T) {
	bubble(t, func(t *testing.T, srv *zktest.Server, cl *client.Client) {
		grove(t, srv, 1000, 1)
		begin := time.Now()
		m := startMirror(t, cl, recipes.MirrorConfig{Rate: 200})
		require.InDelta(t, 6, time.Since(begin).Seconds(), 1.5, "1101 nodes and 101 lists at 200 a second")
		srv.ResetRequests()
		srv.DropConnections()
		for range 100 {
			before := len(srv.Requests())
			time.Sleep(time.Second)
			require.LessOrEqual(t, len(srv.Requests())-before, 310, "in any second: a flight more at most")
		}
		require.Equal(t, 1101, counts(srv)["getData"])
		require.True(t, m.State().Synced)

		// What changes meanwhile does not wait for the rebuild.
		srv.DropConnections()
		time.Sleep(calm)
		require.False(t, m.State().Synced)
		require.NoError(t, srv.Set("/tree/99/999", []byte("new")))
		time.Sleep(100 * time.Millisecond)
		n, _ := m.Get("/tree/99/999")
		require.Equal(t, "new", string(n.Data))
		require.False(t, m.State().Synced)
		time.Sleep(time.Minute)
	})
}

// Large nodes are read few at a time, so that what is on its way is bounded as well.
func TestMirrorOfLargeNodes(t *testing.T) {
	bubble(t, func(t *testing.T, srv *zktest.Server, cl *client.Client) {
		grove(t, srv, 200, 500_000)
		srv.ResetRequests()
		_, err := recipes.StartMirror(t.Context(), cl, tree, recipes.MirrorConfig{MaxBytes: 10 << 20})
		require.ErrorIs(t, err, recipes.ErrMirrorLimit)
		require.Less(t, counts(srv)["getData"], 1+20+100+20, "a flight of unknown nodes, and then a few")
	})
}

// More events than the watch keeps: everything is read again, and nothing is missed.
func TestMirrorOverflow(t *testing.T) {
	bubble(t, func(t *testing.T, srv *zktest.Server, cl *client.Client) {
		m := startMirror(t, cl, recipes.MirrorConfig{})
		r := replicate(t, m)
		for range 3 {
			held := srv.HoldReply(zktest.Match{Ops: []zktest.Op{zktest.OpGetData}})
			require.NoError(t, srv.Create("/tree/held", nil))
			<-held.Fired()
			require.NoError(t, srv.Delete("/tree/held"))
			for i := range 3000 {
				require.NoError(t, srv.Create(fmt.Sprintf("/tree/n%d", i), nil))
			}
			for i := range 2990 {
				require.NoError(t, srv.Delete(fmt.Sprintf("/tree/n%d", i)))
			}
			held.Release()
			time.Sleep(calm)
			same(t, srv, m, r)
			require.NoError(t, srv.Delete("/tree"))
		}
	})
}

// Reading what has not changed costs nothing.
func TestMirrorReadsCostNothing(t *testing.T) {
	srv := zktest.Start(t)
	grove(t, srv, 50, 1)
	m := startMirror(t, connect(t, srv), recipes.MirrorConfig{})
	first := m.Snapshot()
	require.Zero(t, testing.AllocsPerRun(100, func() {
		m.Get("/tree/0/1")
		m.Snapshot().Children("/tree/0")
	}))
	require.Same(t, first, m.Snapshot())
	require.NoError(t, srv.Set("/tree/0/1", []byte("x")))
	wait(t, "the change", func() <-chan string {
		out := make(chan string, 1)
		go func() {
			for c, err := range m.Changes(t.Context()) {
				if err == nil && c.New != nil && string(c.New.Data) == "x" {
					out <- c.Path
					return
				}
			}
		}()
		return out
	}())
	require.Greater(t, m.Snapshot().Version(), first.Version())
	n, _ := first.Get("/tree/0/1")
	require.Len(t, n.Data, 1)
	require.NotEqual(t, "x", string(n.Data), "a snapshot never changes")
}
