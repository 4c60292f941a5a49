package client_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

// Every node that is created without an ACL of its own gets the provider's, by the path
// that the caller sees: parents, sequential nodes, transactions, batches and the chroot.
func TestACLProvider(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := t.Context()
	var mu sync.Mutex
	asked := map[string]bool{}
	mine, rest, own := client.AuthACL(client.PermAll), client.WorldACL(client.PermRead|client.PermCreate), client.WorldACL(client.PermAll&^client.PermAdmin)
	cl := connectTo(t, srv.Addr()+"/x/app",
		client.WithCreateChroot(), client.WithAuth("digest", "u:p"), client.WithDefaultACL(rest, mine),
		client.WithACLProvider(func(path string) []client.ACL {
			mu.Lock()
			defer mu.Unlock()
			asked[path] = true
			switch {
			case path == "/":
				return []client.ACL{client.WorldACL(client.PermAll)}
			case strings.HasPrefix(path, "/locks"):
				return []client.ACL{mine}
			}
			return nil
		}))
	_, err := cl.Create(ctx, "/locks/a/n-", nil, client.WithParents(), client.WithMode(client.EphemeralSequential))
	require.NoError(t, err)
	_, err = cl.Create(ctx, "/locks/c/n", nil, client.WithContainerParents())
	require.NoError(t, err)
	_, err = cl.Create(ctx, "/other/n", nil, client.WithParents())
	require.NoError(t, err)
	_, err = cl.Create(ctx, "/locks/own/n", nil, client.WithParents(), client.WithACL(own))
	require.NoError(t, err)
	_, err = cl.Txn().Create("/locks/txn", nil).Create("/txn", nil, client.WithACL(own)).Commit(ctx)
	require.NoError(t, err)
	_, err = cl.Batch().Create("/locks/batch", nil).Create("/batch", nil).Do(ctx)
	require.NoError(t, err)
	digest := client.DigestACL(client.PermAll, "u", "p")
	for path, want := range map[string][]client.ACL{
		"/": {client.WorldACL(client.PermAll)}, "/locks": {digest}, "/locks/a": {digest}, "/locks/a/n-0000000000": {digest},
		"/locks/c": {digest}, "/locks/c/n": {digest}, "/other": {rest, digest}, "/other/n": {rest, digest},
		"/locks/own": {own}, "/locks/own/n": {own}, "/locks/txn": {digest}, "/txn": {own}, "/locks/batch": {digest}, "/batch": {rest, digest},
	} {
		acls, _, err := cl.GetACL(ctx, path)
		require.NoError(t, err)
		require.Equal(t, want, acls, path)
	}
	acls, _, err := connect(t, srv).GetACL(ctx, "/x")
	require.NoError(t, err)
	require.Equal(t, []client.ACL{client.WorldACL(client.PermAll)}, acls, "above the chroot")
	mu.Lock()
	defer mu.Unlock()
	require.True(t, asked["/locks/a/n-"], "without the number")
	for path := range asked {
		require.False(t, strings.HasPrefix(path, "/x"), path)
	}
	require.False(t, asked["/locks/own"], "WithACL holds for the parents, too")
}

// A provider's ACL that cannot work fails the create, and says where it is from.
func TestACLProviderOfNothing(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv, client.WithACLProvider(func(string) []client.ACL { return []client.ACL{} }))
	srv.ResetRequests()
	_, err := cl.Create(t.Context(), "/x", nil)
	require.ErrorIs(t, err, client.ErrBadArgument)
	require.ErrorContains(t, err, "ACL provider")
	require.Equal(t, client.NotSent, client.Outcome(err))
	_, err = cl.Txn().Create("/x", nil).Commit(t.Context())
	require.ErrorIs(t, err, client.ErrBadArgument)
	_, err = cl.Batch().Create("/x", nil).Do(t.Context())
	require.ErrorIs(t, err, client.ErrBadArgument)
	require.Empty(t, srv.Requests())
	_, err = client.Connect(t.Context(), srv.Addr(), client.WithACLProvider(nil))
	require.ErrorIs(t, err, client.ErrBadArgument)
}
