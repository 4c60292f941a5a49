package protocol

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/faultproxy"
	"github.com/zookit/zookit/integration/trial"
)

// TestBatch: many operations in one flight, executed in their order.
func TestBatch(t *testing.T) {
	t.Parallel()
	e := ensemble.Start(t, 3)
	ctx := trial.Within(t, time.Minute)
	cl := trial.Connect(t, e.Connect()+"/app", client.WithCreateChroot())
	results, err := cl.Batch().
		Create("/a", []byte("x")).
		Create("/a/e-", nil, client.WithMode(client.EphemeralSequential)).
		Create("/a/c", nil, client.WithMode(client.Container)).
		Set("/a", []byte("yy"), 0).
		Sync("/a").
		Get("/a").
		Children("/a").
		GetACL("/a").
		Exists("/a/c").
		Delete("/a/c", 0).
		Exists("/a/c").
		Set("/a", nil, 0).
		Delete("/none", 0).
		Do(ctx)
	require.Len(t, results, 13)
	require.EqualError(t, err, "batch: operation 11: setData /a: version does not match (and 1 more of 13 have failed)")
	require.ErrorIs(t, err, client.ErrBadVersion)
	require.ErrorIs(t, results[12].Err, client.ErrNoNode)
	require.Equal(t, client.Definite, client.Outcome(err))
	require.Equal(t, "/a/e-0000000000", results[1].Path)
	require.Equal(t, "yy", string(results[5].Data))
	require.EqualValues(t, 1, results[5].Stat.Version)
	require.Equal(t, []string{"c", "e-0000000000"}, results[6].Children)
	require.Equal(t, []client.ACL{client.WorldACL(client.PermAll)}, results[7].ACL)
	require.True(t, results[8].Exists)
	require.False(t, results[10].Exists)
	require.NoError(t, results[10].Err)
}

// TestLargeBatch: more than fits into one flight, in operations and in bytes.
func TestLargeBatch(t *testing.T) {
	t.Parallel()
	e := ensemble.Start(t, 1)
	ctx := trial.Within(t, 2*time.Minute)
	cl := trial.Connect(t, e.Connect())
	b := cl.Batch().Create("/b", nil)
	const n = 2500
	for i := range n {
		b.Create(fmt.Sprintf("/b/%d", i), nil)
	}
	b.Set("/b", bytes.Repeat([]byte("x"), 1<<20-200), client.AnyVersion)
	for range 12 {
		b.Get("/b")
	}
	results, err := b.Children("/b").Do(ctx)
	require.NoError(t, err)
	require.Len(t, results[len(results)-1].Children, n)
	for i := 1; i < n; i++ {
		require.Less(t, results[i].Stat.Czxid, results[i+1].Stat.Czxid, "in their order")
	}
}

// TestBatchOnALostConnection: reads and versioned writes of a batch survive the loss of
// all its replies; what cannot be found out is unknown.
func TestBatchOnALostConnection(t *testing.T) {
	t.Parallel()
	e := ensemble.Start(t, 3)
	ctx := trial.Within(t, time.Minute)
	proxy := faultproxy.Start(t, e.Servers()[0].Addr())
	cl := trial.Connect(t, proxy.Addr())
	for _, p := range []string{"/a", "/b"} {
		_, err := cl.Create(ctx, p, nil)
		require.NoError(t, err)
	}
	// The first reply is kept back: so are those behind it.
	lost := proxy.SwallowReply(faultproxy.Op(faultproxy.OpGetData))
	results, err := cl.Batch().Get("/a").Set("/b", []byte("new"), 0).Create("/c", nil).Children("/").Do(ctx)
	require.Error(t, err)
	<-lost.Fired()
	require.NoError(t, results[0].Err)
	require.NoError(t, results[3].Err)
	for _, i := range []int{1, 2} { // both were executed, and that cannot be known
		require.ErrorIs(t, results[i].Err, client.ErrConnectionLost)
		require.Equal(t, client.Unknown, client.Outcome(results[i].Err))
	}
	require.Equal(t, client.Unknown, client.Outcome(err))
	require.Contains(t, results[3].Children, "c")
}

