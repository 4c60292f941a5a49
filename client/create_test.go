package client_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

func TestCreateModes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		mode client.Mode
		ttl  time.Duration
		op   zktest.Op
		flag int32
		path string
		owns bool
	}{
		{client.Persistent, 0, zktest.OpCreate2, jute.FlagPersistent, "/p/x", false},
		{client.Ephemeral, 0, zktest.OpCreate2, jute.FlagEphemeral, "/p/x", true},
		{client.PersistentSequential, 0, zktest.OpCreate2, jute.FlagPersistentSequential, "/p/x0000000000", false},
		{client.EphemeralSequential, 0, zktest.OpCreate2, jute.FlagEphemeralSequential, "/p/x0000000000", true},
		{client.Container, 0, zktest.OpCreateContainer, jute.FlagContainer, "/p/x", false},
		{client.PersistentTTL, time.Minute, zktest.OpCreateTTL, jute.FlagPersistentTTL, "/p/x", false},
		{client.PersistentSequentialTTL, time.Minute, zktest.OpCreateTTL, jute.FlagPersistentSequentialTTL, "/p/x0000000000", false},
	} {
		t.Run(tc.path+tc.op.String(), func(t *testing.T) {
			srv := zktest.Start(t)
			require.NoError(t, srv.Create("/p", nil))
			cl := connect(t, srv)
			opts := []client.CreateOption{client.WithMode(tc.mode)}
			if tc.ttl != 0 {
				opts = append(opts, client.WithTTL(tc.ttl))
			}
			made, err := cl.Create(t.Context(), "/p/x", []byte("data"), opts...)
			require.NoError(t, err)
			require.Equal(t, tc.path, made.Path)
			requests := srv.Requests(zktest.On("", tc.op))
			require.Len(t, requests, 1)
			require.Equal(t, tc.flag, requests[0].Flags)

			data, stat, err := cl.Get(t.Context(), made.Path)
			require.NoError(t, err)
			require.Equal(t, "data", string(data))
			require.Equal(t, stat, made.Stat, "a create tells the stat")
			require.Equal(t, srv.Zxid(), stat.Czxid)
			require.Equal(t, stat.Czxid, stat.Mzxid)
			require.Equal(t, stat.Czxid, stat.Pzxid)
			require.Equal(t, 4, stat.DataLength)
			require.WithinDuration(t, time.Now(), stat.Ctime, time.Minute)
			require.Equal(t, stat.Ctime, stat.Mtime)
			if tc.owns {
				require.Equal(t, session(t, cl).ID(), stat.EphemeralOwner)
			} else {
				require.Zero(t, stat.EphemeralOwner, "a server hides what it keeps there for containers and TTL")
			}
			require.NoError(t, cl.Close())
			require.Equal(t, !tc.owns, exists(tc.path)(srv), "the end of the session takes what is ephemeral")
		})
	}
}

func TestStat(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	made, err := cl.Create(t.Context(), "/x", nil)
	require.NoError(t, err)
	set, err := cl.Set(t.Context(), "/x", []byte("abc"), 0)
	require.NoError(t, err)
	require.EqualValues(t, 1, set.Version)
	require.Equal(t, made.Stat.Czxid, set.Czxid)
	require.Greater(t, set.Mzxid, set.Czxid)
	require.Equal(t, 3, set.DataLength)
	acl, err := cl.SetACL(t.Context(), "/x", []client.ACL{client.WorldACL(client.PermAll)}, 0)
	require.NoError(t, err)
	require.EqualValues(t, 1, acl.Aversion)
	child, err := cl.Create(t.Context(), "/x/y", nil)
	require.NoError(t, err)
	stat, ok, err := cl.Exists(t.Context(), "/x")
	require.NoError(t, err)
	require.True(t, ok)
	require.EqualValues(t, 1, stat.Cversion)
	require.Equal(t, child.Stat.Czxid, stat.Pzxid)
	require.Equal(t, 1, stat.NumChildren)
	names, stat2, err := cl.Children(t.Context(), "/x")
	require.NoError(t, err)
	require.Equal(t, []string{"y"}, names)
	require.Equal(t, stat, stat2)

	_, ok, err = cl.Exists(t.Context(), "/none")
	require.NoError(t, err)
	require.False(t, ok)
	require.ErrorIs(t, cl.Delete(t.Context(), "/x", client.AnyVersion), client.ErrNotEmpty)
	require.ErrorIs(t, cl.Delete(t.Context(), "/x/y", 7), client.ErrBadVersion)
	require.NoError(t, cl.Delete(t.Context(), "/x/y", 0))
	_, err = cl.Set(t.Context(), "/x", nil, 0)
	require.ErrorIs(t, err, client.ErrBadVersion)
	_, err = cl.Create(t.Context(), "/x", nil)
	require.ErrorIs(t, err, client.ErrNodeExists)
	_, err = cl.Create(t.Context(), "/none/x", nil)
	require.ErrorIs(t, err, client.ErrNoNode)
}

