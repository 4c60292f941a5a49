package client_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

// The node of a create whose reply is lost is found and adopted, whatever kind it
// is and wherever it stands.
func TestProtectionAdopts(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		root, path, want string
		mode             client.Mode
	}{
		"sequential":           {"", "/n/" + unique + "-", "/n/" + unique + "-0000000000", client.EphemeralSequential},
		"ephemeral":            {"", "/n/" + unique, "/n/" + unique, client.Ephemeral},
		"persistent":           {"", "/n/" + unique, "/n/" + unique, client.Persistent},
		"below the root":       {"", "/" + unique + "-", "/" + unique + "-0000000003", client.EphemeralSequential},
		"below the chroot":     {"/n", "/" + unique + "-", "/" + unique + "-0000000000", client.EphemeralSequential},
		"deep in the chroot":   {"/tree", "/a/" + unique, "/a/" + unique, client.Ephemeral},
		"a container, by name": {"", "/n/" + unique, "/n/" + unique, client.Container},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := newTree(t)
			cl := connectTo(t, srv.Addr()+tc.root)
			for _, fault := range []func(zktest.Match) *zktest.Fault{srv.DropRequest, srv.SwallowReply} {
				require.NoError(t, srv.SetNextSequence("/n", 0))
				require.NoError(t, srv.SetNextSequence("/", 3))
				f := fault(zktest.On(tc.root+tc.path, zktest.Creates()...))
				made, err := cl.Create(t.Context(), tc.path, []byte("x"), client.WithMode(tc.mode), client.WithProtection(unique))
				require.NoError(t, err)
				wait(t, f.Fired(), "the create came")
				require.Equal(t, tc.want, made.Path)
				_, stat, err := cl.Get(t.Context(), made.Path)
				require.NoError(t, err)
				require.Equal(t, stat, made.Stat)
				require.NoError(t, cl.Delete(t.Context(), made.Path, 0))
				require.Zero(t, below(srv, "/n", unique)+below(srv, "/tree/a", unique)+below(srv, "/", unique), "it was one node")
			}
		})
	}
}

// The look-up stands behind a commit: otherwise a create that is still on its way
// could be executed after it.
func TestProtectionLooksBehindBarrier(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	srv.ResetRequests()
	srv.SwallowReply(zktest.On("/n/"+unique+"-", zktest.OpCreate2))
	_, err := cl.Create(t.Context(), "/n/"+unique+"-", nil, client.WithMode(client.EphemeralSequential), client.WithProtection(unique))
	require.NoError(t, err)
	var ops []zktest.Op
	for _, r := range srv.Requests() {
		ops = append(ops, r.Op)
	}
	require.Equal(t, []zktest.Op{zktest.OpCreate2, zktest.OpMulti, zktest.OpGetChildren2, zktest.OpExists}, ops)
}

// An ephemeral node that begins with the prefix but is another session's is not adopted.
func TestProtectionIgnoresOthersNodes(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	other, cl := connect(t, srv), primed(t, srv)
	theirs, err := other.Create(t.Context(), "/n/"+unique+"-", nil, client.WithMode(client.EphemeralSequential))
	require.NoError(t, err)
	srv.DropRequest(zktest.On("/n/"+unique+"-", zktest.OpCreate2))
	made, err := cl.Create(t.Context(), "/n/"+unique+"-", nil, client.WithMode(client.EphemeralSequential), client.WithProtection(unique))
	require.NoError(t, err)
	require.NotEqual(t, theirs.Path, made.Path)
	require.Equal(t, session(t, cl).ID(), made.Stat.EphemeralOwner)
}

// A node that was found and then deleted by somebody is made again.
func TestProtectionOfNodeDeletedMeanwhile(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	srv.SwallowReply(zktest.On("/n/"+unique, zktest.OpCreate2))
	srv.OnRequest(func(r zktest.Request) {
		if r.Op == zktest.OpExists {
			_ = srv.Delete("/n/" + unique)
		}
	})
	made, err := cl.Create(t.Context(), "/n/"+unique, nil, client.WithProtection(unique))
	require.NoError(t, err)
	n, ok := srv.Node(made.Path)
	require.True(t, ok)
	require.Equal(t, n.Stat.Czxid, made.Stat.Czxid)
	require.Equal(t, 2, sent(srv, "/n/"+unique, zktest.OpCreate2))
}

// The parent is gone by the time of the look-up: then so is the node.
func TestProtectionOfParentDeletedMeanwhile(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	srv.SwallowReply(zktest.On("/n/"+unique, zktest.OpCreate2))
	srv.OnRequest(func(r zktest.Request) {
		if r.Op == zktest.OpMulti {
			_ = srv.Delete("/n")
		}
	})
	_, err := cl.Create(t.Context(), "/n/"+unique, nil, client.WithProtection(unique))
	require.ErrorIs(t, err, client.ErrNoNode)
	require.Equal(t, client.Definite, client.Outcome(err))
	made, err := cl.Create(t.Context(), "/n/"+unique, nil, client.WithProtection(unique), client.WithParents())
	require.NoError(t, err)
	require.True(t, exists(made.Path)(srv))
}

// abandoned gives up on a protected create when its request has arrived and its
// reply is held back, and returns the client.
func abandoned(t *testing.T, srv *zktest.Server) *client.Client {
	t.Helper()
	cl := primed(t, srv)
	held := srv.HoldReply(zktest.On("/n/"+unique+"-", zktest.OpCreate2))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := cl.Create(ctx, "/n/"+unique+"-", nil, client.WithMode(client.EphemeralSequential), client.WithProtection(unique))
		done <- err
	}()
	wait(t, held.Fired(), "the create was executed")
	cancel()
	err, _ := receive(t, done)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, client.Unknown, client.Outcome(err))
	require.Equal(t, 1, below(srv, "/n", unique))
	t.Cleanup(held.Release)
	return cl
}

// A create that was given up is undone, even if the connection is lost meanwhile, and
// lost again when the node is to be deleted (K3: one attempt is not enough).
func TestK3_AbandonedCreateIsUndone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, swallow := range []bool{false, true} {
			srv := newTree(t, inMemory)
			observer := connect(t, srv)
			cl := abandoned(t, srv)
			fault := srv.DropRequest(zktest.On("/n/"+unique+"*", zktest.OpDelete))
			if swallow {
				fault.Cancel()
				fault = srv.SwallowReply(zktest.On("/n/"+unique+"*", zktest.OpDelete))
			}
			again := srv.DropRequest(zktest.On("", zktest.OpMulti))
			srv.DropConnections()
			children(t, observer, "/n", none)
			wait(t, fault.Fired(), "the deletion was lost")
			wait(t, again.Fired(), "so was the barrier")
			s := session(t, cl)
			require.EqualValues(t, 1, s.Epoch(), "in the same session")
		}
	})
}

// When the session is lost the servers undo it.
func TestAbandonedCreateOfLostSession(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := abandoned(t, srv)
	st := follow(t, cl)
	require.True(t, srv.ExpireSession(session(t, cl).ID()))
	st.until(client.Lost)
	st.until(client.Connected)
	require.Zero(t, below(srv, "/n", unique))
	require.NoError(t, cl.Close(), "the janitor has ended with the session")
	require.Zero(t, sent(srv, "/n/"+unique+"*", zktest.OpDelete))
}

// When the client is closed, its session's end undoes it.
func TestAbandonedCreateOfClosedClient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := newTree(t, inMemory)
		cl := abandoned(t, srv)
		_ = cl.Close() // the reply that is held back may keep the server's goodbye
		observer := connect(t, srv)
		children(t, observer, "/n", none)
	})
}