// TestMultiRead: reads in one request, each with its own error.
func TestMultiRead(t *testing.T) {
	t.Parallel()
	e := ensemble.Start(t, 1)
	ctx := trial.Within(t, time.Minute)
	owner := trial.Connect(t, e.Connect(), client.WithAuth("digest", "heat:secret"))
	cl := trial.Connect(t, e.Connect()+"/app", client.WithCreateChroot())
	_, err := cl.Create(ctx, "/a/b", []byte("x"), client.WithParents())
	require.NoError(t, err)
	_, err = owner.Create(ctx, "/app/closed", nil, client.WithACL(client.AuthACL(client.PermAll)))
	require.NoError(t, err)
	require.NoError(t, cl.Sync(ctx, "/"))
	results, err := cl.MultiRead().Get("/a/b").Children("/a").Get("/none").Children("/none").Get("/closed").Children("/closed").Do(ctx)
	require.NoError(t, err)
	require.Equal(t, "x", string(results[0].Data))
	require.Equal(t, 1, results[0].Stat.DataLength)
	require.Equal(t, []string{"b"}, results[1].Children)
	for i, want := range []error{2: client.ErrNoNode, 3: client.ErrNoNode, 4: client.ErrNoAuth, 5: client.ErrNoAuth} {
		require.ErrorIs(t, results[i].Err, want, i)
	}
	require.EqualError(t, results[3].Err, "getChildren /none: node does not exist")
}

// TestEphemerals: the session's own, within the chroot.
func TestEphemerals(t *testing.T) {
	t.Parallel()
	e := ensemble.Start(t, 1)
	ctx := trial.Within(t, time.Minute)
	root := trial.Connect(t, e.Connect())
	app := trial.Connect(t, e.Connect()+"/app", client.WithCreateChroot())
	apple, err := root.Create(ctx, "/apple", nil, client.WithMode(client.Ephemeral))
	require.NoError(t, err)
	for _, p := range []string{"/a/1", "/a/2", "/ab"} {
		_, err := app.Create(ctx, p, nil, client.WithMode(client.Ephemeral), client.WithParents())
		require.NoError(t, err)
	}
	for prefix, want := range map[string][]string{
		"/": {"/a/1", "/a/2", "/ab"}, "/a": {"/a/1", "/a/2", "/ab"}, "/a/": {"/a/1", "/a/2"}, "/a/2": {"/a/2"}, "/b": {},
	} {
		got, err := app.Ephemerals(ctx, prefix)
		require.NoError(t, err)
		require.Equal(t, want, got, prefix)
	}
	got, err := root.Ephemerals(ctx, "/")
	require.NoError(t, err)
	require.Equal(t, []string{apple.Path}, got, "of this session alone")
	n, err := app.AllChildrenNumber(ctx, "/")
	require.NoError(t, err)
	require.Equal(t, 4, n)
	_, err = root.AllChildrenNumber(ctx, "/none")
	require.ErrorIs(t, err, client.ErrNoNode)
}

// TestWhoAmI: every credential, and the address.
func TestWhoAmI(t *testing.T) {
	t.Parallel()
	e := ensemble.Start(t, 1)
	ctx := trial.Within(t, time.Minute)
	cl := trial.Connect(t, e.Connect(), client.WithAuth("digest", "heat:secret"), client.WithAuth("digest", "nova:other"))
	got, err := cl.WhoAmI(ctx)
	require.NoError(t, err)
	require.Len(t, got, 3)
	require.Contains(t, got, client.Identity{Scheme: "digest", User: "heat"})
	require.Contains(t, got, client.Identity{Scheme: "digest", User: "nova"})
	require.NotContains(t, fmt.Sprint(got), "secret")
}