// No data and empty data are the same: none.
func TestNilData(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	for i, data := range [][]byte{nil, {}} {
		path := fmt.Sprintf("/%d", i)
		made, err := cl.Create(t.Context(), path, data)
		require.NoError(t, err)
		require.Zero(t, made.Stat.DataLength)
		got, _, err := cl.Get(t.Context(), path)
		require.NoError(t, err)
		require.Empty(t, got)
		_, err = cl.Set(t.Context(), path, []byte("x"), client.AnyVersion)
		require.NoError(t, err)
		stat, err := cl.Set(t.Context(), path, data, client.AnyVersion)
		require.NoError(t, err)
		require.Zero(t, stat.DataLength)
		got, _, err = cl.Get(t.Context(), path)
		require.NoError(t, err)
		require.Empty(t, got)
	}
	_, err := cl.Txn().Create("/txn", nil).Set("/txn", nil, 0).Commit(t.Context())
	require.NoError(t, err)
}

func TestCreateParents(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	require.NoError(t, srv.Create("/a", nil))
	cl := connect(t, srv)
	made, err := cl.Create(t.Context(), "/a/b/c/d-", nil, client.WithParents(), client.WithMode(client.EphemeralSequential))
	require.NoError(t, err)
	require.Equal(t, "/a/b/c/d-0000000000", made.Path)
	require.Equal(t, []string{"/a", "/a/b", "/a/b/c", made.Path}, paths(srv))
	require.Zero(t, sent(srv, "/a", zktest.Creates()...), "what exists is not asked for: there may be no right to create it")
	require.Equal(t, 5, sent(srv, "", zktest.Creates()...), "two times upwards in vain, then downwards")

	srv.ResetRequests()
	_, err = cl.Create(t.Context(), "/a/b/c/e", nil, client.WithParents())
	require.NoError(t, err)
	require.Len(t, srv.Requests(), 1, "the parents are there: one request")
	_, err = cl.Create(t.Context(), "/top", nil, client.WithParents())
	require.NoError(t, err)
	_, err = cl.Create(t.Context(), "/top", nil, client.WithParents())
	require.ErrorIs(t, err, client.ErrNodeExists)
}

// The direct parent becomes a container, those above it stay.
func TestCreateContainerParents(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	_, err := cl.Create(t.Context(), "/a/b/c", nil, client.WithContainerParents(), client.WithMode(client.Ephemeral))
	require.NoError(t, err)
	require.Equal(t, 1, sent(srv, "/a", zktest.OpCreate2))
	require.Equal(t, 1, sent(srv, "/a/b", zktest.OpCreate2, zktest.OpCreateContainer)-1, "asked for twice, since its parent was missing")
	require.Equal(t, 2, sent(srv, "/a/b", zktest.OpCreateContainer))
	require.NoError(t, cl.Close())
	observer := connect(t, srv)
	children(t, observer, "/a", none)
	require.Equal(t, []string{"/a"}, paths(srv))
}

