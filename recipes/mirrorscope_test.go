package recipes_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

const wood = `{"/tree": {"data": "r", "/a": {"data": "1", "/x": {"data": "2", "/y": "3"}}, "/b": "4"}, "/treehouse": "5"}`

func paths(m *recipes.Mirror) string {
	var out []string
	for n := range m.Snapshot().All() {
		out = append(out, strings.TrimPrefix(n.Path, tree))
	}
	return strings.Join(out, " ")
}

// Each depth and filter: what is there at first, and what comes.
func TestMirrorScope(t *testing.T) {
	for name, test := range map[string]struct {
		cfg         recipes.MirrorConfig
		first, then string
	}{
		"whole":     {recipes.MirrorConfig{}, " /a /a/x /a/x/y /b", " /a /a/n /a/n/m /a/x /a/x/y /b /c"},
		"node":      {recipes.MirrorConfig{Depth: recipes.OnlyNode}, "", ""},
		"children":  {recipes.MirrorConfig{Depth: 1}, " /a /b", " /a /b /c"},
		"two":       {recipes.MirrorConfig{Depth: 2}, " /a /a/x /b", " /a /a/n /a/x /b /c"},
		"filter a":  {recipes.MirrorConfig{Filter: func(p string) bool { return p != "/tree/a" }}, " /b", " /b /c"},
		"filter x":  {recipes.MirrorConfig{Filter: func(p string) bool { return !strings.HasSuffix(p, "/x") }}, " /a /b", " /a /a/n /a/n/m /b /c"},
		"no data":   {recipes.MirrorConfig{NoData: true}, " /a /a/x /a/x/y /b", " /a /a/n /a/n/m /a/x /a/x/y /b /c"},
		"all at it": {recipes.MirrorConfig{NoData: true, Depth: 1, Filter: func(p string) bool { return p != "/tree/b" }}, " /a", " /a /c"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, srv *zktest.Server, cl *client.Client) {
				m := startMirror(t, cl, test.cfg)
				require.Equal(t, test.first, paths(m))
				for _, p := range []string{"/tree/a/n", "/tree/a/n/m", "/tree/c", "/treehouse/b"} {
					require.NoError(t, srv.Create(p, []byte("x")))
				}
				pass(calm)
				require.Equal(t, test.then, paths(m))
				root, ok := m.Snapshot().Root()
				require.True(t, ok)
				if test.cfg.NoData {
					require.Empty(t, root.Data)
					require.Equal(t, 1, root.Stat.DataLength)
				} else {
					require.Equal(t, "r", string(root.Data))
				}
				srv.DropConnections()
				require.NoError(t, srv.Delete("/tree/a"))
				pass(calm)
				require.NotContains(t, paths(m), "/a")
				require.NoError(t, srv.Delete("/tree"))
				pass(calm)
				require.Zero(t, m.Snapshot().Len())
				require.NoError(t, srv.Create("/tree", nil))
				pass(calm)
				require.Equal(t, 1, m.Snapshot().Len())
			}, zktest.WithFixture(wood))
		})
	}
}

func TestMirrorOfTheRoot(t *testing.T) {
	srv := zktest.Start(t, zktest.WithFixture(wood))
	m, err := recipes.StartMirror(t.Context(), connect(t, srv), "/", recipes.MirrorConfig{Filter: func(p string) bool { return p != "/zookeeper" }})
	require.NoError(t, err)
	t.Cleanup(m.Close)
	require.Equal(t, []string{"tree", "treehouse"}, m.Snapshot().Children("/"))
	require.Equal(t, 7, m.Snapshot().Len())
}

// What the client may not read is left out with what is below; the root must be readable.
func TestMirrorOfWhatMayNotBeRead(t *testing.T) {
	bubble(t, func(t *testing.T, srv *zktest.Server, cl *client.Client) {
		m := startMirror(t, cl, recipes.MirrorConfig{})
		require.Equal(t, " /b", paths(m))
		require.Equal(t, 1, m.State().Unreadable)
		require.NoError(t, srv.Create("/tree/a/n", nil))
		require.NoError(t, srv.Create("/tree/b/n", nil))
		pass(calm)
		require.Equal(t, " /b /b/n", paths(m))
		require.NoError(t, srv.Load(strings.NewReader(`{"/tree/a": {"acl": ["world:anyone:cdrwa"]}}`)))
		srv.DropConnections()
		pass(calm)
		require.Equal(t, " /a /a/n /a/x /b /b/n", paths(m), "found at the next reconnect")
		require.Zero(t, m.State().Unreadable)
		require.NoError(t, srv.Load(strings.NewReader(`{"/tree": {"acl": ["world:anyone:c"]}}`)))
		srv.DropConnections()
		pass(calm)
		require.ErrorIs(t, m.State().Err, client.ErrNoAuth)
		require.NoError(t, srv.Load(strings.NewReader(`{"/tree": {"acl": ["world:anyone:cdrwa"]}}`)))
		pass(time.Minute)
		require.NoError(t, m.State().Err, "it has tried again")
		require.Equal(t, " /a /a/n /a/x /b /b/n", paths(m))

		require.NoError(t, srv.Load(strings.NewReader(`{"/secret": {"acl": ["world:anyone:c"]}}`)))
		_, err := recipes.StartMirror(t.Context(), cl, "/secret", recipes.MirrorConfig{})
		require.ErrorIs(t, err, client.ErrNoAuth)
	}, zktest.WithFixture(`{"/tree": {"/a": {"acl": ["world:anyone:c"], "/x": ""}, "/b": ""}}`))
}

