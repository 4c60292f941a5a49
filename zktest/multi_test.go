package zktest_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

func step(op jute.Op, body jute.Record) jute.MultiOp { return jute.MultiOp{Op: op, Body: body} }

func (w *wire) multi(ops ...jute.MultiOp) (jute.ReplyHeader, []jute.MultiResult) {
	w.t.Helper()
	var out jute.MultiReply
	h := w.call(jute.OpMulti, &jute.MultiRequest{Ops: ops}, &out)
	return h, out.Results
}

func TestMultiCommits(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	w.mustCreate("/a", 0)
	h, res := w.multi(
		step(jute.OpCreate, &jute.CreateRequest{Path: "/a/b", ACL: anyone(31)}),
		step(jute.OpCreate2, &jute.CreateRequest{Path: "/a/s-", ACL: anyone(31), Flags: 3}),
		step(jute.OpCreateContainer, &jute.CreateRequest{Path: "/a/c", ACL: anyone(31), Flags: 4}),
		step(jute.OpSetData, &jute.SetDataRequest{Path: "/a/b", Data: []byte("new"), Version: 0}),
		step(jute.OpCheck, &jute.PathVersionRequest{Path: "/a/b", Version: 1}),
		step(jute.OpDelete, &jute.PathVersionRequest{Path: "/a/b", Version: 1}),
	)
	require.Equal(t, jute.OK, h.Err)
	require.EqualValues(t, 3, h.Zxid, "one transaction")
	// As on a real server: what was created answers as create, containers as create2.
	require.Equal(t, []jute.Op{jute.OpCreate, jute.OpCreate, jute.OpCreate2, jute.OpSetData, jute.OpCheck, jute.OpDelete},
		[]jute.Op{res[0].Op, res[1].Op, res[2].Op, res[3].Op, res[4].Op, res[5].Op})
	require.Equal(t, "/a/s-0000000001", res[1].Path)
	require.EqualValues(t, 1, res[3].Stat.Version)
	for _, r := range res {
		require.Equal(t, jute.OK, r.Err)
	}
	require.ElementsMatch(t, []string{"/a", "/a/s-0000000001", "/a/c"}, slices.Collect(maps.Keys(s.Dump())))
	n, _ := s.Node("/a")
	require.EqualValues(t, 4, n.Stat.Cversion)
	require.EqualValues(t, 3, n.Stat.Pzxid)
}

func TestMultiIsAllOrNothing(t *testing.T) {
	s := zktest.Start(t)
	w, other := open(t, s.Addr()), open(t, s.Addr())
	w.mustCreate("/a", 0)
	w.mustCreate("/a/e", 1)
	w.mustCreate("/a/p", 0)
	for _, p := range []string{"/a", "/a/e", "/a/p", "/a/new"} {
		other.exists(p, true)
	}
	other.children("/a", true)
	before := s.Dump()
	h, res := w.multi(
		step(jute.OpCreate, &jute.CreateRequest{Path: "/a/new", ACL: anyone(31), Flags: 1}),
		step(jute.OpDelete, &jute.PathVersionRequest{Path: "/a/e", Version: 0}),
		step(jute.OpSetData, &jute.SetDataRequest{Path: "/a/p", Data: []byte("changed"), Version: 0}),
		step(jute.OpCreate, &jute.CreateRequest{Path: "/a/p/q", ACL: anyone(31)}),
		step(jute.OpDelete, &jute.PathVersionRequest{Path: "/a/p/q", Version: -1}),
		step(jute.OpCheck, &jute.PathVersionRequest{Path: "/a", Version: 7}),
		step(jute.OpDelete, &jute.PathVersionRequest{Path: "/a/p", Version: -1}),
	)
	require.Equal(t, jute.OK, h.Err, "the header does not tell")
	want := make([]jute.MultiResult, 7)
	for i := range want {
		want[i].Op = jute.OpError
	}
	want[5].Err, want[6].Err = jute.BadVersion, jute.RuntimeInconsistency
	require.Equal(t, want, res)
	require.Equal(t, before, s.Dump())
	other.quiet()
	require.EqualValues(t, 6, s.Zxid(), "a failed transaction spends its zxid")

	require.True(t, s.ExpireSession(w.sess.SessionID))
	require.ElementsMatch(t, []string{"/a", "/a/p"}, slices.Collect(maps.Keys(s.Dump())), "the ephemeral is owned again")
}

