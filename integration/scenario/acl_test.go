package scenario

import (
	"path"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/faultproxy"
	"github.com/zookit/zookit/integration/trial"
	"github.com/zookit/zookit/lock"
)

// TestUnknownScheme: a credential of a scheme that the server does not know is refused at
// once, and for good: there is no second attempt.
func TestUnknownScheme(t *testing.T) {
	e := ensemble.Start(t, 1)
	p := faultproxy.Start(t, e.Servers()[0].Addr())
	began := time.Now()
	_, err := client.Connect(t.Context(), p.Addr(), client.WithAuth("nosuch", "heat:secret"), client.WithConnectTimeout(30*time.Second))
	requireRefused(t, began, err, client.ErrAuthFailed, `"nosuch"`, p.Addr())
	require.NotContains(t, err.Error(), "secret")
	require.Equal(t, 1, p.Accepted())
	require.Eventually(t, func() bool { return p.Connections() == 0 }, 10*time.Second, 5*time.Millisecond, "nothing goes on")
	require.Equal(t, 1, p.Accepted())
}

// TestProtectedNode: a node that is protected by a digest refuses all who do not present
// the credential: also those with a wrong password, which servers do not refuse as such.
func TestProtectedNode(t *testing.T) {
	e := ensemble.Start(t, 1)
	ctx := trial.Within(t, time.Minute)
	owner := trial.Connect(t, e.Connect(), client.WithAuth("digest", "heat:secret"))
	const node = "/protected/node"
	acl := []client.ACL{client.DigestACL(client.PermAll, "heat", "secret")}
	_, err := owner.Create(ctx, node, []byte("data"), client.WithParents(), client.WithACL(acl...))
	require.NoError(t, err)
	for name, opts := range map[string][]client.Option{
		"no credential": nil, "wrong password": {client.WithAuth("digest", "heat:other")}, "wrong user": {client.WithAuth("digest", "nova:secret")},
	} {
		t.Run(name, func(t *testing.T) {
			cl := trial.Connect(t, e.Connect(), opts...)
			for op, err := range map[string]error{
				"getData":      second(cl.Get(ctx, node)),
				"setData":      first(cl.Set(ctx, node, nil, client.AnyVersion)),
				"getChildren2": second(cl.Children(ctx, node)),
				"create2":      first(cl.Create(ctx, node+"/child", nil)),
				"setACL":       first(cl.SetACL(ctx, node, []client.ACL{client.WorldACL(client.PermAll)}, client.AnyVersion)),
				"multi":        first(cl.Txn().Set(node, nil, client.AnyVersion).Commit(ctx)),
			} {
				require.ErrorIs(t, err, client.ErrNoAuth, op)
				require.ErrorContains(t, err, op)
				require.ErrorContains(t, err, node)
				require.Equal(t, client.Definite, client.Outcome(err), op)
			}
			_, ok, err := cl.Exists(ctx, node)
			require.NoError(t, err, "that it exists everybody may know")
			require.True(t, ok)
		})
	}
	for _, opts := range [][]client.Option{
		{client.WithAuth("digest", "heat:secret")},
		{client.WithAuth("digest", "nova:other"), client.WithAuth("digest", "heat:secret")}, // one of them is enough
	} {
		cl := trial.Connect(t, e.Connect(), opts...)
		data, _, err := cl.Get(ctx, node)
		require.NoError(t, err)
		require.Equal(t, "data", string(data))
		_, err = cl.Set(ctx, node, []byte("data"), client.AnyVersion)
		require.NoError(t, err)
		got, _, err := cl.GetACL(ctx, node)
		require.NoError(t, err)
		require.Equal(t, acl, got)
	}
}

func first[A any](_ A, err error) error { return err }

func second[A, B any](_ A, _ B, err error) error { return err }

// TestLockWithoutPermission: where a lock's directory, or a node in it, does not allow
// what a lock needs, Lock says so at once instead of waiting, and leaves nothing.
func TestLockWithoutPermission(t *testing.T) {
	e := ensemble.Start(t, 1)
	ctx := trial.Within(t, time.Minute)
	long := client.WithSessionTimeout(time.Minute)
	owner := trial.Connect(t, e.Connect(), long, client.WithAuth("digest", "heat:secret"))
	stranger := trial.Connect(t, e.Connect(), long)
	mine := client.DigestACL(client.PermAll, "heat", "secret")
	for name, c := range map[string]struct {
		world client.Perms
		below string // the lock's directory is to be made below the one with the permissions
		op    string
		waits bool // and what is refused is only tried by a waiter
	}{
		"no create":           {world: client.PermRead | client.PermDelete, op: "create2"},
		"no list":             {world: client.PermCreate | client.PermDelete, op: "getChildren2"},
		"nothing":             {op: "create2"},
		"no create above":     {world: client.PermRead, below: "lock", op: "create"},
		"no read of the node": {world: client.PermAll, op: "getData", waits: true},
	} {
		t.Run(name, func(t *testing.T) {
			top := "/permission/" + trial.Sanitize(name)
			_, err := owner.Create(ctx, top, nil, client.WithParents(), client.WithACL(mine))
			require.NoError(t, err)
			dir := path.Join(top, c.below)
			m := lock.NewMutex(stranger, dir)
			var nodes []string
			requireNoAuth := func() {
				t.Helper()
				before := leftoversOf(t, e.Servers()[0], owner, dir)
				began := time.Now()
				_, err := m.Lock(ctx)
				requireRefused(t, began, err, client.ErrNoAuth, c.op, dir)
				before.requireNone(t, func() []string { return nodes })
			}
			acl := []client.ACL{mine}
			if c.world != 0 {
				acl = append(acl, client.WorldACL(c.world))
			}
			_, err = owner.SetACL(ctx, top, acl, client.AnyVersion)
			require.NoError(t, err)
			if !c.waits {
				requireNoAuth()
				began := time.Now()
				_, err := m.TryLock(ctx)
				requireRefused(t, began, err, client.ErrNoAuth, dir)
			}
			if c.below != "" {
				return
			}
			// Somebody holds, and nobody else may read that node.
			private := trial.Connect(t, e.Connect(), long, client.WithAuth("digest", "heat:secret"), client.WithDefaultACL(mine))
			held, err := lock.NewMutex(private, dir).Lock(ctx)
			require.NoError(t, err)
			nodes = []string{path.Base(held.Path())}
			requireNoAuth()
			require.NoError(t, held.Err())
			require.NoError(t, held.Unlock(ctx))
		})
	}
}

