package recipes_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

// silence has a client take its session for lost while the servers still keep it.
func silence(t *testing.T, srv *zktest.Server, cl *client.Client) (old int64) {
	s, err := cl.Session(t.Context())
	require.NoError(t, err)
	hush(srv, s.ID())
	<-s.Context().Done()
	return s.ID()
}

// hush cuts a session's connection, and lets it have no other one, though the servers hear of each try.
func hush(srv *zktest.Server, session int64) {
	for range 100 {
		srv.HoldReply(zktest.Match{Ops: []zktest.Op{zktest.OpConnect}, Session: session})
	}
	srv.DropConnection(session)
}

func alive(srv *zktest.Server, session int64) bool {
	return slices.ContainsFunc(srv.Sessions(), func(s zktest.Session) bool { return s.ID == session })
}

// The node of a session that the client has lost and the servers have not is not taken for the next session's:
// it would go with its own. It is replaced at once, and nobody sees it missing.
func TestNodeOfDyingSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, inMemory, zktest.WithTick(50*time.Millisecond))
		cl := connect(t, srv, client.WithSessionTimeout(10*time.Second))
		n := keepNode(t, cl, "one")
		old := silence(t, srv, cl)
		at := until(t, n, "it in the next session", func(c recipes.NodeChange) bool {
			return c.State == recipes.NodePresent && c.Session != old
		})
		require.True(t, alive(srv, old), "or nothing is tested")
		requireNode(t, srv, at.Session, "one")
		multi := srv.Requests(zktest.Match{Ops: []zktest.Op{zktest.OpMulti}, Path: nodePath})
		require.Len(t, multi, 1, "deleted and made in one transaction")

		for alive(srv, old) {
			time.Sleep(time.Second)
		}
		time.Sleep(time.Minute)
		require.Equal(t, at.Czxid, requireNode(t, srv, at.Session, "one").Stat.Czxid, "the end of the old session does not touch it")
		require.Equal(t, recipes.NodePresent, n.State().State)
		closeNode(t, n)
	})
}

// Close deletes what a session that is over for the client has left.
func TestNodeOfDyingSessionClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, inMemory, zktest.WithTick(50*time.Millisecond))
		cl := connect(t, srv, client.WithSessionTimeout(10*time.Second))
		n := keepNode(t, cl, "one")
		srv.OnRequest(func(r zktest.Request) { // the next session is not to make one
			if r.Op == zktest.OpCreate2 || r.Op == zktest.OpCreate {
				<-t.Context().Done()
			}
		})
		old := silence(t, srv, cl)
		closeNode(t, n)
		require.True(t, alive(srv, old), "or nothing is tested")
		_, ok := srv.Node(nodePath)
		require.False(t, ok)
		srv.OnRequest(nil)
	})
}

// A process that leaves its session to the next one leaves the node: nobody sees the restart.
func TestNodeDetached(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	former := connect(t, srv)
	n := keepNode(t, former, "former")
	first := requireNode(t, srv, sessionOf(t, former), "former")
	h, err := former.Detach(t.Context())
	require.NoError(t, err)
	until(t, n, "the end", func(c recipes.NodeChange) bool { return c.State == recipes.NodeClosed })
	require.ErrorIs(t, n.Close(t.Context()), client.ErrDetached)

	latter := connect(t, srv, client.WithSession(h))
	require.Equal(t, h.ID(), sessionOf(t, latter))
	n = keepNode(t, latter, "latter")
	require.Equal(t, first.Stat.Czxid, requireNode(t, srv, h.ID(), "latter").Stat.Czxid, "written, not made again")
	closeNode(t, n)
	_, ok := srv.Node(nodePath)
	require.False(t, ok)
}

// Who waits for somebody else's node gives up at once when the session is to be left to another process.
func TestNodeDetachedWhileTaken(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	require.NoError(t, srv.Create(nodePath, nil))
	looked := after(srv, zktest.Match{Session: sessionOf(t, cl), Path: nodePath, Ops: []zktest.Op{zktest.OpExists}})
	kept := make(chan error, 1)
	go func() {
		_, err := recipes.KeepNode(context.WithoutCancel(t.Context()), cl, nodePath, recipes.NodeConfig{})
		kept <- err
	}()
	wait(t, "a look", looked)
	let := make(chan struct{}) // what Detach waits for
	cl.Cleanup("something", func(context.Context, *client.Session) error {
		<-let
		return nil
	})
	detached := make(chan error, 1)
	go func() {
		_, err := cl.Detach(context.WithoutCancel(t.Context()))
		detached <- err
	}()
	require.ErrorIs(t, wait(t, "the end of the call", kept), client.ErrDetached)
	close(let)
	require.NoError(t, wait(t, "the end of Detach", detached))
}

