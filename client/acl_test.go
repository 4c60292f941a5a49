package client_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

func TestACLHelpers(t *testing.T) {
	for want, got := range map[client.ACL]client.ACL{
		{Perms: 31, Scheme: "world", ID: "anyone"}:  client.WorldACL(client.PermAll),
		{Perms: 1, Scheme: "world", ID: "anyone"}:   client.WorldACL(client.PermRead),
		{Perms: 2, Scheme: "auth", ID: ""}:          client.AuthACL(client.PermWrite),
		{Perms: 20, Scheme: "ip", ID: "10.0.0.0/8"}: client.IPACL(client.PermCreate|client.PermAdmin, "10.0.0.0/8"),
		{Perms: 8, Scheme: "ip", ID: "fe80::1"}:     client.IPACL(client.PermDelete, "fe80::1"),
		{Perms: 1, Scheme: "x509", ID: "CN=client"}: client.X509ACL(client.PermRead, "CN=client"),
		// The vector of ZooKeeper's documentation of DigestAuthenticationProvider.
		{Perms: 31, Scheme: "digest", ID: "super:xQJmxLMiHGwaqBvst5y6rkB6HQs="}: client.DigestACL(client.PermAll, "super", "admin"),
	} {
		require.Equal(t, want, got)
	}
}

// The digest that the helper computes is the one by which a server knows the user.
func TestACLDigest(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := t.Context()
	anyone := connect(t, srv)
	me := connect(t, srv, client.WithAuth("digest", "user:pass:word"))
	_, err := anyone.Create(ctx, "/mine", []byte("secret"), client.WithACL(client.DigestACL(client.PermAll, "user", "pass:word")))
	require.NoError(t, err)
	data, _, err := me.Get(ctx, "/mine")
	require.NoError(t, err)
	require.Equal(t, "secret", string(data))
	_, _, err = anyone.Get(ctx, "/mine")
	require.ErrorIs(t, err, client.ErrNoAuth)
	_, err = anyone.Set(ctx, "/mine", nil, client.AnyVersion)
	require.ErrorIs(t, err, client.ErrNoAuth)
	_, ok, err := anyone.Exists(ctx, "/mine")
	require.NoError(t, err, "existence is readable by everybody")
	require.True(t, ok)
	wrong := connect(t, srv, client.WithAuth("digest", "user:wrong"))
	_, _, err = wrong.Get(ctx, "/mine")
	require.ErrorIs(t, err, client.ErrNoAuth, "a wrong password is not refused, it matches no ACL")
}

// AuthACL stands for all of the creator's credentials, and is kept across reconnects.
func TestACLAuth(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := t.Context()
	me := connect(t, srv, client.WithAuth("digest", "u:p"), client.WithAuth("digest", "v:q"))
	acl := client.AuthACL(client.PermAll)
	_, err := me.Create(ctx, "/mine", nil, client.WithACL(acl))
	require.NoError(t, err)
	st := follow(t, me)
	cut(t, srv, st)
	got, stat, err := me.GetACL(ctx, "/mine")
	require.NoError(t, err)
	require.Zero(t, stat.Aversion)
	require.ElementsMatch(t, []client.ACL{client.DigestACL(client.PermAll, "u", "p"), client.DigestACL(client.PermAll, "v", "q")}, got)
	for _, user := range []string{"u:p", "v:q"} {
		_, _, err = connect(t, srv, client.WithAuth("digest", user)).Get(ctx, "/mine")
		require.NoError(t, err)
	}
	anyone := connect(t, srv)
	_, err = anyone.Create(ctx, "/x", nil, client.WithACL(acl))
	require.ErrorIs(t, err, client.ErrInvalidACL, "nobody has no credentials")
}

func TestSetACL(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := t.Context()
	cl := connect(t, srv, client.WithAuth("digest", "u:p"))
	_, err := cl.Create(ctx, "/a", nil)
	require.NoError(t, err)
	acl, _, err := cl.GetACL(ctx, "/a")
	require.NoError(t, err)
	require.Equal(t, []client.ACL{client.WorldACL(client.PermAll)}, acl, "the default")

	_, err = cl.SetACL(ctx, "/a", []client.ACL{client.DigestACL(client.PermAll, "u", "p"), client.WorldACL(client.PermRead)}, 0)
	require.NoError(t, err)
	_, err = cl.SetACL(ctx, "/a", acl, 0)
	require.ErrorIs(t, err, client.ErrBadVersion)
	anyone := connect(t, srv)
	_, _, err = anyone.Get(ctx, "/a")
	require.NoError(t, err)
	require.ErrorIs(t, setAny(ctx, anyone, "/a"), client.ErrNoAuth)
	_, err = anyone.SetACL(ctx, "/a", acl, client.AnyVersion)
	require.ErrorIs(t, err, client.ErrNoAuth)
	require.NoError(t, setAny(ctx, cl, "/a"))
	_, err = cl.SetACL(ctx, "/none", acl, 0)
	require.ErrorIs(t, err, client.ErrNoNode)

	srv.ResetRequests()
	for _, bad := range [][]client.ACL{nil, {}, {client.WorldACL(0)}, {client.WorldACL(client.PermAll), {Perms: 1}}} {
		_, err = cl.SetACL(ctx, "/a", bad, client.AnyVersion)
		require.ErrorIs(t, err, client.ErrBadArgument)
		require.Equal(t, client.NotSent, client.Outcome(err))
	}
	_, err = cl.SetACL(ctx, "a", acl, client.AnyVersion)
	require.ErrorIs(t, err, client.ErrBadPath)
	require.Empty(t, srv.Requests())
}

func setAny(ctx context.Context, cl *client.Client, path string) error {
	_, err := cl.Set(ctx, path, []byte("x"), client.AnyVersion)
	return err
}

// The default ACL holds for whatever is created without one of its own, parents included.
func TestDefaultACL(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := t.Context()
	mine := client.DigestACL(client.PermAll, "u", "p")
	cl := connect(t, srv, client.WithAuth("digest", "u:p"), client.WithDefaultACL(mine))
	_, err := cl.Create(ctx, "/a/b", nil, client.WithParents())
	require.NoError(t, err)
	_, err = cl.Txn().Create("/c", nil).Commit(ctx)
	require.NoError(t, err)
	_, err = cl.Create(ctx, "/d/e", nil, client.WithParents(), client.WithACL(client.WorldACL(client.PermAll)))
	require.NoError(t, err)
	for path, want := range map[string]client.ACL{
		"/a": mine, "/a/b": mine, "/c": mine,
		"/d": client.WorldACL(client.PermAll), "/d/e": client.WorldACL(client.PermAll),
	} {
		acl, _, err := cl.GetACL(ctx, path)
		require.NoError(t, err)
		require.Equal(t, []client.ACL{want}, acl, path)
	}
}
