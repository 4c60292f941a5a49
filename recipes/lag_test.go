package recipes_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

// What a server that lags behind does not know yet is not taken for gone.

// twoDoors starts two servers, of which the second lags behind, with a client of each.
func twoDoors(t *testing.T) (srv *zktest.Server, quick, slow *client.Client) {
	t.Helper()
	srv = zktest.Start(t, zktest.WithServers(2))
	to := func(door int) *client.Client {
		cl, err := client.Connect(t.Context(), srv.Doors()[door].Addr(), client.WithSessionTimeout(time.Minute))
		require.NoError(t, err)
		t.Cleanup(func() { _ = cl.Close() })
		return cl
	}
	quick, slow = to(0), to(1)
	srv.Doors()[1].Lag()
	return srv, quick, slow
}

// Whoever is to be broken is broken, and not said to have gone, by a client whose server has not heard of it.
func TestBreakOnServerThatLagsBehind(t *testing.T) {
	t.Parallel()
	srv, quick, slow := twoDoors(t)
	line := newLine(t, quick, recipes.LineConfig{})
	acquirePersistent(t, line)
	all, err := line.Details(t.Context())
	require.NoError(t, err)
	looked := after(srv, zktest.On(all[0].Path, zktest.OpExists))
	broken := make(chan error, 1)
	go func() { broken <- newLine(t, slow, recipes.LineConfig{}).Break(t.Context(), all[0]) }()
	wait(t, "a look", looked)
	srv.Doors()[1].CatchUp()
	require.NoError(t, wait(t, "the end of Break", broken))
	require.Empty(t, nodes(srv))
}

// A permit that goes between a look and the watch for it is not waited for.
func TestPoolPermitGoneBeforeItIsWatched(t *testing.T) {
	t.Parallel()
	eachPoolSite(t, func(t *testing.T, at poolSite) {
		srv := zktest.Start(t)
		free := at.hold(t, srv)
		once := false
		srv.OnRequest(func(r zktest.Request) {
			if !once && r.Path == at.permits && r.Op == zktest.OpGetChildren2 && r.Watch {
				once = true
				free()
			}
		})
		o := wait(t, "the permit", takeLater(t.Context(), at.pool(t, connect(t, srv), 1), 1))
		srv.OnRequest(nil)
		require.True(t, once)
		require.NoError(t, o.err)
		release(t, o.grant)
		at.requireLeft(t, srv, 0, 0)
	})
}

// A persistent place whose node somebody deletes just before it would be granted is none.
func TestPersistentDeletedBeforeItIsGranted(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	once := false
	srv.OnRequest(func(r zktest.Request) {
		if !once && r.Op == zktest.OpMulti && len(r.Multi) == 1 && r.Multi[0].Op == zktest.OpCheck && len(nodes(srv)) == 1 {
			once = true
			if err := srv.Delete(r.Multi[0].Path); err != nil {
				t.Error(err)
			}
		}
	})
	l := newLine(t, connect(t, srv), recipes.LineConfig{})
	o := wait(t, "the holding", persistentLater(t.Context(), l))
	srv.OnRequest(nil)
	require.NoError(t, o.err)
	require.True(t, once)
	require.NoError(t, o.p.Check(t.Context()))
	require.Equal(t, []string{base(o.p.Path())}, nodes(srv))
	require.NoError(t, o.p.Release(t.Context()))
}