// Where it is not known what became of a create the node is looked for behind a commit: what was sent
// before has been executed by then, or never will be.
func TestNodeClosedBehindACommit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, inMemory)
		require.NoError(t, srv.Create("/workers", nil))
		cl := connect(t, srv)
		s := sessionOf(t, cl)
		ctx, cancel := context.WithCancel(t.Context())
		held := srv.HoldReply(zktest.On(nodePath, zktest.Creates()...))
		kept := make(chan error, 1)
		go func() {
			_, err := recipes.KeepNode(ctx, cl, nodePath, recipes.NodeConfig{})
			kept <- err
		}()
		<-held.Fired()
		srv.ResetRequests()
		cancel()
		require.ErrorIs(t, <-kept, context.Canceled)
		held.Release()
		require.Eventually(t, func() bool { _, ok := srv.Node(nodePath); return !ok }, patience, time.Millisecond)
		var ops []string
		for _, r := range srv.Requests(zktest.Match{Session: s}) {
			ops = append(ops, r.Op.String())
		}
		require.Equal(t, []string{"multi", "exists", "delete"}, ops)
	})
}

// What a Node costs: its creation and one read that watches it; a reconnect is one read, an update a
// write and a read, Close a read and a deletion. Nothing flaps.
func TestNodeCost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, inMemory)
		require.NoError(t, srv.Create("/workers", nil))
		cl := connect(t, srv)
		s := sessionOf(t, cl)
		cost := func() (ops []string) {
			synctest.Wait()
			for _, r := range srv.Requests(zktest.Match{Session: s}) {
				if r.Op != zktest.OpRemoveWatches {
					ops = append(ops, r.Op.String())
				}
			}
			srv.ResetRequests()
			return ops
		}
		cost()
		n := keepNode(t, cl, "one")
		require.Equal(t, []string{"create2", "exists"}, cost())
		czxid := n.State().Czxid
		for range 3 {
			require.True(t, srv.DropConnection(s))
			time.Sleep(time.Minute)
			require.Equal(t, []string{"exists"}, cost())
		}
		require.NoError(t, n.Set(t.Context(), []byte("two")))
		require.Equal(t, []string{"setData", "exists"}, cost())
		time.Sleep(time.Hour)
		require.Empty(t, cost())
		require.Equal(t, czxid, n.State().Czxid)
		closeNode(t, n)
		require.Equal(t, []string{"exists", "delete"}, cost())
	})
}

// Refusals do not end the keeping; they are told, and it is tried again.
func TestNodeRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, inMemory)
		cl := connect(t, srv)
		n := keepNode(t, cl, "one")
		for range 5 {
			srv.FailNext(zktest.On(nodePath, zktest.Creates()...), zktest.NoAuth)
		}
		require.NoError(t, srv.Delete(nodePath))
		refused := until(t, n, "the refusal", func(c recipes.NodeChange) bool { return c.Err != nil })
		require.ErrorIs(t, refused.Err, client.ErrNoAuth)
		require.Equal(t, recipes.NodeMissing, refused.State)
		until(t, n, "it again", present(sessionOf(t, cl)))
		requireNode(t, srv, sessionOf(t, cl), "one")

		srv.FailNext(zktest.On(nodePath, zktest.OpDelete), zktest.NoAuth)
		require.ErrorIs(t, n.Close(t.Context()), client.ErrNoAuth)
		closeNode(t, n)
		_, ok := srv.Node(nodePath)
		require.False(t, ok)
	})
	srv := zktest.Start(t)
	cl := connect(t, srv)
	srv.FailNext(zktest.On(nodePath, zktest.Creates()...), zktest.NoAuth)
	_, err := recipes.KeepNode(t.Context(), cl, nodePath, recipes.NodeConfig{})
	require.ErrorIs(t, err, client.ErrNoAuth)
}

// Somebody who deletes the node again and again is no reason to hurry.
func TestNodePaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, inMemory)
		cl := connect(t, srv)
		n := keepNode(t, cl, "one")
		made := 0
		for end := time.Now().Add(time.Minute); time.Now().Before(end); {
			if _, ok := srv.Node(nodePath); ok {
				require.NoError(t, srv.Delete(nodePath))
				made++
			}
			time.Sleep(time.Millisecond)
		}
		require.Less(t, made, 200, "about one in a second")
		until(t, n, "it again", present(sessionOf(t, cl)))
		closeNode(t, n)
	})
}
