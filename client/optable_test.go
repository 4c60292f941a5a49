package client_test

import (
	"context"
	"slices"
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
	// settled: it is found out in the next session as well, and repeated if need be.
	settled
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
	// steps: it is several requests, of which on is not the last.
	steps bool
}

func (op operation) inSteps() operation {
	op.steps = true
	return op
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

// err2 and err3 are the errors of operations with results.
func err2[T any](_ T, err error) error         { return err }
func err3[T, U any](_ T, _ U, err error) error { return err }

type ops = client.Ops

// read is a row for an operation that changes nothing.
func read(name string, on zktest.Match, run func(context.Context, ops) error) operation {
	return operation{name: name, on: on, run: plain(run)}
}

// write is a row for an operation that changes what done sees.
func write(name string, f fate, on zktest.Match, done func(*zktest.Server) bool, run func(context.Context, ops) error) operation {
	return operation{name: name, fate: f, on: on, run: plain(run), done: done}
}

// creates is a write row for a create.
func creates(name string, f fate, path string, opts ...client.CreateOption) operation {
	done := func(s *zktest.Server) bool { return len(s.Dump()) > 3 }
	return write(name, f, zktest.On(path, zktest.Creates()...), done, func(ctx context.Context, o ops) error {
		return err2(o.Create(ctx, path, []byte("x"), opts...))
	})
}

// idempotently turns a row into one of the operations that [client.Ops.Idempotent] returns.
func idempotently(op operation) operation {
	run := op.run
	op.run = func(ctx context.Context, o ops) (*client.Watch, error) { return run(ctx, o.Idempotent()) }
	op.name, op.fate = op.name+", idempotent", settled
	return op
}

func operations() []operation {
	return slices.Concat(reads(), writes(), transactions(), batches())
}

func reads() []operation {
	return []operation{
		read("Get", zktest.On("/n", zktest.OpGetData), func(ctx context.Context, o ops) error { return err3(o.Get(ctx, "/n")) }),
		read("Exists", zktest.On("/n", zktest.OpExists), func(ctx context.Context, o ops) error { return err3(o.Exists(ctx, "/n")) }),
		read("Children", zktest.On("/n", zktest.OpGetChildren2), func(ctx context.Context, o ops) error { return err3(o.Children(ctx, "/n")) }),
		read("Sync", zktest.On("/n", zktest.OpSync), func(ctx context.Context, o ops) error { return o.Sync(ctx, "/n") }),
		read("GetACL", zktest.On("/n", zktest.OpGetACL), func(ctx context.Context, o ops) error { return err3(o.GetACL(ctx, "/n")) }),
		read("MultiRead", zktest.On("/n", zktest.OpMultiRead), func(ctx context.Context, o ops) error {
			return err2(o.MultiRead().Get("/n").Children("/n").Do(ctx))
		}),
		read("Ephemerals", zktest.On("", zktest.OpGetEphemerals), func(ctx context.Context, o ops) error { return err2(o.Ephemerals(ctx, "/")) }),
		read("AllChildrenNumber", zktest.On("/n", zktest.OpGetAllChildrenNumber), func(ctx context.Context, o ops) error {
			return err2(o.AllChildrenNumber(ctx, "/n"))
		}),
		read("WhoAmI", zktest.On("", zktest.OpWhoAmI), func(ctx context.Context, o ops) error { return err2(o.WhoAmI(ctx)) }),
		{name: "GetW", on: zktest.On("/n", zktest.OpGetData), run: func(ctx context.Context, o ops) (*client.Watch, error) {
			_, _, w, err := o.GetW(ctx, "/n")
			return w, err
		}},
		{name: "ExistsW of nothing", on: zktest.On("/none", zktest.OpExists), run: func(ctx context.Context, o ops) (*client.Watch, error) {
			_, _, w, err := o.ExistsW(ctx, "/none")
			return w, err
		}},
		{name: "ChildrenW", on: zktest.On("/n", zktest.OpGetChildren2), run: func(ctx context.Context, o ops) (*client.Watch, error) {
			_, _, w, err := o.ChildrenW(ctx, "/n")
			return w, err
		}},
	}
}

func writes() []operation {
	var (
		mode  = client.WithMode
		ttl   = client.WithTTL(time.Hour)
		mine  = client.WithProtection(unique)
		named = "/n/" + unique
		set   = zktest.On("/n", zktest.OpSetData)
		del   = zktest.On("/n", zktest.OpDelete)
	)
	setTo := func(version int32) func(context.Context, ops) error {
		return func(ctx context.Context, o ops) error { return err2(o.Set(ctx, "/n", []byte("new"), version)) }
	}
	deleteAt := func(version int32) func(context.Context, ops) error {
		return func(ctx context.Context, o ops) error { return o.Delete(ctx, "/n", version) }
	}
	return []operation{
		creates("Create", unknown, "/new"),
		creates("Create an ephemeral", unknown, "/new", mode(client.Ephemeral)),
		creates("Create a sequential", unknown, "/n/s-", mode(client.PersistentSequential)),
		creates("Create an ephemeral sequential", unknown, "/n/s-", mode(client.EphemeralSequential)),
		creates("Create a container", unknown, "/new", mode(client.Container)),
		creates("Create with a time to live", unknown, "/new", mode(client.PersistentTTL), ttl),
		creates("Create a sequential with a time to live", unknown, "/n/s-", mode(client.PersistentSequentialTTL), ttl),
		creates("Create with protection", found, named+"-", mode(client.EphemeralSequential), mine),
		creates("Create a persistent with protection", found, named+"-", mode(client.PersistentSequential), mine),
		creates("Create a fixed name with protection", found, named, mode(client.Ephemeral), mine),
		creates("Create a container with protection", found, named, mode(client.Container), mine),
		creates("Create with protection and a time to live", found, named+"-", mode(client.PersistentSequentialTTL), ttl, mine),
		idempotently(creates("Create", unknown, "/new")),
		idempotently(creates("Create an ephemeral", unknown, "/new", mode(client.Ephemeral))),
		idempotently(creates("Create a container", unknown, "/new", mode(client.Container))),
		idempotently(creates("Create with a time to live", unknown, "/new", mode(client.PersistentTTL), ttl)),
		write("Create parents", repeats, zktest.On("/p", zktest.OpCreate2), exists("/p/q/new"), func(ctx context.Context, o ops) error {
			return err2(o.Create(ctx, "/p/q/new", nil, client.WithParents()))
		}).inSteps(),
		write("Set a version", resolved, set, changed, setTo(0)),
		write("Set any version", unknown, set, changed, setTo(client.AnyVersion)),
		idempotently(write("Set a version", resolved, set, changed, setTo(0))),
		idempotently(write("Set any version", unknown, set, changed, setTo(client.AnyVersion))),
		write("Delete a version", resolved, del, gone("/n"), deleteAt(0)),
		write("Delete any version", unknown, del, gone("/n"), deleteAt(client.AnyVersion)),
		idempotently(write("Delete a version", resolved, del, gone("/n"), deleteAt(0))),
		idempotently(write("Delete any version", unknown, del, gone("/n"), deleteAt(client.AnyVersion))),
		write("DeleteAll", repeats, zktest.On("/tree/a", zktest.OpDelete), gone("/tree"), func(ctx context.Context, o ops) error {
			return o.DeleteAll(ctx, "/tree")
		}).inSteps(),
		write("SetACL", unknown, zktest.On("/n", zktest.OpSetACL),
			func(s *zktest.Server) bool { n, _ := s.Node("/n"); return n.Stat.Aversion > 0 },
			func(ctx context.Context, o ops) error {
				return err2(o.SetACL(ctx, "/n", []client.ACL{client.WorldACL(client.PermAll)}, client.AnyVersion))
			}),
	}
}

func transactions() []operation {
	multi := zktest.On("/new", zktest.OpMulti)
	txn := func(o ops) *client.Txn { return o.Txn().Check("/n", 0).Create("/new", nil).Set("/n", []byte("new"), 0) }
	return []operation{
		write("Txn", unknown, multi, exists("/new"), func(ctx context.Context, o ops) error { return err2(txn(o).Commit(ctx)) }),
		write("Txn with a marker", found, multi, exists("/new"), func(ctx context.Context, o ops) error {
			return err2(txn(o).WithMarker("/tree").Commit(ctx))
		}),
	}
}

func batches() []operation {
	var (
		set   = zktest.On("/n", zktest.OpSetData)
		del   = zktest.On("/n", zktest.OpDelete)
		setTo = func(version int32) func(context.Context, ops) error {
			return func(ctx context.Context, o ops) error {
				return err2(o.Batch().Get("/tree").Set("/n", []byte("new"), version).Get("/tree").Do(ctx))
			}
		}
		deleteAt = func(version int32) func(context.Context, ops) error {
			return func(ctx context.Context, o ops) error {
				return err2(o.Batch().Get("/tree").Delete("/n", version).Exists("/n").Do(ctx))
			}
		}
		create = func(path string, opts ...client.CreateOption) func(context.Context, ops) error {
			return func(ctx context.Context, o ops) error {
				results, err := o.Batch().Get("/n").Create(path, []byte("x"), opts...).Do(ctx)
				if results == nil {
					return err
				}
				return results[1].Err // the read beside it may fail for itself
			}
		}
		named = "/n/" + unique + "-"
	)
	return []operation{
		read("Batch of reads", zktest.On("/n", zktest.OpExists), func(ctx context.Context, o ops) error {
			return err2(o.Batch().Sync("/").Get("/n").Exists("/n").Children("/tree").GetACL("/n").Do(ctx))
		}),
		write("Batch with a set of a version", resolved, set, changed, setTo(0)),
		write("Batch with a set of any version", unknown, set, changed, setTo(client.AnyVersion)),
		idempotently(write("Batch with a set", resolved, set, changed, setTo(0))),
		write("Batch with a delete", resolved, del, gone("/n"), deleteAt(0)),
		idempotently(write("Batch with a delete of any version", unknown, del, gone("/n"), deleteAt(client.AnyVersion))),
		write("Batch with a protected create", found, zktest.On(named, zktest.OpCreate2),
			func(s *zktest.Server) bool { return below(s, "/n", unique) > 0 },
			create(named, client.WithMode(client.EphemeralSequential), client.WithProtection(unique))),
		idempotently(write("Batch with a create", unknown, zktest.On("/new", zktest.OpCreate2), exists("/new"), create("/new"))),
	}
}

// onlyOnSession are the operations that only a session has.
func onlyOnSession() []operation {
	list := func(ctx context.Context, s *client.Session) error {
		return err3(s.CreateAndList(ctx, "/n/"+unique+"-", nil, client.WithMode(client.EphemeralSequential), client.WithProtection(unique)))
	}
	made := func(s *zktest.Server) bool { return below(s, "/n", unique) > 0 }
	return []operation{
		{name: "Confirm", on: zktest.On("/n", zktest.OpMulti), onSession: func(ctx context.Context, s *client.Session) error { return s.Confirm(ctx, "/n") }},
		{name: "CreateAndList", fate: found, on: zktest.On("/n/"+unique+"-", zktest.OpCreate2), onSession: list, done: made},
		{name: "CreateAndList, listing", fate: found, on: zktest.On("/n", zktest.OpGetChildren2), onSession: list, done: made, steps: true},
	}
}
