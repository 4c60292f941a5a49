package client_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

// fate says what becomes of an operation whose request or reply is lost.
type fate int

const (
	// repeats: it is executed until it is answered.
	repeats fate = iota
	// unknown: nothing can be found out.
	unknown
	// resolved: it is found out that it was not executed, and then it is repeated.
	resolved
	// found: it is found out, and what was made is adopted.
	found
)

// operation is one kind of operation on the nodes of newTree.
type operation struct {
	name string
	fate fate
	// on is the request that makes the difference.
	on zktest.Match
	// run returns the operation's watch, if it sets one.
	run func(ctx context.Context, o client.Ops) (*client.Watch, error)
	// onSession replaces run where a session is needed.
	onSession func(ctx context.Context, s *client.Session) error
	// done tells whether the operation was executed; nil for a read.
	done func(*zktest.Server) bool
}

func (op *operation) do(ctx context.Context, o client.Ops) error {
	w, err := op.run(ctx, o)
	if w != nil {
		w.Remove()
	}
	return err
}

// newTree starts a server with the nodes that the operations need.
func newTree(t testing.TB, opts ...zktest.Option) *zktest.Server {
	t.Helper()
	srv := zktest.Start(t, opts...)
	require.NoError(t, srv.Create("/n", []byte("old")))
	require.NoError(t, srv.Create("/tree/a", nil))
	return srv
}

// primed opens a client that has seen the tree.
func primed(t testing.TB, srv *zktest.Server, opts ...client.Option) *client.Client {
	t.Helper()
	cl := connect(t, srv, opts...)
	_, _, err := cl.Get(t.Context(), "/n")
	require.NoError(t, err)
	return cl
}

func plain(run func(ctx context.Context, o client.Ops) error) func(context.Context, client.Ops) (*client.Watch, error) {
	return func(ctx context.Context, o client.Ops) (*client.Watch, error) { return nil, run(ctx, o) }
}

func exists(path string) func(*zktest.Server) bool {
	return func(s *zktest.Server) bool { _, ok := s.Node(path); return ok }
}

func gone(path string) func(*zktest.Server) bool {
	return func(s *zktest.Server) bool { _, ok := s.Node(path); return !ok }
}

// below counts the children of path that begin with prefix.
func below(s *zktest.Server, path, prefix string) int {
	n, _ := s.Node(path)
	count := 0
	for _, name := range n.Children {
		if strings.HasPrefix(name, prefix) {
			count++
		}
	}
	return count
}

const unique = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"

func changed(s *zktest.Server) bool {
	n, ok := s.Node("/n")
	return ok && string(n.Data) == "new"
}

