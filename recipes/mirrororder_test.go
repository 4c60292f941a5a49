package recipes_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

// before has do called once before the server executes the next read of a path.
func before(srv *zktest.Server, path string, do func()) {
	srv.OnRequest(func(r zktest.Request) {
		if r.Op == zktest.OpGetData && r.Path == path {
			srv.OnRequest(nil)
			do()
		}
	})
}

// A node is deleted and made again on the way to a read, which finds the new one: the deletion that the watch tells of
// is not taken for that of the new one.
func TestMirrorReadsANodeMadeAgain(t *testing.T) {
	bubble(t, func(t *testing.T, srv *zktest.Server, cl *client.Client) {
		m := startMirror(t, cl, recipes.MirrorConfig{})
		r := replicate(t, m)
		pass(calm)
		for range 20 {
			before(srv, "/tree/b", func() {
				require.NoError(t, srv.Delete("/tree/b"))
				require.NoError(t, srv.Create("/tree/b", []byte("new")))
			})
			require.NoError(t, srv.Set("/tree/b", []byte("old")))
			pass(calm)
			same(t, srv, m, r)
		}
	}, zktest.WithFixture(wood))
}

// A node is read and deleted, all in one flight of reads: what was read is not put back.
func TestMirrorReadsANodeThatIsDeletedBehind(t *testing.T) {
	bubble(t, func(t *testing.T, srv *zktest.Server, cl *client.Client) {
		m := startMirror(t, cl, recipes.MirrorConfig{})
		r := replicate(t, m)
		for _, path := range []string{"/tree/a/x/y", "/tree/new"} {
			held := srv.HoldReply(zktest.Match{Ops: []zktest.Op{zktest.OpGetData}})
			require.NoError(t, srv.Set("/tree", nil))
			<-held.Fired()
			if _, ok := srv.Node(path); ok {
				require.NoError(t, srv.Set(path, []byte("read")))
			} else {
				require.NoError(t, srv.Create(path, []byte("read")))
			}
			require.NoError(t, srv.Set("/tree/b", nil))
			before(srv, "/tree/b", func() { require.NoError(t, srv.Delete(path)) })
			held.Release()
			pass(calm)
			same(t, srv, m, r)
		}
	}, zktest.WithFixture(wood))
}