// TestUnlockWithoutPermission: the directory does not allow a delete. Unlock says so at
// once; the client deletes the node as soon as it may.
func TestUnlockWithoutPermission(t *testing.T) {
	e := ensemble.Start(t, 1)
	ctx := trial.Within(t, time.Minute)
	owner := trial.Connect(t, e.Connect(), client.WithAuth("digest", "heat:secret"))
	const dir = "/nodelete"
	mine := client.DigestACL(client.PermAll, "heat", "secret")
	_, err := owner.Create(ctx, dir, nil, client.WithACL(mine, client.WorldACL(client.PermRead|client.PermCreate)))
	require.NoError(t, err)
	stranger := trial.Connect(t, e.Connect())
	held, err := lock.NewMutex(stranger, dir).Lock(ctx)
	require.NoError(t, err)
	began := time.Now()
	err = held.Unlock(ctx)
	requireRefused(t, began, err, client.ErrNoAuth, held.Path())
	require.ErrorIs(t, held.Err(), lock.ErrUnlocked)
	require.Len(t, childrenOf(t, owner, dir), 1)

	next := later(ctx, lock.NewMutex(owner, dir))
	requireWatches(t, e, 1)
	require.Empty(t, next)
	_, err = owner.SetACL(ctx, dir, []client.ACL{mine, client.WorldACL(client.PermAll)}, client.AnyVersion)
	require.NoError(t, err)
	require.NoError(t, granted(t, next).Unlock(ctx))
	require.Empty(t, childrenOf(t, owner, dir))
}

// TestLockOfItsOwner: with an ACL provider a lock, its directory included, is such that
// only who has the credential can touch it: nobody else can delete the holder's node.
// The right to delete a node is that of its directory.
func TestLockOfItsOwner(t *testing.T) {
	e := ensemble.Start(t, 1)
	ctx := trial.Within(t, time.Minute)
	mine := client.DigestACL(client.PermAll, "heat", "secret")
	provider := client.WithACLProvider(func(p string) []client.ACL {
		if p == "/locks" || strings.HasPrefix(p, "/locks/") {
			return []client.ACL{client.AuthACL(client.PermAll)}
		}
		return nil
	})
	identity := client.WithAuth("digest", "heat:secret")
	heat := trial.Connect(t, e.Connect()+"/app", identity, provider, client.WithCreateChroot())
	held, err := lock.NewMutex(heat, "/locks/l").Lock(ctx)
	require.NoError(t, err)
	for p, want := range map[string]client.ACL{"/": client.WorldACL(client.PermAll), "/locks": mine, "/locks/l": mine, held.Path(): mine} {
		acls, _, err := heat.GetACL(ctx, p)
		require.NoError(t, err)
		require.Equal(t, []client.ACL{want}, acls, p)
	}
	for name, auth := range map[string][]client.Option{"no credential": nil, "another": {client.WithAuth("digest", "nova:other")}} {
		cl := trial.Connect(t, e.Connect()+"/app", append(auth, provider)...)
		for op, err := range map[string]error{
			"delete":               cl.Delete(ctx, held.Path(), client.AnyVersion),
			"set":                  first(cl.Set(ctx, held.Path(), nil, client.AnyVersion)),
			"set ACL":              first(cl.SetACL(ctx, held.Path(), []client.ACL{client.WorldACL(client.PermAll)}, client.AnyVersion)),
			"delete the directory": cl.DeleteAll(ctx, "/locks"),
			"lock":                 first(lock.NewMutex(cl, "/locks/l").TryLock(ctx)),
		} {
			require.ErrorIs(t, err, client.ErrNoAuth, "%s: %s", name, op)
		}
	}
	twin := trial.Connect(t, e.Connect()+"/app", identity, provider)
	_, err = lock.NewMutex(twin, "/locks/l").TryLock(ctx)
	require.ErrorIs(t, err, lock.ErrBusy, "who has the credential contends as ever")
	require.NoError(t, held.Unlock(ctx))
	next, err := lock.NewMutex(twin, "/locks/l").TryLock(ctx)
	require.NoError(t, err)
	require.NoError(t, next.Unlock(ctx))
}
