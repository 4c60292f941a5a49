package client_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

func TestTxn(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	txn := cl.Txn().
		Check("/n", 0).
		Create("/new", []byte("a")).
		Create("/new/s-", nil, client.WithMode(client.EphemeralSequential), client.WithACL(client.WorldACL(client.PermRead))).
		Set("/new", []byte("bc"), 0).
		Set("/n", []byte("new"), client.AnyVersion).
		Delete("/tree/a", 0).
		Check("/tree", client.AnyVersion)
	require.Equal(t, 7, txn.Len())
	results, err := txn.Commit(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"", "/new", "/new/s-0000000000", "", "", "", ""}, resultPaths(results))

	zxid := srv.Zxid()
	require.Equal(t, zxid, results[3].Stat.Czxid, "all happened in one transaction")
	require.EqualValues(t, 1, results[3].Stat.Version)
	require.Equal(t, 2, results[3].Stat.DataLength)
	require.Equal(t, zxid, results[4].Stat.Mzxid)
	require.Less(t, results[4].Stat.Czxid, zxid)
	for _, i := range []int{0, 1, 2, 5, 6} {
		require.Zero(t, results[i].Stat, "servers do not tell it")
	}
	require.Equal(t, []string{"/n", "/new", "/new/s-0000000000", "/tree"}, paths(srv))
	acl, _, err := cl.GetACL(t.Context(), "/new/s-0000000000")
	require.NoError(t, err)
	require.Equal(t, []client.ACL{client.WorldACL(client.PermRead)}, acl)
}

// The error tells which operation failed and why, and nothing has been done.
func TestTxnFails(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	before := srv.Dump()
	for name, tc := range map[string]struct {
		txn   func(*client.Txn) *client.Txn
		index int
		err   error
		text  string
	}{
		"first": {func(x *client.Txn) *client.Txn { return x.Check("/none", 0).Create("/x", nil) }, 0, client.ErrNoNode,
			"multi /none: operation 0 (check /none): node does not exist"},
		"version": {func(x *client.Txn) *client.Txn { return x.Create("/x", nil).Check("/n", 7).Create("/y", nil) }, 1, client.ErrBadVersion,
			"multi /x: operation 1 (check /n): version does not match"},
		"last": {func(x *client.Txn) *client.Txn { return x.Create("/x", nil).Set("/n", nil, 0).Delete("/tree", 0) }, 2, client.ErrNotEmpty,
			"multi /x: operation 2 (delete /tree): node has children"},
		"twice": {func(x *client.Txn) *client.Txn { return x.Create("/x", nil).Create("/x", nil) }, 1, client.ErrNodeExists,
			"multi /x: operation 1 (create2 /x): node exists"},
		"nobody's parent": {func(x *client.Txn) *client.Txn { return x.Create("/none/x", nil) }, 0, client.ErrNoNode,
			"multi /none/x: operation 0 (create2 /none/x): node does not exist"},
		"ephemeral parent": {func(x *client.Txn) *client.Txn {
			return x.Create("/x", nil, client.WithMode(client.Ephemeral)).Create("/x/y", nil, client.WithMode(client.Container))
		}, 1, client.ErrNoChildrenForEphemerals, "multi /x: operation 1 (createContainer /x/y): ephemeral nodes cannot have children"},
		"ACL": {func(x *client.Txn) *client.Txn {
			return x.Check("/n", 0).Create("/x", nil, client.WithACL(client.AuthACL(client.PermAll)))
		}, 1, client.ErrInvalidACL, "multi /n: operation 1 (create2 /x): invalid ACL"},
		"no right": {func(x *client.Txn) *client.Txn {
			return x.Create("/x", nil, client.WithACL(client.WorldACL(client.PermRead))).Set("/n", nil, 0).Set("/x", nil, 0).Set("/n", nil, 0)
		}, 2, client.ErrNoAuth, "multi /x: operation 2 (setData /x): not allowed by the node's ACL"},
		"set": {func(x *client.Txn) *client.Txn { return x.Set("/n", nil, 0).Set("/n", nil, 0) }, 1, client.ErrBadVersion,
			"multi /n: operation 1 (setData /n): version does not match"},
		"alone": {func(x *client.Txn) *client.Txn { return x.Delete("/none", 0) }, 0, client.ErrNoNode,
			"multi /none: operation 0 (delete /none): node does not exist"},
	} {
		t.Run(name, func(t *testing.T) {
			results, err := tc.txn(cl.Txn()).Commit(t.Context())
			require.Nil(t, results)
			require.ErrorIs(t, err, tc.err)
			require.Equal(t, client.Definite, client.Outcome(err))
			require.EqualError(t, err, tc.text)
			e, ok := errors.AsType[*client.TxnError](err)
			require.True(t, ok)
			require.Equal(t, tc.index, e.Index)
			require.Equal(t, before, srv.Dump())
		})
	}
}

func TestTxnEmpty(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	srv.ResetRequests()
	results, err := cl.Txn().Commit(t.Context())
	require.NoError(t, err)
	require.Empty(t, results)
	require.Empty(t, srv.Requests())
}