// Servers before 3.5.1 do not know containers.
func TestCreateContainerParentsOnOldServers(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	srv.FailNext(zktest.On("/a", zktest.OpCreateContainer), zktest.Unimplemented)
	_, err := cl.Create(t.Context(), "/a/b", nil, client.WithContainerParents())
	require.NoError(t, err)
	require.Equal(t, []string{"/a", "/a/b"}, paths(srv))
	require.Equal(t, 1, sent(srv, "/a", zktest.OpCreate2))
}

// Many make the same parents at once, while somebody deletes them again and again.
func TestCreateParentsConcurrently(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	a, b := connect(t, srv), connect(t, srv)
	var wg sync.WaitGroup
	for i := range 16 {
		for _, cl := range []*client.Client{a, b} {
			wg.Go(func() {
				for n := range 10 {
					path := fmt.Sprintf("/x/y/z/%p-%d-%d", cl, i, n)
					_, err := cl.Create(t.Context(), path, nil, client.WithParents())
					if assert.NoError(t, err) {
						assert.NoError(t, cl.DeleteAll(t.Context(), path))
						// Fails when somebody else is there, which is the point.
						_ = cl.Delete(t.Context(), "/x/y/z", client.AnyVersion)
						_ = cl.Delete(t.Context(), "/x/y", client.AnyVersion)
					}
				}
			})
		}
	}
	wg.Wait()
}

func TestCreateParentsErrors(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	_, err := cl.Create(t.Context(), "/closed", nil, client.WithACL(client.WorldACL(client.PermRead)))
	require.NoError(t, err)
	_, err = cl.Create(t.Context(), "/closed/a/b", nil, client.WithParents())
	require.ErrorIs(t, err, client.ErrNoAuth)
	_, err = cl.Create(t.Context(), "/eph", nil, client.WithMode(client.Ephemeral))
	require.NoError(t, err)
	_, err = cl.Create(t.Context(), "/eph/a/b", nil, client.WithParents())
	require.ErrorIs(t, err, client.ErrNoChildrenForEphemerals)
	require.Equal(t, client.Definite, client.Outcome(err))
}

// What cannot work is refused before anything is sent.
func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	srv.ResetRequests()
	type opts = []client.CreateOption
	for name, tc := range map[string]struct {
		path string
		opts opts
		err  error
		says string
	}{
		"path":               {"x", nil, client.ErrBadPath, `"x"`},
		"path ends":          {"/x/", nil, client.ErrBadPath, `"/x/"`},
		"mode":               {"/x", opts{client.WithMode(7)}, client.ErrBadArgument, "mode 7"},
		"mode negative":      {"/x", opts{client.WithMode(-1)}, client.ErrBadArgument, "mode -1"},
		"TTL without mode":   {"/x", opts{client.WithTTL(time.Second)}, client.ErrBadArgument, "time to live 1s"},
		"mode without TTL":   {"/x", opts{client.WithMode(client.PersistentTTL)}, client.ErrBadArgument, "time to live 0s"},
		"TTL negative":       {"/x", opts{client.WithMode(client.PersistentTTL), client.WithTTL(-time.Second)}, client.ErrBadArgument, "time to live -1s"},
		"TTL fraction":       {"/x", opts{client.WithMode(client.PersistentTTL), client.WithTTL(time.Microsecond)}, client.ErrBadArgument, "1µs"},
		"TTL too long":       {"/x", opts{client.WithMode(client.PersistentTTL), client.WithTTL(0x010000000000 * time.Millisecond)}, client.ErrBadArgument, "up to"},
		"ACL empty":          {"/x", opts{client.WithACL()}, client.ErrBadArgument, "empty ACL"},
		"ACL perms":          {"/x", opts{client.WithACL(client.WorldACL(64))}, client.ErrBadArgument, "0x40"},
		"protection":         {"/x", opts{client.WithProtection("y")}, client.ErrBadArgument, `"x" does not begin with "y"`},
		"protection of none": {"/x/", opts{client.WithMode(client.EphemeralSequential), client.WithProtection("y")}, client.ErrBadArgument, `"" does not begin with "y"`},
		"protection empty":   {"/x", opts{client.WithProtection("")}, client.ErrBadArgument, "protection"},
		"option nil":         {"/x", opts{nil}, client.ErrBadArgument, "option"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := cl.Create(t.Context(), tc.path, nil, tc.opts...)
			require.ErrorIs(t, err, tc.err)
			require.ErrorContains(t, err, tc.says)
			require.Equal(t, client.NotSent, client.Outcome(err))
			_, err = cl.Txn().Create(tc.path, nil, tc.opts...).Commit(t.Context())
			require.ErrorIs(t, err, tc.err)
			_, _, err = session(t, cl).CreateAndList(t.Context(), tc.path, nil, tc.opts...)
			require.ErrorIs(t, err, tc.err)
		})
	}
	require.Empty(t, srv.Requests())
}

