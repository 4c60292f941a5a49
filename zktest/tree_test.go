package zktest_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

func TestStatCountsAsTheRealServerDoes(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr()) // zxid 1
	w.mustCreate("/a", 0)  // 2
	w.mustCreate("/a/b", 0)
	w.mustCreate("/a/c", 1)
	require.Equal(t, jute.OK, w.call(jute.OpDelete, &jute.PathVersionRequest{Path: "/a/b", Version: 0}, nil).Err) // 5
	var st jute.Stat
	h := w.call(jute.OpSetData, &jute.SetDataRequest{Path: "/a", Data: []byte("four"), Version: 0}, &st) // 6
	require.EqualValues(t, 6, h.Zxid)
	require.NotZero(t, st.Ctime)
	require.GreaterOrEqual(t, st.Mtime, st.Ctime)
	st.Ctime, st.Mtime = 0, 0
	require.Equal(t, jute.Stat{Czxid: 2, Mzxid: 6, Pzxid: 5, Version: 1, Cversion: 3, DataLength: 4, NumChildren: 1}, st)

	st, _ = w.exists("/a/c", false)
	require.Equal(t, w.sess.SessionID, st.EphemeralOwner)
	require.Equal(t, int64(4), st.Pzxid)

	h = w.call(jute.OpSetACL, &jute.SetACLRequest{Path: "/a", ACL: anyone(31), Version: 0}, &st)
	require.EqualValues(t, 7, h.Zxid)
	require.EqualValues(t, 1, st.Aversion)
	require.EqualValues(t, 6, st.Mzxid, "setACL does not touch the data's zxid")
}

func TestFreshServer(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	st, code := w.exists("/", false)
	require.Equal(t, jute.OK, code)
	require.Equal(t, jute.Stat{Cversion: -1, NumChildren: 1}, st)
	var kids jute.ChildrenReply
	w.call(jute.OpGetChildren, &jute.PathWatchRequest{Path: "/zookeeper"}, &kids)
	require.Equal(t, []string{"config", "quota"}, kids.Children)
	require.Empty(t, s.Dump())
}

func TestSequentialNames(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	w.mustCreate("/q", 0)
	require.Equal(t, "/q/a-0000000000", w.mustCreate("/q/a-", 2))
	w.mustCreate("/q/plain", 0) // counts too
	require.Equal(t, "/q/b-0000000002", w.mustCreate("/q/b-", 3))
	require.Equal(t, "/q/0000000003", w.mustCreate("/q/", 2))
	require.Equal(t, jute.OK, w.call(jute.OpDelete, &jute.PathVersionRequest{Path: "/q/a-0000000000", Version: -1}, nil).Err)
	require.Equal(t, "/q/a-0000000004", w.mustCreate("/q/a-", 2), "numbers are not used again")

	require.NoError(t, s.Delete("/q"))
	w.mustCreate("/q", 0)
	require.Equal(t, "/q/a-0000000000", w.mustCreate("/q/a-", 2), "a parent that is made again starts again")
}

func TestSequenceOverflow(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	w.mustCreate("/q", 0)
	require.NoError(t, s.SetNextSequence("/q", math.MaxInt32-1))
	require.Equal(t, "/q/a-2147483646", w.mustCreate("/q/a-", 2))
	require.Equal(t, "/q/a-2147483647", w.mustCreate("/q/a-", 2))
	_, code := w.create("/q/a-", 2)
	require.Equal(t, jute.NodeExists, code)
	require.Equal(t, "/q/b-2147483647", w.mustCreate("/q/b-", 2))

	require.NoError(t, s.SetNextSequence("/q", -5))
	require.Equal(t, "/q/a--000000005", w.mustCreate("/q/a-", 2))
	require.ErrorContains(t, s.SetNextSequence("/none", 1), "/none")
}

func TestSequenceOverflowInMulti(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	w.mustCreate("/q", 0)
	require.NoError(t, s.SetNextSequence("/q", math.MaxInt32))
	seq := func(path string) jute.MultiOp {
		return jute.MultiOp{Op: jute.OpCreate, Body: &jute.CreateRequest{Path: path, ACL: anyone(31), Flags: 2}}
	}
	var out jute.MultiReply
	w.call(jute.OpMulti, &jute.MultiRequest{Ops: []jute.MultiOp{seq("/q/a"), seq("/q/b")}}, &out)
	require.Equal(t, "/q/a2147483647", out.Results[0].Path)
	require.Equal(t, "/q/b-2147483648", out.Results[1].Path)
	require.Equal(t, "/q/c2147483647", w.mustCreate("/q/c", 2))
}

func TestSequenceWrap(t *testing.T) {
	s := zktest.Start(t, zktest.WithSequenceWrap())
	w := open(t, s.Addr())
	w.mustCreate("/q", 0)
	require.NoError(t, s.SetNextSequence("/q", math.MaxInt32))
	require.Equal(t, "/q/a-2147483647", w.mustCreate("/q/a-", 2))
	require.Equal(t, "/q/a--2147483648", w.mustCreate("/q/a-", 2))
	require.Equal(t, "/q/a--2147483647", w.mustCreate("/q/a-", 2))
}

