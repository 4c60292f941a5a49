package election_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/election"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

// field is a leader, a, and candidates b, c, ... behind it, each with a client of its own.
type field struct {
	srv     *zktest.Server
	term    *election.Term
	next    map[string]<-chan outcome
	clients map[string]*client.Client
	opts    []election.Option
}

func newField(ctx context.Context, t testing.TB, ids string, opts ...election.Option) *field {
	t.Helper()
	f := &field{srv: zktest.Start(t, zktest.WithInMemoryNetwork()), next: make(map[string]<-chan outcome), clients: make(map[string]*client.Client), opts: opts}
	for i, r := range ids {
		id := string(r)
		f.clients[id] = connect(t, f.srv)
		e := election.New(f.clients[id], dir, id, opts...)
		if i == 0 {
			f.term = campaign(t, e)
			continue
		}
		f.next[id] = standing(ctx, t, f.srv, e)
	}
	return f
}

// order waits until so many stand, and returns their ids in order.
func (f *field) order(t testing.TB, n int) string {
	t.Helper()
	var order strings.Builder
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		all, err := election.New(f.clients["b"], dir, "", f.opts...).Candidates(t.Context())
		if !assert.NoError(c, err) {
			return
		}
		order.Reset()
		for _, candidate := range all {
			order.WriteString(candidate.ID)
		}
		assert.Len(c, order.String(), n)
	}, patience, 1e6)
	return order.String()
}

func TestHandOver(t *testing.T) {
	t.Parallel()
	for _, layout := range []recipes.Layout{recipes.Curator, recipes.Kazoo} {
		t.Run(layout.String(), func(t *testing.T) {
			t.Parallel()
			f := newField(t.Context(), t, "abcdef", election.WithLayout(layout))
			f.srv.ResetRequests()
			var cause error
			f.srv.OnRequest(func(r zktest.Request) {
				if r.Op == zktest.OpMulti && len(r.Multi) > 2 {
					cause = context.Cause(f.term.Context())
				}
			})
			require.NoError(t, f.term.HandOver(t.Context(), "d"))
			f.srv.OnRequest(nil)
			require.Equal(t, election.ErrHandedOver, cause, "over before it is sent")
			require.Equal(t, election.ErrHandedOver, f.term.Err())
			require.ErrorIs(t, f.term.Err(), election.ErrResigned)
			d := elected(t, f.next["d"])
			require.Greater(t, d.Token(), f.term.Token())

			order := f.order(t, 5)
			require.Equal(t, "def", order[:3], "those behind keep their places")
			require.Contains(t, []string{"bc", "cb"}, order[3:], "those before join again")
			for _, id := range []string{"b", "c", "e", "f"} {
				require.Empty(t, f.next[id], id)
			}
			multis := 0
			for _, r := range f.srv.Requests(zktest.Match{Ops: []zktest.Op{zktest.OpMulti}}) {
				if len(r.Multi) > 1 {
					multis++
					var ops []string
					for _, op := range r.Multi {
						ops = append(ops, op.Op.String())
					}
					require.Equal(t, "check check delete delete delete", strings.Join(ops, " "))
				}
			}
			require.Equal(t, 1, multis)

			f.srv.ResetRequests()
			require.NoError(t, f.term.Resign(t.Context()), "there is nothing left to do")
			require.ErrorIs(t, f.term.HandOver(t.Context(), "e"), election.ErrHandedOver)
			require.Empty(t, f.srv.Requests())
			require.NoError(t, d.Resign(t.Context()))
			for _, r := range order[1:] {
				require.NoError(t, elected(t, f.next[string(r)]).Resign(t.Context()))
			}
			requireGone(t, f.srv)
		})
	}
}

func TestHandOverToTheNext(t *testing.T) {
	t.Parallel()
	f := newField(t.Context(), t, "ab")
	require.NoError(t, f.term.HandOver(f.term.Context(), "b"), "by the term's own context, which the call ends")
	require.NoError(t, elected(t, f.next["b"]).Resign(t.Context()))
	requireGone(t, f.srv)
}

// grantEvents is a hook that passes on what it is told of grants.
type grantEvents chan client.GrantEvent

// OnGrant implements client.HookGrant.
func (g grantEvents) OnGrant(e client.GrantEvent) { g <- e }

