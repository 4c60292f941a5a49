package client_test

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

// Reads in one request, each with its own result or error.
func TestMultiRead(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	require.NoError(t, srv.Create("/tree/b", []byte("x")))
	cl := connectTo(t, srv.Addr()+"/tree")
	_, err := cl.Create(t.Context(), "/closed", nil, client.WithACL(client.WorldACL(client.PermDelete)))
	require.NoError(t, err)
	srv.ResetRequests()
	m := cl.MultiRead().Get("/b").Children("/").Get("/none").Children("/none").Get("/closed").Children("/closed")
	require.Equal(t, 6, m.Len())
	results, err := m.Do(t.Context())
	require.NoError(t, err)
	require.Len(t, srv.Requests(), 1)
	require.Len(t, results, 6)
	require.Equal(t, "x", string(results[0].Data))
	require.Equal(t, 1, results[0].Stat.DataLength)
	require.Equal(t, []string{"a", "b", "closed"}, results[1].Children)
	for i, want := range []string{
		2: "getData /none: node does not exist", 3: "getChildren /none: node does not exist",
		4: "getData /closed: not allowed by the node's ACL", 5: "getChildren /closed: not allowed by the node's ACL",
	} {
		require.Equal(t, []string{"/b", "/", "/none", "/none", "/closed", "/closed"}[i], results[i].Path)
		if want == "" {
			require.NoError(t, results[i].Err)
			continue
		}
		require.EqualError(t, results[i].Err, want)
		require.Equal(t, client.Definite, client.Outcome(results[i].Err))
	}
	require.ErrorIs(t, results[2].Err, client.ErrNoNode)
	require.ErrorIs(t, results[5].Err, client.ErrNoAuth)
	again, err := m.Do(t.Context())
	require.NoError(t, err)
	require.Equal(t, results[0], again[0])

	srv.ResetRequests()
	none, err := cl.MultiRead().Do(t.Context())
	require.NoError(t, err)
	require.Empty(t, none)
	for _, m := range []*client.MultiRead{cl.MultiRead().Get("/b").Get("b"), cl.MultiRead().Children("/b/")} {
		_, err = m.Do(t.Context())
		require.ErrorIs(t, err, client.ErrBadPath)
		require.Equal(t, client.NotSent, client.Outcome(err))
	}
	require.Empty(t, srv.Requests())
}

// Servers that do not know these operations say so.
func TestOldServers(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	for op, call := range map[zktest.Op]func() error{
		zktest.OpMultiRead:            func() error { _, err := cl.MultiRead().Get("/n").Do(t.Context()); return err },
		zktest.OpGetEphemerals:        func() error { _, err := cl.Ephemerals(t.Context(), "/"); return err },
		zktest.OpGetAllChildrenNumber: func() error { _, err := cl.AllChildrenNumber(t.Context(), "/"); return err },
		zktest.OpWhoAmI:               func() error { _, err := cl.WhoAmI(t.Context()); return err },
	} {
		srv.FailNext(zktest.On("", op), zktest.Unimplemented)
		err := call()
		require.ErrorIs(t, err, client.ErrUnimplemented)
		require.ErrorContains(t, err, op.String())
		require.Equal(t, client.Definite, client.Outcome(err))
	}
}

// A reply that does not fit the request is an error, not a panic.
func TestMultiReadReplyOfAnotherShape(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl := p.connect(t, "10.0.0.1:1")
		reply := func(results ...jute.MultiResult) {
			p.set(func(p *pipes) {
				p.answer = func(frame) reaction { return reaction{body: &jute.MultiReply{Results: results}} }
			})
		}
		for _, results := range [][]jute.MultiResult{{}, {{Op: jute.OpGetData}}, {{Op: jute.OpGetData}, {Op: jute.OpGetData}, {Op: jute.OpGetData}}} {
			reply(results...)
			got, err := cl.MultiRead().Get("/a").Children("/a").Do(t.Context())
			require.Error(t, err)
			require.Equal(t, client.Definite, client.Outcome(err))
			require.Nil(t, got)
		}
		reply(jute.MultiResult{Op: jute.OpGetData}, jute.MultiResult{Op: jute.OpGetData})
		got, err := cl.MultiRead().Get("/a").Children("/a").Do(t.Context())
		require.NoError(t, err)
		require.NoError(t, got[0].Err)
		require.Error(t, got[1].Err, "an answer to another question")
	})
}

func TestEphemerals(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	require.NoError(t, srv.Create("/app", nil))
	root, app := connect(t, srv), connectTo(t, srv.Addr()+"/app")
	for _, path := range []string{"/a", "/a/x", "/ab"} {
		mode := client.Ephemeral
		if path == "/a" {
			mode = client.Persistent
		}
		_, err := app.Create(t.Context(), path, nil, client.WithMode(mode))
		require.NoError(t, err)
	}
	_, err := root.Create(t.Context(), "/apple", nil, client.WithMode(client.Ephemeral))
	require.NoError(t, err)
	for prefix, want := range map[string][]string{"/": {"/a/x", "/ab"}, "/a": {"/a/x", "/ab"}, "/a/": {"/a/x"}, "/b": {}} {
		got, err := app.Ephemerals(t.Context(), prefix)
		require.NoError(t, err)
		require.Equal(t, want, got, prefix)
	}
	got, err := root.Ephemerals(t.Context(), "/app")
	require.NoError(t, err)
	require.Equal(t, []string{"/apple"}, got, "the session's own only")
	for _, bad := range []string{"", "a", "/a//", "/./x"} {
		_, err = app.Ephemerals(t.Context(), bad)
		require.ErrorIs(t, err, client.ErrBadPath, bad)
	}
	n, err := app.AllChildrenNumber(t.Context(), "/")
	require.NoError(t, err)
	require.Equal(t, 3, n)
	_, err = app.AllChildrenNumber(t.Context(), "/none")
	require.ErrorIs(t, err, client.ErrNoNode)
}

// Nodes outside of the chroot are left out also if the server's comparison of texts
// finds them.
func TestEphemeralsOutsideOfTheChroot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl := p.connect(t, "10.0.0.1:1/app")
		p.set(func(p *pipes) {
			p.answer = func(frame) reaction {
				return reaction{body: &jute.ChildrenReply{Children: []string{"/apple", "/app/b", "/app", "/app/a", "/appl/x"}}}
			}
		})
		got, err := cl.Ephemerals(t.Context(), "/")
		require.NoError(t, err)
		require.Equal(t, []string{"/a", "/b"}, got)
	})
}

func TestWhoAmI(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	got, err := connect(t, srv, client.WithAuth("digest", "u:p"), client.WithAuth("digest", "v:q")).WhoAmI(t.Context())
	require.NoError(t, err)
	require.ElementsMatch(t, []client.Identity{{Scheme: "digest", User: "u"}, {Scheme: "digest", User: "v"}, {Scheme: "ip", User: "127.0.0.1"}}, got)
}