func TestCreateAndList(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := connect(t, srv)
	s := session(t, cl)
	srv.ResetRequests()
	for i := range 3 {
		made, names, err := s.CreateAndList(t.Context(), "/n/x-", nil, client.WithMode(client.EphemeralSequential))
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf("/n/x-%010d", i), made.Path)
		require.Len(t, names, i+1)
		require.Equal(t, made.Path, "/n/"+names[i], "sorted, with itself")
	}
	require.Len(t, srv.Requests(), 6)
	_, names, err := s.CreateAndList(t.Context(), "/top", nil)
	require.NoError(t, err)
	require.Contains(t, names, "top")
	made, names, err := s.CreateAndList(t.Context(), "/deep/down/x", nil, client.WithParents())
	require.NoError(t, err)
	require.Equal(t, "/deep/down/x", made.Path)
	require.Equal(t, []string{"x"}, names)
	_, _, err = s.CreateAndList(t.Context(), "/top", nil)
	require.ErrorIs(t, err, client.ErrNodeExists)
}

// A node that was made but whose siblings could not be listed is not "not sent".
func TestCreateAndListWithoutTheList(t *testing.T) {
	for _, protect := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			p := newPipes(t)
			cl := p.connect(t, "10.0.0.1:1")
			s := session(t, cl)
			p.set(func(p *pipes) {
				p.answer = func(f frame) reaction { return reaction{hangUp: f.op == jute.OpGetChildren2} }
				p.dial = func(context.Context, string) error { return errors.New("connection refused") }
			})
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			opts := []client.CreateOption{client.WithMode(client.Ephemeral)}
			if protect {
				opts = append(opts, client.WithProtection(unique))
			}
			made, _, err := s.CreateAndList(ctx, "/n/"+unique, nil, opts...)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.Equal(t, client.Unknown, client.Outcome(err), "%v", err)
			p.set(func(p *pipes) { p.answer, p.dial = nil, nil })
			time.Sleep(10 * time.Second) // for the reconnect, and what it is for
			require.Len(t, p.seen(jute.OpGetChildren2), 1)
			if protect {
				require.Empty(t, made)
				require.Len(t, p.seen(jute.OpDelete), 1, "the janitor deletes the node")
			} else {
				require.Equal(t, "/n/"+unique, made.Path)
				require.Empty(t, p.seen(jute.OpDelete))
			}
		})
	}
}

// Servers list children in no order.
func TestChildrenAreSorted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl := p.connect(t, "10.0.0.1:1")
		p.set(func(p *pipes) {
			p.answer = func(f frame) reaction {
				if f.op == jute.OpGetChildren2 {
					return reaction{body: &jute.Children2Reply{Children: []string{"c", "a", "d", "b"}}}
				}
				return reaction{}
			}
		})
		want := []string{"a", "b", "c", "d"}
		names, _, err := cl.Children(t.Context(), "/n")
		require.NoError(t, err)
		require.Equal(t, want, names)
		names, _, w, err := cl.ChildrenW(t.Context(), "/n")
		require.NoError(t, err)
		require.Equal(t, want, names)
		w.Remove()
		_, names, err = session(t, cl).CreateAndList(t.Context(), "/n/a", nil)
		require.NoError(t, err)
		require.Equal(t, want, names)
	})
}
