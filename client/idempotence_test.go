package client_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

// meddle has something happen on the server when the client looks what became of its
// request: before the commit behind which it reads.
func meddle(srv *zktest.Server, what func()) {
	done := false
	srv.OnRequest(func(r zktest.Request) {
		if r.Op == zktest.OpMulti && !done {
			done = true
			what()
		}
	})
}

// What others do between a request whose reply is lost and the look-up: success and
// definite answers are returned only where they are certain or as good.
func TestIdempotentAmongOthers(t *testing.T) {
	t.Parallel()
	create := func(ctx context.Context, o ops) error { return err2(o.Create(ctx, "/x", []byte("new"))) }
	ephemeral := func(ctx context.Context, o ops) error {
		return err2(o.Create(ctx, "/x", []byte("new"), client.WithMode(client.Ephemeral)))
	}
	set := func(version int32) func(context.Context, ops) error {
		return func(ctx context.Context, o ops) error { return err2(o.Set(ctx, "/n", []byte("new"), version)) }
	}
	del := func(version int32) func(context.Context, ops) error {
		return func(ctx context.Context, o ops) error { return o.Delete(ctx, "/n", version) }
	}
	type server = zktest.Server
	for name, tc := range map[string]struct {
		first     func(s *server) error // before the client has seen the tree
		run       func(context.Context, ops) error
		executed  bool
		meanwhile func(s *server) error
		outcome   client.OutcomeKind
		want      error // nil: success
		data      string
	}{
		"create: it was there": {
			first: func(s *server) error { return s.Create("/x", []byte("new")) },
			run:   create, want: client.ErrNodeExists, outcome: client.Definite, data: "new",
		},
		"create: somebody else made the same": {
			run: create, meanwhile: func(s *server) error { return s.Create("/x", []byte("new")) }, data: "new",
		},
		"create: somebody else made another": {
			run: create, meanwhile: func(s *server) error { return s.Create("/x", []byte("other")) },
			want: client.ErrNodeExists, outcome: client.Unknown, data: "other",
		},
		"create: made and changed": {
			run: create, executed: true, meanwhile: func(s *server) error { return s.Set("/x", []byte("other")) },
			want: client.ErrNodeExists, outcome: client.Unknown, data: "other",
		},
		"create: made and set to the same": {
			run: create, executed: true, meanwhile: func(s *server) error { return s.Set("/x", []byte("new")) },
			want: client.ErrNodeExists, outcome: client.Unknown, data: "new",
		},
		"create: made and deleted": {
			run: create, executed: true, meanwhile: func(s *server) error { return s.Delete("/x") }, data: "new",
		},
		"create: ephemeral, and somebody else made the same for good": {
			run: ephemeral, meanwhile: func(s *server) error { return s.Create("/x", []byte("new")) },
			want: client.ErrNodeExists, outcome: client.Unknown, data: "new",
		},
		"set: it had another version": {
			first: func(s *server) error { return s.Set("/n", []byte("other")) },
			run:   set(0), want: client.ErrBadVersion, outcome: client.Definite, data: "other",
		},
		"set: it had the next version, with the same data": {
			first: func(s *server) error { return s.Set("/n", []byte("new")) },
			run:   set(0), want: client.ErrBadVersion, outcome: client.Definite, data: "new",
		},
		"set: somebody else set the same": {
			run: set(0), meanwhile: func(s *server) error { return s.Set("/n", []byte("new")) }, data: "new",
		},
		"set: somebody else set another": {
			run: set(0), meanwhile: func(s *server) error { return s.Set("/n", []byte("other")) }, outcome: client.Unknown,
			want: client.ErrConnectionLost, data: "other",
		},
		"set: set and changed": {
			run: set(0), executed: true, meanwhile: func(s *server) error { return s.Set("/n", []byte("other")) }, outcome: client.Unknown,
			want: client.ErrConnectionLost, data: "other",
		},
		"set: set and deleted": {
			run: set(0), executed: true, meanwhile: func(s *server) error { return s.Delete("/n") }, outcome: client.Unknown,
			want: client.ErrNoNode,
		},
		"set: made anew": {
			run: set(0), meanwhile: func(s *server) error { _ = s.Delete("/n"); return s.Create("/n", []byte("new")) },
			outcome: client.Unknown, want: client.ErrConnectionLost, data: "new",
		},
		"set any: somebody else set another": {
			run: set(client.AnyVersion), executed: true, meanwhile: func(s *server) error { return s.Set("/n", []byte("other")) }, data: "new",
		},
		"set any: it was the same": {
			first: func(s *server) error { return s.Set("/n", []byte("new")) },
			run:   set(client.AnyVersion), data: "new",
		},
		"set any: set and deleted": {
			run: set(client.AnyVersion), executed: true, meanwhile: func(s *server) error { return s.Delete("/n") },
			want: client.ErrNoNode, outcome: client.Definite,
		},
		"delete: made anew": {
			run: del(0), executed: true, meanwhile: func(s *server) error { return s.Create("/n", []byte("another")) },
			want: client.ErrConnectionLost, outcome: client.Unknown, data: "another",
		},
		"delete: changed": {
			run: del(0), meanwhile: func(s *server) error { return s.Set("/n", []byte("other")) },
			want: client.ErrBadVersion, outcome: client.Definite, data: "other",
		},
		"delete: somebody else did": {run: del(0), meanwhile: func(s *server) error { return s.Delete("/n") }},
		"delete any: made anew": {
			run: del(client.AnyVersion), executed: true, meanwhile: func(s *server) error { return s.Create("/n", nil) },
		},
		"delete: never there": {
			first: func(s *server) error { return s.Delete("/n") }, run: del(0),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := newTree(t)
			if tc.first != nil {
				require.NoError(t, tc.first(srv))
			}
			cl := connect(t, srv)
			require.NoError(t, cl.Sync(t.Context(), "/"))
			loss{executed: tc.executed}.inflict(srv, zktest.On("", append(zktest.Creates(), zktest.OpSetData, zktest.OpDelete)...))
			if tc.meanwhile != nil {
				meddle(srv, func() { require.NoError(t, tc.meanwhile(srv)) })
			}
			err := tc.run(t.Context(), cl.Idempotent())
			if tc.want == nil {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, tc.want)
				require.Equal(t, tc.outcome, client.Outcome(err), "%v", err)
			}
			path := "/n"
			if strings.HasPrefix(name, "create") {
				path = "/x"
			}
			n, ok := srv.Node(path)
			require.Equal(t, tc.data != "", ok)
			require.Equal(t, tc.data, string(n.Data))
		})
	}
}