func TestErrorCodes(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	w.mustCreate("/a", 0)
	w.mustCreate("/a/b", 0)
	w.mustCreate("/e", 1)
	create := func(path string) *jute.CreateRequest { return &jute.CreateRequest{Path: path, ACL: anyone(31)} }
	for _, c := range []struct {
		op   jute.Op
		body jute.Record
		want jute.Code
	}{
		{jute.OpCreate, create("/a"), jute.NodeExists},
		{jute.OpCreate, create("/"), jute.NodeExists},
		{jute.OpCreate, create("/no/x"), jute.NoNode},
		{jute.OpCreate, create("/e/x"), jute.NoChildrenForEphemerals},
		{jute.OpCreate, create("a"), jute.BadArguments},
		{jute.OpCreate, create(""), jute.BadArguments},
		{jute.OpCreate, create("/a/"), jute.BadArguments},
		{jute.OpCreate, create("/a/."), jute.BadArguments},
		{jute.OpCreate, create("/a/.."), jute.BadArguments},
		{jute.OpCreate, create("/a/\x01"), jute.BadArguments},
		{jute.OpCreate, create("/a/\xff"), jute.BadArguments},
		{jute.OpCreate, create("/a/\U0001F600"), jute.BadArguments},
		{jute.OpCreate, &jute.CreateRequest{Path: "/x", ACL: anyone(31), Flags: 7}, jute.BadArguments},
		{jute.OpCreate, &jute.CreateRequest{Path: "/x"}, jute.InvalidACL},
		{jute.OpDelete, &jute.PathVersionRequest{Path: "/a", Version: -1}, jute.NotEmpty},
		{jute.OpDelete, &jute.PathVersionRequest{Path: "/a", Version: 1}, jute.BadVersion},
		{jute.OpDelete, &jute.PathVersionRequest{Path: "/no", Version: 1}, jute.NoNode},
		{jute.OpDelete, &jute.PathVersionRequest{Path: "/", Version: -1}, jute.BadArguments},
		{jute.OpDelete, &jute.PathVersionRequest{Path: "/zookeeper", Version: -1}, jute.BadArguments},
		{jute.OpDelete, &jute.PathVersionRequest{Path: "x", Version: -1}, jute.BadArguments},
		{jute.OpSetData, &jute.SetDataRequest{Path: "/a", Version: 1}, jute.BadVersion},
		{jute.OpSetData, &jute.SetDataRequest{Path: "/no", Version: -1}, jute.NoNode},
		{jute.OpSetData, &jute.SetDataRequest{Path: "/a/", Version: -1}, jute.BadArguments},
		{jute.OpSetACL, &jute.SetACLRequest{Path: "/a", ACL: anyone(31), Version: 4}, jute.BadVersion},
		{jute.OpExists, &jute.PathWatchRequest{Path: "/no"}, jute.NoNode},
		{jute.OpGetData, &jute.PathWatchRequest{Path: "no"}, jute.NoNode},
		{jute.OpGetChildren2, &jute.PathWatchRequest{Path: "/a/"}, jute.NoNode},
		{jute.OpGetACL, &jute.PathRequest{Path: "/no"}, jute.NoNode},
	} {
		require.Equal(t, c.want, w.call(c.op, c.body, nil).Err, "%v %+v", c.op, c.body)
	}
}

// Writes that fail are transactions too: they spend a zxid, and every reply carries the latest.
func TestZxids(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	require.EqualValues(t, 1, s.Zxid())
	require.EqualValues(t, 1, w.call(jute.OpPing, nil, nil).Zxid)
	h := w.call(jute.OpDelete, &jute.PathVersionRequest{Path: "/no", Version: -1}, nil)
	require.Equal(t, jute.NoNode, h.Err)
	require.EqualValues(t, 2, h.Zxid)
	h = w.call(jute.OpExists, &jute.PathWatchRequest{Path: "/no"}, nil)
	require.EqualValues(t, 2, h.Zxid)
	require.EqualValues(t, 2, w.call(jute.OpPing, nil, nil).Zxid)
	other := open(t, s.Addr())
	require.EqualValues(t, 3, other.call(jute.OpPing, nil, nil).Zxid, "a new session is a transaction")
}

func TestNullAndEmptyData(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	for i, data := range [][]byte{nil, {}, []byte("x")} {
		path := fmt.Sprintf("/d%d", i)
		w.call(jute.OpCreate, &jute.CreateRequest{Path: path, Data: data, ACL: anyone(31)}, &jute.PathReply{})
		var out jute.DataReply
		w.call(jute.OpGetData, &jute.PathWatchRequest{Path: path}, &out)
		require.Equal(t, data, out.Data)
		require.EqualValues(t, len(data), out.Stat.DataLength)
	}
}

func TestContainersAndTTL(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	var made jute.Create2Reply
	w.call(jute.OpCreateContainer, &jute.CreateRequest{Path: "/c", ACL: anyone(31), Flags: 4}, &made)
	require.Zero(t, made.Stat.EphemeralOwner, "clients do not see the mark of containers")
	h := w.call(jute.OpCreateTTL, &jute.CreateTTLRequest{
		CreateRequest: jute.CreateRequest{Path: "/ttl", ACL: anyone(31), Flags: 5}, TTLMillis: 1000,
	}, &made)
	require.Equal(t, jute.OK, h.Err)
	require.Zero(t, made.Stat.EphemeralOwner)
	h = w.call(jute.OpCreateTTL, &jute.CreateTTLRequest{
		CreateRequest: jute.CreateRequest{Path: "/ttl2", ACL: anyone(31), Flags: 5}, TTLMillis: 0,
	}, nil)
	require.Equal(t, jute.BadArguments, h.Err)
	w.mustCreate("/plain", 4) // a plain create with the container's flag makes a plain node

	w.exists("/c", true)
	w.mustCreate("/c/x", 0)
	w.mustCreate("/plain/x", 0)
	require.NoError(t, s.Delete("/plain/x"))
	require.NoError(t, s.Delete("/c/x"))
	require.Equal(t, jute.WatcherEvent{Type: jute.EventNodeDeleted, State: 3, Path: "/c"}, w.event())
	_, ok := s.Node("/plain")
	require.True(t, ok)
}
