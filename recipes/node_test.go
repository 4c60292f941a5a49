package recipes_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

const nodePath = "/workers/worker-7"

func keepNode(t testing.TB, cl *client.Client, data string) *recipes.Node {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	n, err := recipes.KeepNode(ctx, cl, nodePath, recipes.NodeConfig{Data: []byte(data)})
	require.NoError(t, err)
	return n
}

func closeNode(t testing.TB, n *recipes.Node) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, n.Close(ctx))
}

func sessionOf(t testing.TB, cl *client.Client) int64 {
	t.Helper()
	s, err := cl.Session(t.Context())
	require.NoError(t, err)
	return s.ID()
}

// until follows a node's states until one that is wanted.
func until(t testing.TB, n *recipes.Node, what string, wanted func(recipes.NodeChange) bool) recipes.NodeChange {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for at := range n.States(ctx) {
		if wanted(at) {
			return at
		}
	}
	require.FailNow(t, "waited in vain for "+what)
	panic("unreachable")
}

func present(session int64) func(recipes.NodeChange) bool {
	return func(at recipes.NodeChange) bool { return at.State == recipes.NodePresent && at.Session == session }
}

func requireNode(t testing.TB, srv *zktest.Server, session int64, data string) zktest.Node {
	t.Helper()
	n, ok := srv.Node(nodePath)
	require.True(t, ok)
	require.Equal(t, session, n.Stat.EphemeralOwner)
	require.Equal(t, data, string(n.Data))
	return n
}

func TestNode(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	n := keepNode(t, cl, "one")
	require.Equal(t, nodePath, n.Path())
	require.Equal(t, "one", string(n.Data()))
	first := requireNode(t, srv, sessionOf(t, cl), "one")
	at := n.State()
	require.Equal(t, recipes.NodeChange{State: recipes.NodePresent, Session: sessionOf(t, cl), Czxid: first.Stat.Czxid}, at)

	require.NoError(t, n.Set(t.Context(), []byte("two")))
	require.Equal(t, first.Stat.Czxid, requireNode(t, srv, sessionOf(t, cl), "two").Stat.Czxid, "changed, not made again")

	// Deleted by somebody.
	require.NoError(t, srv.Delete(nodePath))
	until(t, n, "it again", func(c recipes.NodeChange) bool {
		return c.State == recipes.NodePresent && c.Czxid > first.Stat.Czxid
	})
	requireNode(t, srv, sessionOf(t, cl), "two")

	// Written by somebody.
	other := connect(t, srv)
	_, err := other.Set(t.Context(), nodePath, []byte("foreign"), client.AnyVersion)
	require.NoError(t, err)
	require.Eventually(t, func() bool { n, _ := srv.Node(nodePath); return string(n.Data) == "two" }, patience, 1e6)

	// The session is lost.
	old := sessionOf(t, cl)
	require.True(t, srv.ExpireSession(old))
	at = until(t, n, "it in the next session", func(c recipes.NodeChange) bool {
		return c.State == recipes.NodePresent && c.Session != old
	})
	require.Equal(t, sessionOf(t, cl), at.Session)
	requireNode(t, srv, at.Session, "two")

	closeNode(t, n)
	_, ok := srv.Node(nodePath)
	require.False(t, ok)
	closeNode(t, n)
	require.Equal(t, recipes.NodeChange{State: recipes.NodeClosed}, until(t, n, "the end", func(c recipes.NodeChange) bool { return c.State == recipes.NodeClosed }))
	require.ErrorIs(t, n.Set(t.Context(), nil), recipes.ErrNodeClosed)

	// And once more in the same session.
	n = keepNode(t, cl, "three")
	requireNode(t, srv, sessionOf(t, cl), "three")
	require.NoError(t, cl.Close())
	until(t, n, "the end", func(c recipes.NodeChange) bool { return c.State == recipes.NodeClosed })
	require.ErrorIs(t, n.State().Err, client.ErrClosed)
	require.ErrorIs(t, n.Set(t.Context(), nil), client.ErrClosed)
	closeNode(t, n)
}