// What a create or set found out has the node's stat, as if it had been answered.
func TestIdempotentResults(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := newTree(t, inMemory)
		cl := connectTo(t, srv.Addr()+"/tree", client.WithDialer(srv.Dial))
		for _, mode := range []client.Mode{client.Persistent, client.Ephemeral, client.Container} {
			lost := srv.SwallowReply(zktest.On("/tree/x", zktest.Creates()...))
			made, err := cl.Idempotent().Create(t.Context(), "/x", []byte("1"), client.WithMode(mode))
			require.NoError(t, err)
			wait(t, lost.Fired(), "the reply was lost")
			require.Equal(t, "/x", made.Path)
			lost = srv.SwallowReply(zktest.On("/tree/x", zktest.OpSetData))
			stat, err := cl.Idempotent().Set(t.Context(), "/x", []byte("2"), 0)
			require.NoError(t, err)
			wait(t, lost.Fired(), "the reply was lost")
			_, now, err := cl.Get(t.Context(), "/x")
			require.NoError(t, err)
			require.Equal(t, now, stat)
			require.Equal(t, now.Czxid, made.Stat.Czxid)
			require.NoError(t, cl.Idempotent().Delete(t.Context(), "/x", 1))
			require.NoError(t, cl.Idempotent().Delete(t.Context(), "/x", 1), "it is gone")
		}
	})
}

// The first request of a session has seen nothing before: what is as it is wanted is
// success then, and what is not is not taken for this call's.
func TestIdempotentFirstRequest(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]client.OutcomeKind{"new": client.Definite, "other": client.Unknown} {
		srv := newTree(t)
		require.NoError(t, srv.Create("/x", []byte(data)))
		cl := connect(t, srv)
		srv.SwallowReply(zktest.On("/x", zktest.OpCreate2))
		_, err := cl.Idempotent().Create(t.Context(), "/x", []byte("new"))
		require.Equal(t, want, client.Outcome(err))
		require.Equal(t, want == client.Definite, err == nil, "%v", err)
	}
}

// The ephemeral node of a session that is over for the client, but not yet for the
// servers, is waited for.
func TestIdempotentWaitsForDyingNode(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(srv *zktest.Server, old int64){
		"it goes":            func(srv *zktest.Server, old int64) { srv.ExpireSession(old) },
		"it changes, first":  func(srv *zktest.Server, old int64) { _ = srv.Set("/x", nil); srv.ExpireSession(old) },
		"the watch is lost":  func(srv *zktest.Server, old int64) { srv.DropConnections(); srv.ExpireSession(old) },
		"it is deleted":      func(srv *zktest.Server, _ int64) { _ = srv.Delete("/x") },
		"the caller does":    nil,
		"the policy is over": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := newTree(t)
			cl := primed(t, srv)
			first := session(t, cl)
			lost := srv.SwallowReply(zktest.On("/x", zktest.OpCreate2))
			srv.FailNext(zktest.Match{Ops: []zktest.Op{zktest.OpConnect}, Session: first.ID()}, zktest.SystemError) // but it lives
			watched := srv.HoldReply(zktest.On("/x", zktest.OpExists))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			target := cl.Idempotent()
			if name == "the policy is over" {
				target = target.WithRetry(client.RetryFor(500 * time.Millisecond))
			}
			type result struct {
				made client.Created
				err  error
			}
			done := make(chan result, 1)
			go func() {
				made, err := target.Create(ctx, "/x", nil, client.WithMode(client.Ephemeral))
				done <- result{made, err}
			}()
			wait(t, lost.Fired(), "the reply was lost")
			if name != "the policy is over" { // which may be sooner
				wait(t, watched.Fired(), "it is watched")
			}
			switch {
			case end != nil:
				end(srv, first.ID())
			case name == "the caller does":
				cancel()
			}
			watched.Release()
			got, _ := receive(t, done)
			if end != nil {
				require.NoError(t, got.err)
				require.Equal(t, session(t, cl).ID(), got.made.Stat.EphemeralOwner)
				require.EqualValues(t, 2, session(t, cl).Epoch())
			} else {
				require.Equal(t, client.Unknown, client.Outcome(got.err), "%v", got.err)
			}
		})
	}
}

// Sequential nodes have no name to look for.
func TestIdempotentSequential(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	srv.ResetRequests()
	_, err := cl.Idempotent().Create(t.Context(), "/n/s-", nil, client.WithMode(client.EphemeralSequential))
	require.ErrorIs(t, err, client.ErrBadArgument)
	require.Equal(t, client.NotSent, client.Outcome(err))
	require.Empty(t, srv.Requests())
	made, err := cl.Idempotent().Create(t.Context(), "/n/"+unique+"-", nil, client.WithMode(client.EphemeralSequential), client.WithProtection(unique))
	require.NoError(t, err)
	require.Equal(t, "/n/"+unique+"-0000000000", made.Path)
}
