package compatibility

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/faultproxy"
)

// operations are those of ZooKeeper's ZooDefs.OpCode that a client may send.
var operations = []operation{
	{faultproxy.OpConnect, "3.0", "`client.Connect`", func(ctx context.Context, t *testing.T, b *bench) {
		s, err := b.Session(ctx)
		require.NoError(t, err)
		require.NotZero(t, s.ID())
	}},
	{faultproxy.OpCreate, "3.0", "create2 is used in its place", nil},
	{faultproxy.OpDelete, "3.0", "`Ops.Delete`, `Ops.DeleteAll`, `Txn.Delete`", func(ctx context.Context, t *testing.T, b *bench) {
		require.NoError(t, b.Delete(ctx, b.node(ctx, t), 0))
	}},
	{faultproxy.OpExists, "3.0", "`Ops.Exists`, `Ops.ExistsW`", func(ctx context.Context, t *testing.T, b *bench) {
		stat, ok, err := b.Exists(ctx, b.node(ctx, t))
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, 4, stat.DataLength)
	}},
	{faultproxy.OpGetData, "3.0", "`Ops.Get`, `Ops.GetW`", func(ctx context.Context, t *testing.T, b *bench) {
		data, _, err := b.Get(ctx, b.node(ctx, t))
		require.NoError(t, err)
		require.Equal(t, "data", string(data))
	}},
	{faultproxy.OpSetData, "3.0", "`Ops.Set`, `Txn.Set`", func(ctx context.Context, t *testing.T, b *bench) {
		stat, err := b.Set(ctx, b.node(ctx, t), []byte("more"), 0)
		require.NoError(t, err)
		require.EqualValues(t, 1, stat.Version)
	}},
	{faultproxy.OpGetACL, "3.0", "`Ops.GetACL`", func(ctx context.Context, t *testing.T, b *bench) {
		acl, _, err := b.GetACL(ctx, b.node(ctx, t))
		require.NoError(t, err)
		require.Equal(t, []client.ACL{client.WorldACL(client.PermAll)}, acl)
	}},
	{faultproxy.OpSetACL, "3.0", "`Ops.SetACL`", func(ctx context.Context, t *testing.T, b *bench) {
		stat, err := b.SetACL(ctx, b.node(ctx, t), []client.ACL{client.AuthACL(client.PermAll)}, 0)
		require.NoError(t, err)
		require.EqualValues(t, 1, stat.Aversion)
	}},
	{faultproxy.OpGetChildren, "3.0", "getChildren2 is used in its place, but in `Ops.MultiRead`", nil},
	{faultproxy.OpSync, "3.0", "`Ops.Sync`", func(ctx context.Context, t *testing.T, b *bench) {
		require.NoError(t, b.Sync(ctx, "/"))
	}},
	{faultproxy.OpPing, "3.0", "by itself", func(ctx context.Context, t *testing.T, b *bench) {
		cl, err := client.Connect(ctx, b.proxy.Addr(), client.WithSessionTimeout(time.Second))
		require.NoError(t, err)
		defer cl.Close()
		pinged := make(chan struct{}, 100)
		b.proxy.OnReply(func(r faultproxy.Request) {
			if r.Op == faultproxy.OpPing {
				select {
				case pinged <- struct{}{}:
				default:
				}
			}
		})
		select {
		case <-pinged:
		case <-ctx.Done():
			t.Fatal("no ping")
		}
	}},
	{faultproxy.OpGetChildren2, "3.3", "`Ops.Children`, `Ops.ChildrenW`", func(ctx context.Context, t *testing.T, b *bench) {
		names, stat, err := b.Children(ctx, "/zookeeper")
		require.NoError(t, err)
		require.Equal(t, []string{"config", "quota"}, names)
		require.Equal(t, 2, stat.NumChildren)
	}},
	{faultproxy.OpCheck, "3.4", "`Txn.Check`", func(ctx context.Context, t *testing.T, b *bench) {
		node := b.node(ctx, t)
		_, err := b.Txn().Check(node, 1).Set(node, nil, 0).Commit(ctx)
		require.ErrorIs(t, err, client.ErrBadVersion)
		_, err = b.Txn().Check(node, 0).Set(node, nil, 0).Commit(ctx)
		require.NoError(t, err)
	}},
	{faultproxy.OpMulti, "3.4", "`Ops.Txn`", func(ctx context.Context, t *testing.T, b *bench) {
		node := b.node(ctx, t)
		results, err := b.Txn().
			Create(node+"/persistent", nil).
			Create(node+"/container", nil, client.WithMode(client.Container)).
			Create(node+"/ttl", nil, client.WithMode(client.PersistentTTL), client.WithTTL(time.Hour)).
			Create(node+"/n-", nil, client.WithMode(client.EphemeralSequential)).
			Delete(node+"/persistent", 0).
			Commit(ctx)
		require.NoError(t, err)
		require.Equal(t, node+"/n-0000000003", results[3].Path)
		names, _, err := b.Children(ctx, node)
		require.NoError(t, err)
		require.Equal(t, []string{"container", "n-0000000003", "ttl"}, names)
	}},
	{faultproxy.OpCreate2, "3.5", "`Ops.Create`, `Session.CreateAndList`", func(ctx context.Context, t *testing.T, b *bench) {
		created, err := b.Create(ctx, "/created-", nil, client.WithMode(client.EphemeralSequential))
		require.NoError(t, err)
		require.NotZero(t, created.Stat.Czxid)
	}},
	{faultproxy.OpReconfig, "3.5", "`Client.Reconfig`", tryReconfig},
	{faultproxy.OpCheckWatches, "3.6", "not offered: the client knows its watches", nil},
	{faultproxy.OpRemoveWatches, "3.5", "`Watch.Remove`, `Watcher.Close`", func(ctx context.Context, t *testing.T, b *bench) {
		answered := b.awaitReply(faultproxy.OpRemoveWatches)
		_, _, w, err := b.GetW(ctx, b.node(ctx, t))
		require.NoError(t, err)
		w.Remove()
		select {
		case <-answered:
		case <-ctx.Done():
			t.Fatal("not removed")
		}
	}},
	{faultproxy.OpCreateContainer, "3.5", "`WithMode(Container)`, `WithContainerParents`", func(ctx context.Context, t *testing.T, b *bench) {
		_, err := b.Create(ctx, b.node(ctx, t)+"/container", nil, client.WithMode(client.Container))
		require.NoError(t, err)
	}},
	{faultproxy.OpCreateTTL, "3.5.3", "`WithMode(PersistentTTL)`", func(ctx context.Context, t *testing.T, b *bench) {
		_, err := b.Create(ctx, b.node(ctx, t)+"/ttl", nil, client.WithMode(client.PersistentTTL), client.WithTTL(time.Hour))
		require.NoError(t, err)
	}},
	{faultproxy.OpDeleteContainer, "3.5", "servers send it to themselves", nil},
	{faultproxy.OpMultiRead, "3.6", "`Ops.MultiRead`", func(ctx context.Context, t *testing.T, b *bench) {
		results, err := b.MultiRead().Get(b.node(ctx, t)).Children("/zookeeper").Get("/none").Do(ctx)
		require.NoError(t, err)
		require.Equal(t, "data", string(results[0].Data))
		require.Equal(t, []string{"config", "quota"}, results[1].Children)
		require.ErrorIs(t, results[2].Err, client.ErrNoNode)
	}},
	{faultproxy.OpAuth, "3.0", "`WithAuth`", func(ctx context.Context, t *testing.T, b *bench) {
		created, err := b.Create(ctx, "/auth-", nil, client.WithMode(client.EphemeralSequential), client.WithACL(client.AuthACL(client.PermAll)))
		require.NoError(t, err)
		acl, _, err := b.GetACL(ctx, created.Path)
		require.NoError(t, err)
		require.Contains(t, acl, client.DigestACL(client.PermAll, "super", "s3cret"))
	}},
	{faultproxy.OpSetWatches, "3.2", "not used: one-shot watches end with their connection, and say so", nil},
	{faultproxy.OpSASL, "3.4", "`WithSASLDigest`", func(ctx context.Context, t *testing.T, b *bench) {
		created, err := b.Create(ctx, "/sasl-", nil, client.WithMode(client.EphemeralSequential), client.WithACL(client.SASLACL(client.PermAll, "alice")))
		require.NoError(t, err)
		_, err = b.Set(ctx, created.Path, nil, 0)
		require.NoError(t, err)
	}},
	{faultproxy.OpGetEphemerals, "3.6", "`Ops.Ephemerals`", func(ctx context.Context, t *testing.T, b *bench) {
		created, err := b.Create(ctx, "/own-", nil, client.WithMode(client.EphemeralSequential))
		require.NoError(t, err)
		paths, err := b.Ephemerals(ctx, "/")
		require.NoError(t, err)
		require.Equal(t, []string{created.Path}, paths)
	}},
	{faultproxy.OpGetAllChildrenNumber, "3.6", "`Ops.AllChildrenNumber`", func(ctx context.Context, t *testing.T, b *bench) {
		node := b.node(ctx, t)
		_, err := b.Create(ctx, node+"/a/b", nil, client.WithParents())
		require.NoError(t, err)
		n, err := b.AllChildrenNumber(ctx, node)
		require.NoError(t, err)
		require.Equal(t, 2, n)
	}},
	{faultproxy.OpSetWatches2, "3.6", "by itself, for `Client.AddWatch`, on each new connection", func(ctx context.Context, t *testing.T, b *bench) {
		node := b.node(ctx, t)
		w, err := b.AddWatch(ctx, node, client.WatchPersistent)
		require.NoError(t, err)
		b.expect(ctx, t, w, client.Event{Type: client.EventResynced, Path: node})
		b.proxy.Cut()
		b.expect(ctx, t, w, client.Event{Type: client.EventResynced, Path: node})
		_, err = b.Set(ctx, node, nil, 0)
		require.NoError(t, err)
		b.expect(ctx, t, w, client.Event{Type: client.EventNodeDataChanged, Path: node})
	}},
	{faultproxy.OpAddWatch, "3.6", "`Client.AddWatch`", func(ctx context.Context, t *testing.T, b *bench) {
		node := b.node(ctx, t)
		w, err := b.AddWatch(ctx, node, client.WatchPersistentRecursive)
		require.NoError(t, err)
		b.expect(ctx, t, w, client.Event{Type: client.EventResynced, Path: node})
		_, err = b.Create(ctx, node+"/a/b", nil, client.WithParents())
		require.NoError(t, err)
		b.expect(ctx, t, w, client.Event{Type: client.EventNodeCreated, Path: node + "/a"})
		b.expect(ctx, t, w, client.Event{Type: client.EventNodeCreated, Path: node + "/a/b"})
	}},
	{faultproxy.OpWhoAmI, "3.7", "`Ops.WhoAmI`", func(ctx context.Context, t *testing.T, b *bench) {
		all, err := b.WhoAmI(ctx)
		require.NoError(t, err)
		require.Contains(t, all, client.Identity{Scheme: "sasl", User: "alice"})
	}},
	{faultproxy.OpCloseSession, "3.0", "`Client.Close`", func(ctx context.Context, t *testing.T, b *bench) {
		created, err := b.Create(ctx, "/own-", nil, client.WithMode(client.EphemeralSequential))
		require.NoError(t, err)
		require.NoError(t, b.Close())
		cl, err := client.Connect(ctx, b.proxy.Addr())
		require.NoError(t, err)
		defer cl.Close()
		require.NoError(t, cl.Sync(ctx, "/"))
		_, ok, err := cl.Exists(ctx, created.Path)
		require.NoError(t, err)
		require.False(t, ok)
	}},
}