func TestMirrorRefusesWhatCannotBe(t *testing.T) {
	srv := zktest.Start(t)
	cl := connect(t, srv)
	for name, test := range map[string]struct {
		cl   *client.Client
		path string
		cfg  recipes.MirrorConfig
		want error
	}{
		"no client": {nil, tree, recipes.MirrorConfig{}, client.ErrBadArgument},
		"path":      {cl, "tree", recipes.MirrorConfig{}, client.ErrBadPath},
		"depth":     {cl, tree, recipes.MirrorConfig{Depth: -2}, client.ErrBadArgument},
		"nodes":     {cl, tree, recipes.MirrorConfig{MaxNodes: -1}, client.ErrBadArgument},
		"bytes":     {cl, tree, recipes.MirrorConfig{MaxBytes: -1}, client.ErrBadArgument},
		"rate":      {cl, tree, recipes.MirrorConfig{Rate: -1}, client.ErrBadArgument},
	} {
		_, err := recipes.StartMirror(t.Context(), test.cl, test.path, test.cfg)
		require.ErrorIs(t, err, test.want, name)
	}
	srv.FailNext(zktest.Match{Ops: []zktest.Op{zktest.OpAddWatch}}, zktest.Unimplemented)
	_, err := recipes.StartMirror(t.Context(), cl, tree, recipes.MirrorConfig{})
	require.ErrorIs(t, err, client.ErrUnimplemented, "before 3.6")
}

// A mirror that grows too large says so, goes on with what it has, and is whole again when there is room.
func TestMirrorLimits(t *testing.T) {
	for name, cfg := range map[string]recipes.MirrorConfig{"nodes": {MaxNodes: 21}, "bytes": {MaxBytes: 21 * 110}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, srv *zktest.Server, cl *client.Client) {
				for i := range 15 {
					require.NoError(t, srv.Create(fmt.Sprintf("/tree/a%02d", i), make([]byte, 100)))
				}
				m := startMirror(t, cl, cfg)
				r := replicate(t, m)
				changes := follow(t, m)
				for range 17 {
					wait(t, "what is there", changes)
				}
				for i := range 15 {
					require.NoError(t, srv.Create(fmt.Sprintf("/tree/b%02d", i), make([]byte, 100)))
				}
				for word := ""; !strings.HasPrefix(word, "error"); {
					word = wait(t, "an error", changes)
				}
				pass(calm)
				s := m.State()
				require.ErrorIs(t, s.Err, recipes.ErrMirrorLimit)
				require.False(t, s.Synced)
				if cfg.MaxNodes > 0 {
					require.Equal(t, cfg.MaxNodes, s.Nodes)
				}
				require.LessOrEqual(t, s.Bytes, 21*110)
				before := s.Rebuilds
				srv.ResetRequests()
				pass(10 * time.Minute)
				require.Less(t, len(srv.Requests()), 600, "it tries again, but ever more seldom")
				_, err := recipes.StartMirror(t.Context(), cl, tree, cfg)
				require.ErrorIs(t, err, recipes.ErrMirrorLimit)

				require.NoError(t, srv.Set("/tree/a00", []byte("still followed")))
				pass(calm)
				n, _ := m.Get("/tree/a00")
				require.Equal(t, "still followed", string(n.Data))
				for i := range 15 {
					require.NoError(t, srv.Delete(fmt.Sprintf("/tree/b%02d", i)))
				}
				pass(10 * time.Minute)
				same(t, srv, m, r)
				require.NoError(t, m.State().Err)
				require.Greater(t, m.State().Rebuilds, before)
			})
		})
	}
}

func TestMirrorEnds(t *testing.T) {
	srv := zktest.Start(t, zktest.WithFixture(wood))
	cl := connect(t, srv)
	m := startMirror(t, cl, recipes.MirrorConfig{})
	n := 0
	for _, err := range m.Changes(t.Context()) {
		require.NoError(t, err)
		if n++; n == 6 {
			m.Close()
		}
	}
	require.Equal(t, 6, n, "ended without an error")
	m.Close()
	require.ErrorIs(t, m.State().Err, recipes.ErrMirrorClosed)
	require.Equal(t, " /a /a/x /a/x/y /b", paths(m), "what it has shows on")

	m = startMirror(t, cl, recipes.MirrorConfig{})
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	var last error
	for _, err := range m.Changes(ctx) {
		cancel(cause)
		last = err
	}
	require.ErrorIs(t, last, cause)
	for c, err := range m.Changes(t.Context()) {
		if c.Kind == recipes.MirrorResynced {
			require.NoError(t, cl.Close())
		}
		last = err
	}
	require.ErrorIs(t, last, client.ErrClosed)
	require.ErrorIs(t, m.State().Err, client.ErrClosed)
	<-m.Done()
}