func TestMultiEventsInOrder(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	w.mustCreate("/a", 0)
	w.exists("/a", true)
	w.exists("/b", true)
	w.children("/", true)
	xid := w.send(jute.OpMulti, &jute.MultiRequest{Ops: []jute.MultiOp{
		step(jute.OpSetData, &jute.SetDataRequest{Path: "/a", Version: -1}),
		step(jute.OpCreate, &jute.CreateRequest{Path: "/b", ACL: anyone(31)}),
		step(jute.OpDelete, &jute.PathVersionRequest{Path: "/a", Version: -1}),
	}})
	require.Equal(t, watchEvent(jute.EventNodeDataChanged, "/a"), w.event())
	require.Equal(t, watchEvent(jute.EventNodeCreated, "/b"), w.event())
	require.Equal(t, watchEvent(jute.EventNodeChildrenChanged, "/"), w.event())
	require.Equal(t, xid, w.recv(&jute.MultiReply{}).Xid)
}

func TestEmptyMulti(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	h, res := w.multi()
	require.Equal(t, jute.OK, h.Err)
	require.Empty(t, res)
}

func TestMultiOfReads(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	require.NoError(t, s.Create("/a/b", []byte("data")))
	h, _ := w.multi(step(jute.OpGetData, &jute.PathWatchRequest{Path: "/a"}))
	require.Equal(t, jute.MarshallingError, h.Err)

	var out jute.MultiReply
	h = w.call(jute.OpMultiRead, &jute.MultiRequest{Ops: []jute.MultiOp{
		step(jute.OpGetData, &jute.PathWatchRequest{Path: "/a/b"}),
		step(jute.OpGetData, &jute.PathWatchRequest{Path: "/no"}),
		step(jute.OpGetChildren, &jute.PathWatchRequest{Path: "/a"}),
	}}, &out)
	require.Equal(t, jute.OK, h.Err)
	require.Equal(t, "data", string(out.Results[0].Data))
	require.Equal(t, jute.NoNode, out.Results[1].Err)
	require.Equal(t, []string{"b"}, out.Results[2].Children)
	check := step(jute.OpCheck, &jute.PathVersionRequest{Path: "/a"})
	h = w.call(jute.OpMultiRead, &jute.MultiRequest{Ops: []jute.MultiOp{check}}, &out)
	require.Equal(t, jute.MarshallingError, h.Err)
	require.Empty(t, out.Results) // and not absent
	h = w.call(jute.OpMultiRead, &jute.MultiRequest{Ops: []jute.MultiOp{
		step(jute.OpGetData, &jute.PathWatchRequest{Path: "/a"}), check,
	}}, nil)
	require.Equal(t, jute.MarshallingError, h.Err)
}

// A create that lacks its time to live spoils a multi, unless that has failed before.
func TestMultiWithoutTTL(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	unfit := step(jute.OpCreate, &jute.CreateRequest{Path: "/ttl", ACL: anyone(31), Flags: jute.FlagPersistentTTL})
	h, _ := w.multi(unfit)
	require.Equal(t, jute.MarshallingError, h.Err)
	h, results := w.multi(step(jute.OpDelete, &jute.PathVersionRequest{Path: "/no", Version: -1}), unfit)
	require.Equal(t, jute.OK, h.Err)
	require.Equal(t, jute.NoNode, results[0].Err)
	require.Equal(t, jute.RuntimeInconsistency, results[1].Err)
}