// What was handed over is given up, and nothing that was lost.
func TestHandOverIsToldAsARelease(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	events := make(grantEvents, 10)
	term := campaign(t, election.New(connect(t, srv, client.WithHooks(events)), dir, "a"))
	require.Equal(t, client.GrantHeld, wait(t, "its beginning", events).Kind)
	next := standing(t.Context(), t, srv, election.New(connect(t, srv), dir, "b"))
	require.NoError(t, term.HandOver(t.Context(), "b"))
	e := wait(t, "its end", events)
	require.Equal(t, client.GrantReleased, e.Kind, "%v", e.Err)
	require.NoError(t, elected(t, next).Resign(t.Context()))
	requireGone(t, srv)
	require.Empty(t, events)
}

// Where there is nobody of that name, or it cannot be found out, nothing has happened.
func TestHandOverToNobody(t *testing.T) {
	t.Parallel()
	f := newField(t.Context(), t, "abc")
	for _, id := range []string{"x", "a", ""} {
		err := f.term.HandOver(t.Context(), id)
		require.ErrorIs(t, err, election.ErrNoCandidate, "%q", id)
		require.ErrorContains(t, err, dir)
	}
	f.srv.FailNext(zktest.On(dir, zktest.OpGetChildren2), zktest.NoAuth)
	require.ErrorIs(t, f.term.HandOver(t.Context(), "c"), client.ErrNoAuth)
	require.NoError(t, f.term.Err())
	require.Len(t, nodes(f.srv, dir), 3)
	require.NoError(t, f.term.HandOver(t.Context(), "c"))
	c := elected(t, f.next["c"])
	require.Equal(t, "cb", f.order(t, 2))
	require.NoError(t, c.Resign(t.Context()))
	require.NoError(t, elected(t, f.next["b"]).Resign(t.Context()))
}

// What happens between the look and the transaction.
func TestHandOverWhileTheLineChanges(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		happens func(t *testing.T, f *field, nodes []string)
		want    []error // nil: the candidate leads
	}{
		"one in between leaves": {func(t *testing.T, f *field, nodes []string) {
			require.NoError(t, f.srv.Delete(dir+"/"+nodes[1]))
		}, nil},
		"the candidate leaves": {func(t *testing.T, f *field, _ []string) {
			require.NoError(t, f.clients["d"].Close())
		}, []error{election.ErrNoCandidate}},
		"somebody deletes the leader": {func(t *testing.T, f *field, nodes []string) {
			require.NoError(t, f.srv.Delete(dir+"/"+nodes[0]))
		}, []error{election.ErrLost, client.ErrHoldDeleted}},
		"the session is lost": {func(t *testing.T, f *field, _ []string) {
			require.True(t, f.srv.ExpireSession(sessionOf(t, f.clients["a"])))
		}, []error{client.ErrSessionLost, client.ErrConnectionLost}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newField(t.Context(), t, "abcde")
			all, err := election.New(f.clients["b"], dir, "").Candidates(t.Context())
			require.NoError(t, err)
			var names []string
			for _, candidate := range all {
				names = append(names, base(candidate.Path))
			}
			once := false
			f.srv.OnRequest(func(r zktest.Request) {
				if !once && r.Op == zktest.OpMulti && len(r.Multi) > 2 {
					once = true
					c.happens(t, f, names)
				}
			})
			err = f.term.HandOver(t.Context(), "d")
			f.srv.OnRequest(nil)
			require.Equal(t, election.ErrHandedOver, f.term.Err())
			if c.want == nil {
				require.NoError(t, err)
				require.NoError(t, elected(t, f.next["d"]).Err())
				return
			}
			for _, want := range c.want {
				require.ErrorIs(t, err, want)
			}
			require.ErrorContains(t, err, "resigned instead")
			require.NoError(t, elected(t, f.next["b"]).Err(), "the next in line")
		})
	}
}

// A hand-over whose context ends is a resignation.
func TestHandOverCancelled(t *testing.T) {
	t.Parallel()
	f := newField(t.Context(), t, "abc")
	ctx, cancel := context.WithCancel(t.Context())
	dropped := f.srv.DropRequest(zktest.Match{Ops: []zktest.Op{zktest.OpMulti}, Where: func(r zktest.Request) bool { return len(r.Multi) > 2 }})
	f.srv.Refuse()
	done := make(chan error, 1)
	go func() { done <- f.term.HandOver(ctx, "c") }()
	wait(t, "the transaction", dropped.Fired())
	cancel()
	err := wait(t, "the end of the call", done)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "resigned instead")
	f.srv.Accept()
	b := elected(t, f.next["b"])
	require.NoError(t, b.Resign(t.Context()))
	require.NoError(t, elected(t, f.next["c"]).Resign(t.Context()))
	requireGone(t, f.srv)
}