func operations() []operation {
	return []operation{
		{name: "Get", on: zktest.On("/n", zktest.OpGetData), run: plain(func(ctx context.Context, o client.Ops) error {
			_, _, err := o.Get(ctx, "/n")
			return err
		})},
		{name: "GetW", on: zktest.On("/n", zktest.OpGetData), run: func(ctx context.Context, o client.Ops) (*client.Watch, error) {
			_, _, w, err := o.GetW(ctx, "/n")
			return w, err
		}},
		{name: "Exists", on: zktest.On("/n", zktest.OpExists), run: plain(func(ctx context.Context, o client.Ops) error {
			_, _, err := o.Exists(ctx, "/n")
			return err
		})},
		{name: "ExistsW of nothing", on: zktest.On("/none", zktest.OpExists), run: func(ctx context.Context, o client.Ops) (*client.Watch, error) {
			_, _, w, err := o.ExistsW(ctx, "/none")
			return w, err
		}},
		{name: "Children", on: zktest.On("/n", zktest.OpGetChildren2), run: plain(func(ctx context.Context, o client.Ops) error {
			_, _, err := o.Children(ctx, "/n")
			return err
		})},
		{name: "ChildrenW", on: zktest.On("/n", zktest.OpGetChildren2), run: func(ctx context.Context, o client.Ops) (*client.Watch, error) {
			_, _, w, err := o.ChildrenW(ctx, "/n")
			return w, err
		}},
		{name: "Sync", on: zktest.On("/n", zktest.OpSync), run: plain(func(ctx context.Context, o client.Ops) error {
			return o.Sync(ctx, "/n")
		})},
		{name: "GetACL", on: zktest.On("/n", zktest.OpGetACL), run: plain(func(ctx context.Context, o client.Ops) error {
			_, _, err := o.GetACL(ctx, "/n")
			return err
		})},
		{name: "SetACL", fate: unknown, on: zktest.On("/n", zktest.OpSetACL), run: plain(func(ctx context.Context, o client.Ops) error {
			_, err := o.SetACL(ctx, "/n", []client.ACL{client.WorldACL(client.PermAll)}, client.AnyVersion)
			return err
		}), done: func(s *zktest.Server) bool { n, _ := s.Node("/n"); return n.Stat.Aversion > 0 }},
		{name: "Create", fate: unknown, on: zktest.On("/new", zktest.OpCreate2), run: plain(func(ctx context.Context, o client.Ops) error {
			_, err := o.Create(ctx, "/new", nil)
			return err
		}), done: exists("/new")},
		{name: "Create a container", fate: unknown, on: zktest.On("/new", zktest.OpCreateContainer), run: plain(func(ctx context.Context, o client.Ops) error {
			_, err := o.Create(ctx, "/new", nil, client.WithMode(client.Container))
			return err
		}), done: exists("/new")},
		{name: "Create with a time to live", fate: unknown, on: zktest.On("/new", zktest.OpCreateTTL), run: plain(func(ctx context.Context, o client.Ops) error {
			_, err := o.Create(ctx, "/new", nil, client.WithMode(client.PersistentTTL), client.WithTTL(time.Hour))
			return err
		}), done: exists("/new")},
		{name: "Create parents", fate: repeats, on: zktest.On("/p", zktest.OpCreate2), run: plain(func(ctx context.Context, o client.Ops) error {
			_, err := o.Create(ctx, "/p/q/new", nil, client.WithParents())
			return err
		}), done: exists("/p/q/new")},
		{name: "Create with protection", fate: found, on: zktest.On("/n/"+unique+"-", zktest.OpCreate2), run: plain(func(ctx context.Context, o client.Ops) error {
			_, err := o.Create(ctx, "/n/"+unique+"-", nil, client.WithMode(client.EphemeralSequential), client.WithProtection(unique))
			return err
		}), done: func(s *zktest.Server) bool { return below(s, "/n", unique) > 0 }},
		{name: "Set a version", fate: resolved, on: zktest.On("/n", zktest.OpSetData), run: plain(func(ctx context.Context, o client.Ops) error {
			_, err := o.Set(ctx, "/n", []byte("new"), 0)
			return err
		}), done: changed},
		{name: "Set any version", fate: unknown, on: zktest.On("/n", zktest.OpSetData), run: plain(func(ctx context.Context, o client.Ops) error {
			_, err := o.Set(ctx, "/n", []byte("new"), client.AnyVersion)
			return err
		}), done: changed},
		{name: "Delete a version", fate: resolved, on: zktest.On("/n", zktest.OpDelete), run: plain(func(ctx context.Context, o client.Ops) error {
			return o.Delete(ctx, "/n", 0)
		}), done: gone("/n")},
		{name: "Delete any version", fate: unknown, on: zktest.On("/n", zktest.OpDelete), run: plain(func(ctx context.Context, o client.Ops) error {
			return o.Delete(ctx, "/n", client.AnyVersion)
		}), done: gone("/n")},
		{name: "DeleteAll", fate: repeats, on: zktest.On("/tree/a", zktest.OpDelete), run: plain(func(ctx context.Context, o client.Ops) error {
			return o.DeleteAll(ctx, "/tree")
		}), done: gone("/tree")},
		{name: "Txn", fate: unknown, on: zktest.On("/new", zktest.OpMulti), run: plain(func(ctx context.Context, o client.Ops) error {
			_, err := o.Txn().Check("/n", 0).Create("/new", nil).Commit(ctx)
			return err
		}), done: exists("/new")},
	}
}