// tryReconfig has a server leave the ensemble and join it again.
func tryReconfig(ctx context.Context, t *testing.T, b *bench) {
	before, err := b.EnsembleConfig(ctx)
	require.NoError(t, err)
	require.Len(t, before.Servers, 3)
	leader, err := b.ensemble.Leader(ctx)
	require.NoError(t, err)
	i := slices.IndexFunc(before.Servers, func(s client.EnsembleServer) bool { // not the one that the client talks to
		return s.ID != int64(leader.ID()) && s.ID != int64(b.ensemble.Servers()[0].ID())
	})
	out := before.Servers[i]
	smaller, err := b.Reconfig(ctx, client.Reconfiguration{Leaving: []int64{out.ID}}, before.Version)
	require.NoError(t, err)
	require.Len(t, smaller.Servers, 2)
	after, err := b.Reconfig(ctx, client.Reconfiguration{Joining: []client.EnsembleServer{out}}, smaller.Version)
	require.NoError(t, err)
	require.Len(t, after.Servers, 3)
}

// expect waits for the next event of a watch.
func (b *bench) expect(ctx context.Context, t *testing.T, w *client.Watcher, want client.Event) {
	t.Helper()
	select {
	case ev := <-w.C:
		require.Equal(t, want, ev)
	case <-ctx.Done():
		require.FailNow(t, "no event", "%v", want)
	}
}

// node makes a node with four bytes of data.
func (b *bench) node(ctx context.Context, t *testing.T) string {
	t.Helper()
	created, err := b.Create(ctx, "/node-", []byte("data"), client.WithMode(client.PersistentSequential))
	require.NoError(t, err)
	return created.Path
}

// awaitReply returns what is closed when an operation has been answered.
func (b *bench) awaitReply(op int32) <-chan struct{} {
	done := make(chan struct{})
	seen := faultproxy.Nth(1, faultproxy.Op(op))
	b.proxy.OnReply(func(r faultproxy.Request) {
		if seen(r) {
			close(done)
		}
	})
	return done
}
