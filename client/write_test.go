package client_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

func TestDeleteAll(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	ctx := t.Context()
	for i := range 3 {
		for j := range 3 {
			require.NoError(t, srv.Create(fmt.Sprintf("/a/%d/%d", i, j), nil))
		}
	}
	require.NoError(t, srv.Create("/ab", nil))
	require.NoError(t, cl.DeleteAll(ctx, "/a"))
	require.Equal(t, []string{"/ab"}, paths(srv))
	require.NoError(t, cl.DeleteAll(ctx, "/a"), "nothing there is what was asked for")
	require.NoError(t, srv.Create("/c/d", nil))
	require.NoError(t, cl.DeleteAll(ctx, "/"))
	require.Empty(t, paths(srv))
	require.True(t, exists("/zookeeper/quota")(srv), "what is the servers' own stays")
}

// Others make and delete nodes meanwhile.
func TestDeleteAllAmongOthers(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	require.NoError(t, srv.Create("/a/b/c", nil))
	var made atomic.Int64
	srv.OnRequest(func(r zktest.Request) {
		switch {
		case r.Op == zktest.OpDelete && r.Path == "/a/b" && made.Add(1) <= 3:
			_ = srv.Create(fmt.Sprintf("/a/b/new%d", made.Load()), nil)
		case r.Op == zktest.OpDelete && r.Path == "/a/b/new1":
			_ = srv.Delete("/a/b/new1")
		case r.Op == zktest.OpGetChildren2 && r.Path == "/a/b/new2":
			_ = srv.Delete("/a/b/new2")
		}
	})
	require.NoError(t, cl.DeleteAll(t.Context(), "/a"))
	require.Empty(t, paths(srv))
	require.EqualValues(t, 4, made.Load())
}

func TestDeleteAllErrors(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	_, err := cl.Create(t.Context(), "/a", nil, client.WithACL(client.WorldACL(client.PermAll&^client.PermDelete)))
	require.NoError(t, err)
	require.NoError(t, srv.Create("/a/b", nil))
	err = cl.DeleteAll(t.Context(), "/a")
	require.ErrorIs(t, err, client.ErrNoAuth)
	require.Equal(t, client.Definite, client.Outcome(err))
	require.ErrorContains(t, err, "/a/b")
}

// TestK14_ReplyOfDeleteLost: the delete was executed and its reply lost; whoever repeats it
// blindly is told that the node does not exist, and takes that for somebody else's doing.
func TestK14_ReplyOfDeleteLost(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	srv.SwallowReply(zktest.On("/n", zktest.OpDelete))
	err := cl.Delete(t.Context(), "/n", 0)
	require.Equal(t, client.Unknown, client.Outcome(err))
	require.NotErrorIs(t, err, client.ErrNoNode)
	require.Equal(t, 1, sent(srv, "/n", zktest.OpDelete))
}

// TestK16_ReplyOfSetLost: likewise, a set that was executed must not come back as
// BadVersion, upon which a counter would add once more.
func TestK16_ReplyOfSetLost(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	srv.SwallowReply(zktest.On("/n", zktest.OpSetData))
	_, err := cl.Set(t.Context(), "/n", []byte("1"), 0)
	require.Equal(t, client.Unknown, client.Outcome(err))
	require.NotErrorIs(t, err, client.ErrBadVersion)
	require.Equal(t, 1, sent(srv, "/n", zktest.OpSetData))
	n, _ := srv.Node("/n")
	require.EqualValues(t, 1, n.Stat.Version)
}

// The node is at the expected version, but it is not the one that was there before:
// somebody may have deleted the one that was set and made another.
func TestWriteOfReplacedNodeStaysUnknown(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		op  zktest.Op
		run func(cl *client.Client) error
	}{
		{zktest.OpSetData, func(cl *client.Client) error { _, err := cl.Set(t.Context(), "/n", nil, 0); return err }},
		{zktest.OpDelete, func(cl *client.Client) error { return cl.Delete(t.Context(), "/n", 0) }},
	} {
		srv := newTree(t)
		cl := primed(t, srv)
		srv.SwallowReply(zktest.On("/n", tc.op))
		srv.OnRequest(func(r zktest.Request) {
			if r.Op == zktest.OpMulti {
				_ = srv.Delete("/n")
				_ = srv.Create("/n", nil)
			}
		})
		err := tc.run(cl)
		require.Equal(t, client.Unknown, client.Outcome(err), "%v", err)
		require.Equal(t, 1, sent(srv, "/n", tc.op))
	}
}

// The look-up itself is lost, and lost again: it goes on.
func TestWriteIsLookedUpAcrossLosses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := newTree(t, inMemory)
		cl := primed(t, srv)
		srv.DropRequest(zktest.On("/n", zktest.OpSetData))
		srv.DropRequest(zktest.On("", zktest.OpMulti))
		srv.SwallowReply(zktest.On("/n", zktest.OpExists))
		stat, err := cl.Set(t.Context(), "/n", []byte("new"), 0)
		require.NoError(t, err)
		require.EqualValues(t, 1, stat.Version)
		require.Equal(t, 2, sent(srv, "/n", zktest.OpSetData))
	})
}
