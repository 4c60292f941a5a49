package zktest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

func (w *wire) auth(scheme, credential string) jute.Code {
	w.t.Helper()
	return w.call(jute.OpAuth, &jute.AuthRequest{Scheme: scheme, Auth: []byte(credential)}, nil).Err
}

func TestDigest(t *testing.T) {
	s := zktest.Start(t)
	w, other := open(t, s.Addr()), open(t, s.Addr())
	require.Equal(t, jute.OK, w.auth("digest", "heat:secret"))
	acl := []jute.ACL{{Perms: 31, Scheme: "auth"}}
	require.Equal(t, jute.OK, w.call(jute.OpCreate, &jute.CreateRequest{Path: "/a", ACL: acl}, &jute.PathReply{}).Err)
	var got jute.ACLReply
	require.Equal(t, jute.OK, w.call(jute.OpGetACL, &jute.PathRequest{Path: "/a"}, &got).Err)
	require.Equal(t, []jute.ACL{{Perms: 31, Scheme: "digest", ID: "heat:TkTPIcnXblXKOt2KWtnjZvisz4Q="}}, got.ACL)

	set := &jute.SetDataRequest{Path: "/a", Version: -1}
	require.Equal(t, jute.NoAuth, other.getData("/a", false))
	require.Equal(t, jute.NoAuth, other.call(jute.OpSetData, set, nil).Err)
	require.Equal(t, jute.NoAuth, other.call(jute.OpGetACL, &jute.PathRequest{Path: "/a"}, nil).Err)
	_, code := other.create("/a/b", 0)
	require.Equal(t, jute.NoAuth, code)
	require.Equal(t, jute.OK, other.auth("digest", "heat:wrong"))
	require.Equal(t, jute.NoAuth, other.getData("/a", false))
	require.Equal(t, jute.OK, other.auth("digest", "heat:secret"))
	require.Equal(t, jute.OK, other.getData("/a", false))
	require.Equal(t, jute.OK, other.call(jute.OpSetData, set, &jute.Stat{}).Err)
}

func TestAuthenticationIsTheConnections(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	w.auth("digest", "u:p")
	w.call(jute.OpCreate, &jute.CreateRequest{Path: "/a", ACL: []jute.ACL{{Perms: 31, Scheme: "auth"}}}, &jute.PathReply{})
	again := dial(t, s.Addr())
	again.connect(&jute.ConnectRequest{TimeoutMillis: 5000, SessionID: w.sess.SessionID, Password: w.sess.Password})
	require.Equal(t, jute.NoAuth, again.getData("/a", false))
}

func TestUnknownSchemeEndsTheConnection(t *testing.T) {
	s := zktest.Start(t)
	for _, scheme := range []string{"kerberos", "world", "auth", ""} {
		w := open(t, s.Addr())
		require.Equal(t, jute.AuthFailed, w.auth(scheme, "x"))
		w.closed()
	}
}

func TestInvalidACL(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	for _, acl := range [][]jute.ACL{
		nil,
		{{Perms: 31, Scheme: "world", ID: "somebody"}},
		{{Perms: 31, Scheme: "auth"}}, // nobody has authenticated
		{{Perms: 31, Scheme: "digest", ID: "nocolon"}},
		{{Perms: 31, Scheme: "ip", ID: "300.0.0.1"}},
		{{Perms: 31, Scheme: "ip", ID: "10.0.0.0/33"}},
		{{Perms: 31, Scheme: "nope", ID: "x"}},
		{{Perms: 31, Scheme: "world", ID: "anyone"}, {Perms: 1, Scheme: "nope", ID: "x"}},
	} {
		h := w.call(jute.OpCreate, &jute.CreateRequest{Path: "/a", ACL: acl}, nil)
		require.Equal(t, jute.InvalidACL, h.Err, "%v", acl)
	}
}

func TestIPAndPermissions(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	create := func(path string, acl ...jute.ACL) {
		require.Equal(t, jute.OK, w.call(jute.OpCreate, &jute.CreateRequest{Path: path, ACL: acl}, &jute.PathReply{}).Err)
	}
	create("/near", jute.ACL{Perms: 1, Scheme: "ip", ID: "127.0.0.0/8"})
	create("/far", jute.ACL{Perms: 31, Scheme: "ip", ID: "10.0.0.1"})
	require.Equal(t, jute.OK, w.getData("/near", false))
	require.Equal(t, jute.NoAuth, w.getData("/far", false))
	require.Equal(t, jute.NoAuth, w.call(jute.OpSetData, &jute.SetDataRequest{Path: "/near", Version: -1}, nil).Err)
	require.Equal(t, jute.NoAuth, w.call(jute.OpSetACL, &jute.SetACLRequest{Path: "/near", ACL: anyone(31), Version: -1}, nil).Err)

	// Deleting asks the parent.
	create("/dir", jute.ACL{Perms: 31 - 8, Scheme: "world", ID: "anyone"})
	create("/dir/x", jute.ACL{Perms: 31, Scheme: "world", ID: "anyone"})
	require.Equal(t, jute.NoAuth, w.call(jute.OpDelete, &jute.PathVersionRequest{Path: "/dir/x", Version: -1}, nil).Err)
	// A check asks for reading.
	_, res := w.multi(step(jute.OpCheck, &jute.PathVersionRequest{Path: "/far", Version: 0}))
	require.Equal(t, jute.NoAuth, res[0].Err)
}

func TestDigestsAreMasked(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	w.call(jute.OpCreate, &jute.CreateRequest{Path: "/a", ACL: []jute.ACL{
		{Perms: 1, Scheme: "world", ID: "anyone"}, {Perms: 31, Scheme: "digest", ID: "u:hash"},
	}}, &jute.PathReply{})
	var got jute.ACLReply
	w.call(jute.OpGetACL, &jute.PathRequest{Path: "/a"}, &got)
	require.Equal(t, "u:x", got.ACL[1].ID)
}
