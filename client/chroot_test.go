package client_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

// Under a chroot no path that comes out names it.
func TestChroot(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	require.NoError(t, srv.Create("/app/v1", nil))
	cl := connectTo(t, srv.Addr()+"/app/v1")
	ctx := t.Context()

	made, err := cl.Create(ctx, "/n-", []byte("x"), client.WithMode(client.PersistentSequential))
	require.NoError(t, err)
	require.Equal(t, "/n-0000000000", made.Path)
	require.True(t, exists("/app/v1/n-0000000000")(srv))
	data, _, err := cl.Get(ctx, made.Path)
	require.NoError(t, err)
	require.Equal(t, "x", string(data))
	names, _, err := cl.Children(ctx, "/")
	require.NoError(t, err)
	require.Equal(t, []string{"n-0000000000"}, names)
	require.NoError(t, cl.Sync(ctx, "/"))
	_, _, err = cl.Get(ctx, "/none")
	require.EqualError(t, err, "getData /none: node does not exist")
	_, _, err = cl.Get(ctx, "/app/v1")
	require.ErrorIs(t, err, client.ErrNoNode, "there is nothing outside")

	_, _, w, err := cl.GetW(ctx, made.Path)
	require.NoError(t, err)
	_, _, root, err := cl.ChildrenW(ctx, "/")
	require.NoError(t, err)
	_, ok, up, err := cl.ExistsW(ctx, "/coming/soon")
	require.NoError(t, err)
	require.False(t, ok)
	results, err := cl.Txn().
		Check("/", client.AnyVersion).
		Create("/coming", nil).
		Create("/coming/soon", nil).
		Create("/coming/s-", nil, client.WithMode(client.PersistentSequential)).
		Set(made.Path, nil, 0).
		Delete("/coming/s-0000000001", 0).
		Commit(ctx)
	require.NoError(t, err)
	require.Equal(t, []string{"", "/coming", "/coming/soon", "/coming/s-0000000001", "", ""}, resultPaths(results))
	for want, w := range map[client.Event]*client.Watch{
		{Type: client.EventNodeDataChanged, Path: made.Path}:  w,
		{Type: client.EventNodeChildrenChanged, Path: "/"}:    root,
		{Type: client.EventNodeCreated, Path: "/coming/soon"}: up,
	} {
		ev, _ := receive(t, w.C)
		require.Equal(t, want, ev)
	}
	_, err = cl.Txn().Check("/none", 0).Commit(ctx)
	require.EqualError(t, err, "multi /none: operation 0 (check /none): node does not exist")

	s := session(t, cl)
	require.NoError(t, s.Confirm(ctx, "/coming", "/"))
	require.ErrorIs(t, s.Confirm(ctx, "/app/v1"), client.ErrNoNode)
	listed, names, err := s.CreateAndList(ctx, "/deep/down/x", nil, client.WithContainerParents(), client.WithMode(client.Ephemeral))
	require.NoError(t, err)
	require.Equal(t, "/deep/down/x", listed.Path)
	require.Equal(t, []string{"x"}, names)
	require.True(t, exists("/app/v1/deep/down/x")(srv))

	require.NoError(t, cl.DeleteAll(ctx, "/"))
	require.Equal(t, []string{"/app", "/app/v1"}, paths(srv), "the chroot stays")
}

func resultPaths(results []client.TxnResult) []string {
	var out []string
	for _, r := range results {
		out = append(out, r.Path)
	}
	return out
}

// Events of a connection's end name the caller's path, too.
func TestChrootOfLostWatch(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	require.NoError(t, srv.Create("/app/a", nil))
	cl := connectTo(t, srv.Addr()+"/app")
	for _, path := range []string{"/a", "/"} {
		_, _, w, err := cl.GetW(t.Context(), path)
		require.NoError(t, err)
		srv.DropConnections()
		ev, _ := receive(t, w.C)
		require.Equal(t, client.Event{Type: client.EventConnectionLost, Path: path}, ev)
	}
}

func TestChrootThatDoesNotExist(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	var d dials
	_, err := client.Connect(t.Context(), srv.Addr()+"/no/such", client.WithDialer(d.dial))
	require.ErrorIs(t, err, client.ErrNoNode)
	require.ErrorContains(t, err, "/no/such")
	require.ErrorContains(t, err, "WithCreateChroot")
	require.Equal(t, 1, d.count(), "it is said at once")
	require.Empty(t, srv.Sessions(), "and the session is closed")
	require.Empty(t, paths(srv))

	for range 2 {
		cl := connectTo(t, srv.Addr()+"/no/such", client.WithCreateChroot())
		require.Equal(t, []string{"/no", "/no/such"}, paths(srv))
		_, err = cl.Create(t.Context(), "/x", nil, client.WithMode(client.Ephemeral))
		require.NoError(t, err)
		require.NoError(t, cl.Close())
	}
}

// "/" is no chroot.
func TestChrootRoot(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connectTo(t, srv.Addr()+"/")
	made, err := cl.Create(t.Context(), "/x", nil)
	require.NoError(t, err)
	require.Equal(t, "/x", made.Path)
	require.Equal(t, []string{"/x"}, paths(srv))
}

// With the chroot's node a client may have no right to look above it.
func TestChrootIsAllThatIsNeeded(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	admin := connect(t, srv, client.WithAuth("digest", "admin:a"))
	_, err := admin.Create(t.Context(), "/closed", nil, client.WithACL(client.AuthACL(client.PermAll)))
	require.NoError(t, err)
	_, err = admin.Create(t.Context(), "/closed/app", nil)
	require.NoError(t, err)
	cl := connectTo(t, srv.Addr()+"/closed/app", client.WithCreateChroot())
	_, err = cl.Create(t.Context(), "/a/b", nil, client.WithParents())
	require.NoError(t, err)
	_, err = client.Connect(t.Context(), srv.Addr()+"/closed/other", client.WithCreateChroot())
	require.ErrorIs(t, err, client.ErrNoAuth)
	require.ErrorContains(t, err, "/closed/other")
}
