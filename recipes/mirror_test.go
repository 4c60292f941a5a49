package recipes_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

const tree = "/tree"

func startMirror(t testing.TB, cl *client.Client, cfg recipes.MirrorConfig) *recipes.Mirror {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	m, err := recipes.StartMirror(ctx, cl, tree, cfg)
	require.NoError(t, err)
	t.Cleanup(m.Close)
	return m
}

// follow ranges over a mirror's changes; the next one is received with wait.
func follow(t testing.TB, m *recipes.Mirror) <-chan string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, done := make(chan string), make(chan struct{})
	t.Cleanup(func() {
		cancel()
		<-done
	})
	go func() {
		defer close(done)
		for c, err := range m.Changes(ctx) {
			word := c.Kind.String() + " " + c.Path
			switch {
			case err != nil:
				word = "error " + err.Error()
			case c.New != nil:
				word += "=" + string(c.New.Data)
			}
			select {
			case out <- word:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

// heard takes the next changes, which have to be these.
func heard(t testing.TB, changes <-chan string, want ...string) {
	t.Helper()
	for _, want := range want {
		require.Equal(t, want, wait(t, want, changes))
	}
}

// shows is a mirror's content.
func shows(m *recipes.Mirror) map[string]string {
	out := map[string]string{}
	for n := range m.Snapshot().All() {
		out[n.Path] = string(n.Data)
	}
	return out
}

func TestMirrorFollowsATree(t *testing.T) {
	srv := zktest.Start(t, zktest.WithFixture(`{"/tree": {"data": "r", "/a": {"data": "1", "/x": "2"}, "/b": "3"}}`))
	m := startMirror(t, connect(t, srv), recipes.MirrorConfig{})
	require.Equal(t, map[string]string{"/tree": "r", "/tree/a": "1", "/tree/a/x": "2", "/tree/b": "3"}, shows(m))
	changes := follow(t, m)
	heard(t, changes, "added /tree=r", "added /tree/a=1", "added /tree/a/x=2", "added /tree/b=3", "resynced /tree")

	require.NoError(t, srv.Create("/tree/c", []byte("4")))
	heard(t, changes, "added /tree/c=4")
	require.NoError(t, srv.Set("/tree/a/x", []byte("5")))
	heard(t, changes, "updated /tree/a/x=5")
	require.NoError(t, srv.Delete("/tree/a"))
	heard(t, changes, "removed /tree/a/x", "removed /tree/a")
	require.Equal(t, []string{"b", "c"}, m.Snapshot().Children("/tree"))
	require.True(t, m.State().Synced)

	srv.DropConnections()
	heard(t, changes, "resynced /tree")
	require.NoError(t, srv.Delete("/tree"))
	require.ElementsMatch(t, []string{"removed /tree/b", "removed /tree/c"}, []string{wait(t, "a child", changes), wait(t, "a child", changes)})
	heard(t, changes, "removed /tree")
	require.NoError(t, srv.Create("/tree/n", nil))
	heard(t, changes, "added /tree=", "added /tree/n=")
}