// A node of somebody else's is left alone and waited for, also that of a crashed process.
func TestNodeTaken(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	former, cl := connect(t, srv), connect(t, srv)
	first := keepNode(t, former, "former")
	_, err := recipes.KeepNode(t.Context(), former, nodePath, recipes.NodeConfig{})
	require.ErrorIs(t, err, recipes.ErrNodeTaken, "one in a client")

	ctx, cancel := context.WithCancel(t.Context())
	looked := after(srv, zktest.Match{Session: sessionOf(t, cl), Path: nodePath, Ops: []zktest.Op{zktest.OpExists}})
	kept := make(chan error, 1)
	go func() {
		_, err := recipes.KeepNode(ctx, cl, nodePath, recipes.NodeConfig{})
		kept <- err
	}()
	wait(t, "a look", looked)
	require.NoError(t, first.Set(t.Context(), []byte("still the former")))
	cancel()
	err = wait(t, "the end of the call", kept)
	require.ErrorIs(t, err, context.Canceled)
	requireNode(t, srv, sessionOf(t, former), "still the former")

	got := make(chan *recipes.Node, 1)
	go func() {
		n, err := recipes.KeepNode(context.WithoutCancel(t.Context()), cl, nodePath, recipes.NodeConfig{Data: []byte("latter")})
		if err == nil {
			got <- n
		}
	}()
	require.NoError(t, first.Close(t.Context()))
	n := wait(t, "the node", got)
	requireNode(t, srv, sessionOf(t, cl), "latter")
	closeNode(t, n)
}

func TestNodeBadArguments(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	keep := func(cl *client.Client, path string, cfg recipes.NodeConfig) error {
		_, err := recipes.KeepNode(t.Context(), cl, path, cfg)
		return err
	}
	require.ErrorIs(t, keep(nil, nodePath, recipes.NodeConfig{}), client.ErrBadArgument)
	require.ErrorIs(t, keep(cl, "workers", recipes.NodeConfig{}), client.ErrBadPath)
	require.ErrorIs(t, keep(cl, nodePath, recipes.NodeConfig{Layout: 7}), client.ErrBadArgument)
	require.ErrorIs(t, keep(cl, nodePath, recipes.NodeConfig{Data: make([]byte, 2<<20)}), client.ErrTooLarge)
	require.ErrorIs(t, keep(cl, nodePath, recipes.NodeConfig{ACL: []client.ACL{client.AuthACL(client.PermAll)}}), client.ErrInvalidACL)
	require.NoError(t, srv.Create(nodePath, nil))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := recipes.KeepNode(ctx, cl, nodePath, recipes.NodeConfig{})
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, srv.Delete(nodePath))

	n := keepNode(t, cl, "small")
	require.ErrorIs(t, n.Set(t.Context(), make([]byte, 2<<20)), client.ErrTooLarge)
	require.Equal(t, "small", string(n.Data()))
	requireNode(t, srv, sessionOf(t, cl), "small")
	require.NoError(t, n.Set(t.Context(), []byte("smaller")))
	requireNode(t, srv, sessionOf(t, cl), "smaller")
	closeNode(t, n)
}

// An update that the servers refuse when the node is to be made does not keep it from being made.
func TestNodeRefusedUpdate(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl, other := connect(t, srv), connect(t, srv)
	n := keepNode(t, cl, "small")
	// Its place is taken while it is deleted.
	_, err := other.Txn().Delete(nodePath, client.AnyVersion).Create(nodePath, nil, client.WithMode(client.Ephemeral)).Commit(t.Context())
	require.NoError(t, err)
	until(t, n, "the other's node", func(c recipes.NodeChange) bool {
		return c.State == recipes.NodeTaken && c.Session == sessionOf(t, other)
	})
	set := make(chan error, 1)
	go func() { set <- n.Set(context.WithoutCancel(t.Context()), make([]byte, 2<<20)) }()
	require.Eventually(t, func() bool { return len(n.Data()) > 1<<20 }, patience, 1e6)
	require.NoError(t, other.Delete(t.Context(), nodePath, client.AnyVersion))
	require.ErrorIs(t, wait(t, "the refusal", set), client.ErrTooLarge)
	until(t, n, "it again", present(sessionOf(t, cl)))
	requireNode(t, srv, sessionOf(t, cl), "small")
	closeNode(t, n)
}