// The answer is lost, and the candidate has led and gone before anybody could look.
func TestHandOverOfUnknownOutcome(t *testing.T) {
	t.Parallel()
	f := newField(t.Context(), t, "abc")
	f.srv.SwallowReply(zktest.Match{Ops: []zktest.Op{zktest.OpMulti}, Where: func(r zktest.Request) bool { return len(r.Multi) > 2 }})
	session := sessionOf(t, f.clients["a"])
	multis := 0
	f.srv.OnRequest(func(r zktest.Request) {
		if r.Session != session {
			return
		}
		if r.Op == zktest.OpMulti && len(r.Multi) > 2 {
			multis++
			return
		}
		if multis > 0 && r.Op == zktest.OpGetChildren2 && multis < 10 {
			multis = 10
			c := elected(t, f.next["c"])
			if err := c.Resign(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	err := f.term.HandOver(t.Context(), "c")
	f.srv.OnRequest(nil)
	require.Error(t, err)
	require.ErrorIs(t, err, client.ErrConnectionLost)
	require.ErrorContains(t, err, "the answer was lost")
	require.NoError(t, elected(t, f.next["b"]).Resign(t.Context()))
}

// Of several orders at once one is carried out, and the others are told; and a resignation waits
// for it.
func TestHandOversAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for range 20 {
			ctx, cancel := context.WithCancel(t.Context())
			f := newField(ctx, t, "abc")
			results := make(chan error, 4)
			for i := range 4 {
				go func() {
					if i == 3 {
						results <- f.term.Resign(ctx)
						return
					}
					results <- f.term.HandOver(ctx, []string{"b", "c", "c"}[i])
				}()
			}
			good := 0
			for range 4 {
				if err := wait(t, "the end of a call", results); err == nil {
					good++
				} else {
					require.ErrorIs(t, err, election.ErrResigned)
				}
			}
			require.LessOrEqual(t, good, 2)
			require.GreaterOrEqual(t, good, 1)
			var first outcome
			select {
			case first = <-f.next["b"]:
			case first = <-f.next["c"]:
			}
			require.NoError(t, first.err)
			require.NoError(t, first.term.Err())
			cancel()
			for _, cl := range f.clients {
				require.NoError(t, cl.Close())
			}
		}
	})
}

func TestHandOverInADeepLine(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	term := campaign(t, election.New(connect(t, srv), dir, "a"))
	others := connect(t, srv)
	ctx, cancel := context.WithCancel(t.Context())
	outs := make(map[string]<-chan outcome)
	for i := range 60 {
		id := fmt.Sprintf("w-%d", i)
		outs[id] = standing(ctx, t, srv, election.New(others, dir, id))
	}
	require.NoError(t, term.HandOver(ctx, "w-59"))
	last := elected(t, outs["w-59"])
	require.EventuallyWithT(t, func(c *assert.CollectT) { assert.Len(c, nodes(srv, dir), 60) }, patience, 1e6)
	cancel()
	for id, out := range outs {
		if id != "w-59" {
			require.ErrorIs(t, wait(t, "the end of a wait", out).err, context.Canceled)
		}
	}
	require.NoError(t, last.Resign(t.Context()))
	requireGone(t, srv)
}

// A session is not left to another process with a hand-over half done.
func TestHandOverKeepsDetachWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newField(t.Context(), t, "ab")
		dropped := f.srv.DropRequest(zktest.Match{Ops: []zktest.Op{zktest.OpMulti}, Where: func(r zktest.Request) bool { return len(r.Multi) > 2 }})
		f.srv.Refuse()
		over, left := make(chan error, 1), make(chan error, 1)
		go func() { over <- f.term.HandOver(t.Context(), "b") }()
		<-dropped.Fired()
		go func() {
			_, err := f.clients["a"].Detach(t.Context())
			left <- err
		}()
		synctest.Wait()
		require.Empty(t, left)
		f.srv.Accept()
		require.NoError(t, <-over)
		require.NoError(t, <-left)
		require.NoError(t, elected(t, f.next["b"]).Resign(t.Context()))
	})
}
