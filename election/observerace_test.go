package election_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/election"
	"github.com/zookit/zookit/zktest"
)

// Somebody stands for election just as an observer that has seen nobody begins to watch for the first: it is seen all the
// same, and nothing is waited for that has happened already.
func TestObserveWhoComesMeanwhile(t *testing.T) {
	t.Parallel()
	const first = dir + "/_c_1-latch-0000000000"
	for name, c := range map[string]struct {
		before func(t *testing.T, srv *zktest.Server)
		on     zktest.Match // behind the look that found nobody
	}{
		"beside strangers": {func(t *testing.T, srv *zktest.Server) {
			require.NoError(t, srv.Create(dir+"/notes", nil))
		}, zktest.Match{Path: dir, Where: func(r zktest.Request) bool { return r.Watch }}},
		"with the directory": {func(*testing.T, *zktest.Server) {}, zktest.On(dir, zktest.OpExists)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv := zktest.Start(t, zktest.WithInMemoryNetwork())
				c.before(t, srv)
				cl := connect(t, srv)
				once := false
				srv.OnRequest(func(r zktest.Request) {
					if once || r.Path != c.on.Path || c.on.Where != nil && !c.on.Where(r) || len(c.on.Ops) > 0 && r.Op != c.on.Ops[0] {
						return
					}
					once = true
					if err := srv.Create(first, []byte("a")); err != nil {
						t.Error(err)
					}
				})
				ctx, cancel := context.WithCancel(t.Context())
				got := observe(ctx, election.New(cl, dir, ""))
				synctest.Wait()
				srv.OnRequest(nil)
				require.True(t, once)
				last := ""
				for len(got) > 0 {
					last = seen(t, got)
				}
				require.Equal(t, "a", last)
				cancel()
				for range got { // to its end
				}
			})
		})
	}
}

// What a leader has published stays as long as its node does: whoever finds the leader finds its data.
func TestDataStaysWithTheNode(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		term := campaign(t, election.New(connect(t, srv), dir, "a", election.WithData(dataDir)))
		require.NoError(t, term.Publish(t.Context(), []byte("here")))
		srv.FailNext(zktest.On(term.Path(), zktest.OpDelete), zktest.NoAuth)
		require.ErrorIs(t, term.Resign(t.Context()), client.ErrNoAuth)
		synctest.Wait() // whatever is done at once is done
		require.Len(t, nodes(srv, dir), 1)
		require.Equal(t, []string{base(term.Path())}, nodes(srv, dataDir))
		requireGone(t, srv)
	})
}
