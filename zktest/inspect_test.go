package zktest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

func TestGetEphemerals(t *testing.T) {
	s := zktest.Start(t)
	w, other := open(t, s.Addr()), open(t, s.Addr())
	w.mustCreate("/e", 0)
	w.mustCreate("/e/1", jute.FlagEphemeral)
	w.mustCreate("/e/2-", jute.FlagEphemeralSequential)
	w.mustCreate("/f", jute.FlagEphemeral)
	other.mustCreate("/e/b", jute.FlagEphemeral)
	all := []string{"/e/1", "/e/2-0000000001", "/f"}
	for prefix, want := range map[string][]string{
		"": all, "/": all, " ": all, "\x00": all, "/e": all[:2], "/e/": all[:2], "/e/2": all[1:2], "/f": all[2:], "//": {}, "e": {}, "/no": {},
	} {
		var out jute.ChildrenReply
		require.Equal(t, jute.OK, w.call(jute.OpGetEphemerals, &jute.PathRequest{Path: prefix}, &out).Err)
		require.Equal(t, want, out.Children, "prefix %q", prefix)
	}
	require.Equal(t, jute.MarshallingError, w.call(jute.OpGetEphemerals, nil, nil).Err)
}

func TestGetAllChildrenNumber(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	for _, path := range []string{"/n/1/2", "/n/e", "/n2"} {
		require.NoError(t, s.Create(path, nil))
	}
	w.call(jute.OpSetACL, &jute.SetACLRequest{Path: "/n/1", ACL: anyone(30), Version: -1}, &jute.Stat{})
	for path, want := range map[string]int32{"/": 8, "": 9, "/zookeeper": 2, "/n": 3, "/n/1/2": 0, "/n2": 0} {
		var out jute.CountReply
		require.Equal(t, jute.OK, w.call(jute.OpGetAllChildrenNumber, &jute.PathRequest{Path: path}, &out).Err)
		require.Equal(t, want, out.Count, path)
	}
	for path, want := range map[string]jute.Code{"/no": jute.NoNode, "/n/": jute.NoNode, "n": jute.NoNode, "/n/1": jute.NoAuth} {
		require.Equal(t, want, w.call(jute.OpGetAllChildrenNumber, &jute.PathRequest{Path: path}, nil).Err, path)
	}
}

func TestWhoAmI(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	want := []jute.ClientInfo{{Scheme: "ip", User: "127.0.0.1"}}
	for _, cred := range []string{"u:p", "u:p", "u:other", "nobody"} {
		var out jute.WhoAmIReply
		require.Equal(t, jute.OK, w.call(jute.OpWhoAmI, nil, &out).Err)
		require.Equal(t, want, out.Identities)
		require.Equal(t, jute.OK, w.call(jute.OpAuth, &jute.AuthRequest{Scheme: "digest", Auth: []byte(cred)}, nil).Err)
		switch {
		case len(want) == 1, cred == "u:other":
			want = append(want, jute.ClientInfo{Scheme: "digest", User: "u"})
		case cred == "nobody":
			want = append(want, jute.ClientInfo{Scheme: "digest", User: "nobody"})
		}
	}
}

// What a multi answers to its creates: the flags decide what is made, and only containers
// and nodes with a TTL are answered with a stat.
func TestMultiCreates(t *testing.T) {
	ttl := func(flags int32, millis int64) *jute.CreateTTLRequest {
		return &jute.CreateTTLRequest{CreateRequest: jute.CreateRequest{Path: "/n", ACL: anyone(31), Flags: flags}, TTLMillis: millis}
	}
	plain := func(flags int32) *jute.CreateRequest {
		return &jute.CreateRequest{Path: "/n", ACL: anyone(31), Flags: flags}
	}
	for _, c := range []struct {
		op   jute.Op
		body jute.Record
		head jute.Code
		want jute.Op
		code jute.Code
		path string
	}{
		{op: jute.OpCreate, body: plain(0), want: jute.OpCreate, path: "/n"},
		{op: jute.OpCreate2, body: plain(0), want: jute.OpCreate, path: "/n"},
		{op: jute.OpCreate2, body: plain(3), want: jute.OpCreate, path: "/n0000000000"},
		{op: jute.OpCreate, body: plain(4), want: jute.OpCreate2, path: "/n"},
		{op: jute.OpCreate2, body: plain(4), want: jute.OpCreate2, path: "/n"},
		{op: jute.OpCreateContainer, body: plain(4), want: jute.OpCreate2, path: "/n"},
		{op: jute.OpCreateContainer, body: plain(0), want: jute.OpCreate, path: "/n"},
		{op: jute.OpCreateTTL, body: ttl(5, 1000), want: jute.OpCreate2, path: "/n"},
		{op: jute.OpCreateTTL, body: ttl(6, 1000), want: jute.OpCreate2, path: "/n0000000000"},
		{op: jute.OpCreateTTL, body: ttl(0, 1000), want: jute.OpCreate, path: "/n"},
		{op: jute.OpCreateTTL, body: ttl(0, -1), want: jute.OpCreate, path: "/n"},
		{op: jute.OpCreateTTL, body: ttl(4, -1), want: jute.OpCreate2, path: "/n"},
		{op: jute.OpCreateTTL, body: ttl(5, 0), want: jute.OpError, code: jute.BadArguments},
		{op: jute.OpCreateTTL, body: ttl(5, 1<<40), want: jute.OpError, code: jute.BadArguments},
		{op: jute.OpCreate2, body: plain(7), want: jute.OpError, code: jute.BadArguments},
		{op: jute.OpCreate, body: plain(5), head: jute.MarshallingError},
		{op: jute.OpCreate2, body: plain(6), head: jute.MarshallingError},
	} {
		s := zktest.Start(t)
		w := open(t, s.Addr())
		h, res := w.multi(step(c.op, c.body))
		require.Equal(t, c.head, h.Err, "%v %+v", c.op, c.body)
		if c.head != jute.OK {
			continue
		}
		require.Equal(t, []any{c.want, c.code, c.path}, []any{res[0].Op, res[0].Err, res[0].Path}, "%v %+v", c.op, c.body)
		require.Equal(t, c.want == jute.OpCreate2, res[0].Stat.Czxid == h.Zxid, "%v %+v", c.op, c.body)
	}
}

// A real server accepts this, and dies of it.
func TestCreateTTLWithoutTTL(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	r := &jute.CreateTTLRequest{CreateRequest: jute.CreateRequest{Path: "/n", ACL: anyone(31)}, TTLMillis: -1}
	require.Equal(t, jute.BadArguments, w.call(jute.OpCreateTTL, r, nil).Err)
}