// TestB10_TxnModes: a container in a transaction is committed by the server and then
// reported as an error by go-zookeeper. Here nodes of every kind are made, by the
// operation that makes that kind, and their paths told.
func TestB10_TxnModes(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	ttl := client.WithTTL(time.Hour)
	srv.ResetRequests()
	results, err := cl.Txn().
		Create("/p", nil).
		Create("/p/e", nil, client.WithMode(client.Ephemeral)).
		Create("/p/s-", nil, client.WithMode(client.PersistentSequential)).
		Create("/p/es-", nil, client.WithMode(client.EphemeralSequential)).
		Create("/p/c", nil, client.WithMode(client.Container)).
		Create("/p/t", nil, client.WithMode(client.PersistentTTL), ttl).
		Create("/p/ts-", nil, client.WithMode(client.PersistentSequentialTTL), ttl).
		Commit(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"/p", "/p/e", "/p/s-0000000001", "/p/es-0000000002", "/p/c", "/p/t", "/p/ts-0000000005"}, resultPaths(results))
	parts := srv.Requests()[0].Multi
	var ops []zktest.Op
	var flags []int32
	for _, part := range parts {
		ops, flags = append(ops, part.Op), append(flags, part.Flags)
	}
	require.Equal(t, []zktest.Op{
		zktest.OpCreate2, zktest.OpCreate2, zktest.OpCreate2, zktest.OpCreate2,
		zktest.OpCreateContainer, zktest.OpCreateTTL, zktest.OpCreateTTL,
	}, ops)
	require.Equal(t, []int32{0, 1, 2, 3, 4, 5, 6}, flags)
}

// TestTxnRefuses: what cannot be part of a transaction is refused before it is sent,
// with the operation's place and the reason.
func TestTxnRefuses(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	srv.ResetRequests()
	for name, tc := range map[string]struct {
		txn   *client.Txn
		index int
		err   error
	}{
		"no TTL":     {cl.Txn().Check("/n", 0).Create("/x", nil, client.WithMode(client.PersistentTTL)), 1, client.ErrBadArgument},
		"parents":    {cl.Txn().Create("/x/y", nil, client.WithParents()), 0, client.ErrBadArgument},
		"containers": {cl.Txn().Create("/x/y", nil, client.WithContainerParents()), 0, client.ErrBadArgument},
		"protection": {cl.Txn().Create("/x", nil, client.WithProtection("x")), 0, client.ErrBadArgument},
		"mode":       {cl.Txn().Create("/x", nil, client.WithMode(99)), 0, client.ErrBadArgument},
		"ACL":        {cl.Txn().Create("/x", nil, client.WithACL()), 0, client.ErrBadArgument},
		"check":      {cl.Txn().Check("n", 0), 0, client.ErrBadPath},
		"create":     {cl.Txn().Check("/n", 0).Check("/n", 0).Create("/x/", nil), 2, client.ErrBadPath},
		"set":        {cl.Txn().Set("/x//y", nil, 0), 0, client.ErrBadPath},
		"delete":     {cl.Txn().Delete("", 0), 0, client.ErrBadPath},
		"marker":     {cl.Txn().Check("/n", 0).WithMarker("/x/").Check("/n", 0), 2, client.ErrBadPath},
		"only that":  {cl.Txn().WithMarker("x"), 0, client.ErrBadPath},
		"the first":  {cl.Txn().Delete("", 0).Create("/x", nil, client.WithMode(99)), 0, client.ErrBadPath},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := tc.txn.Commit(t.Context())
			require.ErrorIs(t, err, tc.err)
			require.Equal(t, client.NotSent, client.Outcome(err))
			e, ok := errors.AsType[*client.TxnError](err)
			require.True(t, ok)
			require.Equal(t, tc.index, e.Index)
		})
	}
	require.Empty(t, srv.Requests())
}

// A session's transaction is that session's.
func TestTxnOfSession(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	st := follow(t, cl)
	s := session(t, cl)
	txn := s.Txn().Create("/x", nil, client.WithMode(client.Ephemeral))
	require.True(t, srv.ExpireSession(s.ID()))
	st.until(client.Lost)
	st.until(client.Connected)
	_, err := txn.Commit(t.Context())
	require.ErrorIs(t, err, client.ErrSessionLost)
	require.Zero(t, sent(srv, "/x"))
}

// A reply in which every operation has failed, none with a code of its own, is a
// failure as well.
func TestTxnReplyWithoutCulprit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl := p.connect(t, "10.0.0.1:1")
		for _, results := range [][]jute.MultiResult{
			{{Op: jute.OpError, Err: jute.RuntimeInconsistency}, {Op: jute.OpError, Err: jute.RuntimeInconsistency}},
			{{Op: jute.OpError}, {Op: jute.OpError}},
			{{Op: jute.OpCheck}},
			{},
		} {
			p.set(func(p *pipes) {
				p.answer = func(f frame) reaction {
					if f.op == jute.OpMulti {
						return reaction{body: &jute.MultiReply{Results: results}}
					}
					return reaction{}
				}
			})
			_, err := cl.Txn().Check("/a", 0).Check("/b", 0).Commit(t.Context())
			require.Error(t, err, "%v", results)
			require.Equal(t, client.Definite, client.Outcome(err))
			require.Error(t, session(t, cl).Confirm(t.Context(), "/a", "/b"), "%v", results)
		}
	})
}
