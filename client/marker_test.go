package client_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

// A marked transaction has the results of its own operations, as if there were no
// marker; found by its marker it has what was asked for. No marker stays.
func TestMarkerResults(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, lose := range []bool{false, true} {
			for _, root := range []string{"", "/tree"} {
				srv := newTree(t, inMemory)
				require.NoError(t, srv.Create(root+"/markers", nil))
				require.NoError(t, srv.Create(root+"/m", nil))
				cl := connectTo(t, srv.Addr()+root, client.WithDialer(srv.Dial))
				observer := connect(t, srv)
				if lose {
					srv.SwallowReply(zktest.On(root+"/new", zktest.OpMulti))
				}
				txn := cl.Txn().Create("/new", nil).Create("/m/s-", nil, client.WithMode(client.PersistentSequential)).
					Set("/m", []byte("2"), 0).WithMarker("/markers").Check("/m", 1)
				require.Equal(t, 4, txn.Len())
				results, err := txn.Commit(t.Context())
				require.NoError(t, err)
				require.Len(t, results, 4)
				require.Equal(t, "/new", results[0].Path)
				if lose {
					require.Equal(t, []client.TxnResult{{Path: "/new"}, {}, {}, {}}, results)
				} else {
					require.Equal(t, "/m/s-0000000000", results[1].Path)
					require.EqualValues(t, 1, results[2].Stat.Version)
				}
				require.Equal(t, 1, below(srv, root+"/m", "s-"), "once")
				children(t, observer, root+"/markers", none)
			}
		}
	})
}

// A marked transaction that fails leaves no marker, and says which operation it was.
func TestMarkerOfFailedTxn(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	for lost := range 2 {
		if lost == 1 {
			srv.SwallowReply(zktest.On("/n", zktest.OpMulti))
		}
		_, err := cl.Txn().Check("/n", 0).Set("/n", nil, 7).WithMarker("/tree").Commit(t.Context())
		require.ErrorIs(t, err, client.ErrBadVersion, "and when the reply is lost it is not there, so it is repeated")
		failed, ok := errors.AsType[*client.TxnError](err)
		require.True(t, ok)
		require.Equal(t, 1, failed.Index)
		require.Zero(t, below(srv, "/tree", "txn-"))
	}
	_, err := cl.Txn().Check("/n", 0).WithMarker("/none").Commit(t.Context())
	require.ErrorIs(t, err, client.ErrNoNode)
	failed, ok := errors.AsType[*client.TxnError](err)
	require.True(t, ok)
	require.Equal(t, 1, failed.Index, "behind the last operation")
	require.Contains(t, failed.Path, "/none/txn-")
	_, err = cl.Txn().Check("/n", 0).WithMarker("none").Commit(t.Context())
	require.ErrorIs(t, err, client.ErrBadPath)
	require.Equal(t, client.NotSent, client.Outcome(err))
	results, err := cl.Txn().WithMarker("/tree").Commit(t.Context())
	require.NoError(t, err, "nothing to do")
	require.Empty(t, results)
}

// Each transaction has a marker of its own.
func TestMarkersDiffer(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	for range 3 {
		_, err := cl.Txn().Check("/n", 0).WithMarker("/tree").Commit(t.Context())
		require.NoError(t, err)
	}
	names := map[string]bool{}
	for _, r := range srv.Requests(zktest.On("/tree/txn-*", zktest.OpMulti)) {
		names[r.Multi[1].Path] = true
	}
	require.Len(t, names, 3)
}

// A marked transaction that was given up leaves no marker either, even if it is
// executed later or the connection is lost meanwhile.
func TestMarkerOfAbandonedTxn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, cutToo := range []bool{false, true} {
			srv := newTree(t, inMemory)
			observer := connect(t, srv)
			cl := primed(t, srv)
			held := srv.HoldReply(zktest.On("/new", zktest.OpMulti))
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() {
				_, err := cl.Txn().Create("/new", nil).WithMarker("/tree").Commit(ctx)
				done <- err
			}()
			wait(t, held.Fired(), "it was executed")
			cancel()
			err, _ := receive(t, done)
			require.Equal(t, client.Unknown, client.Outcome(err))
			require.Equal(t, 1, below(srv, "/tree", "txn-"))
			if cutToo {
				srv.DropConnections()
			} else {
				held.Release()
			}
			children(t, observer, "/tree", func(names []string) bool { return len(names) == 1 })
			did := srv.Requests(zktest.On("", zktest.OpMulti, zktest.OpDelete))
			require.GreaterOrEqual(t, len(did), 3)
			require.Equal(t, zktest.OpMulti, did[1].Op, "it is not deleted before a commit, behind which it cannot be made")
			require.Equal(t, zktest.OpDelete, did[len(did)-1].Op)
		}
	})
}

// Nor does one whose marker could not be looked for.
func TestMarkerNotLookedFor(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	observer := connect(t, srv)
	cl := primed(t, srv)
	srv.SwallowReply(zktest.On("/new", zktest.OpMulti))
	srv.FailNext(zktest.On("/tree/txn-*", zktest.OpExists), zktest.SystemError)
	_, err := cl.Txn().Create("/new", nil).WithMarker("/tree").Commit(t.Context())
	require.Equal(t, client.Unknown, client.Outcome(err), "%v", err)
	children(t, observer, "/tree", func(names []string) bool { return len(names) == 1 })
}

// The look-up stands behind a commit, as everywhere.
func TestMarkerLooksBehindBarrier(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	srv.ResetRequests()
	srv.SwallowReply(zktest.On("/new", zktest.OpMulti))
	_, err := cl.Txn().Create("/new", nil).WithMarker("/tree").Commit(t.Context())
	require.NoError(t, err)
	var did []zktest.Op
	for _, r := range srv.Requests() {
		did = append(did, r.Op)
	}
	require.Equal(t, []zktest.Op{zktest.OpMulti, zktest.OpMulti, zktest.OpExists}, did[:3])
}
