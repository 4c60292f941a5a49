package client_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

// loss is how an operation's connection, and perhaps its session, is lost.
type loss struct {
	executed bool // the reply is lost, not the request
	session  bool // and the session with it
	bound    bool // the operation is bound to the session
}

func (l loss) String() string {
	return fmt.Sprintf("%s/%s/%s",
		map[bool]string{true: "reply swallowed", false: "request dropped"}[l.executed],
		map[bool]string{true: "session lost", false: "same session"}[l.session],
		map[bool]string{true: "session's operation", false: "client's operation"}[l.bound])
}

// inflict makes the loss happen to the next request that matches.
func (l loss) inflict(srv *zktest.Server, on zktest.Match) *zktest.Fault {
	if l.session {
		srv.OnRequest(func(r zktest.Request) {
			if r.Op == zktest.OpConnect && r.Session != 0 {
				srv.ExpireSession(r.Session)
			}
		})
	}
	if l.executed {
		return srv.SwallowReply(on)
	}
	return srv.DropRequest(on)
}

func losses() []loss {
	var out []loss
	for i := range 8 {
		out = append(out, loss{executed: i&1 != 0, session: i&2 != 0, bound: i&4 != 0})
	}
	return out
}

// tree is what a test compares of a server's nodes.
type tree map[string]string

func treeOf(srv *zktest.Server) tree {
	out := tree{}
	for path, n := range srv.Dump() {
		if !strings.Contains(path, "/txn-") { // a marker, which goes in the background
			out[path] = fmt.Sprintf("%q version %d/%d ephemeral %v", n.Data, n.Stat.Version, n.Stat.Aversion, n.Stat.EphemeralOwner != 0)
		}
	}
	return out
}

// withoutEphemerals is the tree when the session is over.
func (t tree) withoutEphemerals() tree {
	t = maps.Clone(t)
	maps.DeleteFunc(t, func(_, node string) bool { return strings.HasSuffix(node, "ephemeral true") })
	return t
}

// trees are those before and after an operation to which nothing happens.
func trees(t *testing.T, op *operation) (before, after tree) {
	t.Helper()
	srv := newTree(t)
	before = treeOf(srv)
	cl := primed(t, srv)
	require.NoError(t, op.call(t.Context(), cl.Ops, session(t, cl)))
	return before, treeOf(srv)
}

func (op *operation) call(ctx context.Context, o client.Ops, s *client.Session) error {
	if op.onSession != nil {
		return op.onSession(ctx, s)
	}
	return op.do(ctx, o)
}

// TestReplyLoss: every operation times every loss. What is returned is true, and so is
// the state of the tree; what is safe is repeated, and nothing else is. (K14, K16: a
// lost reply is never taken for an answer of the next attempt.)
func TestReplyLoss(t *testing.T) {
	for _, op := range slices.Concat(operations(), onlyOnSession()) {
		before, after := trees(t, &op)
		for _, l := range losses() {
			if op.onSession != nil && !l.bound {
				continue
			}
			t.Run(op.name+"/"+l.String(), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					srv := newTree(t, inMemory)
					cl := primed(t, srv)
					first := session(t, cl)
					target := cl.Ops
					if l.bound {
						target = first.Ops
					}
					fault := l.inflict(srv, op.on)
					err := op.call(t.Context(), target, first)
					wait(t, fault.Fired(), "the request came")
					if l.session {
						wait(t, first.Context().Done(), "the session is over")
					}
					judge(t, &op, l, srv, err, before, after)
				})
			})
		}
	}
}

func judge(t *testing.T, op *operation, l loss, srv *zktest.Server, err error, before, after tree) {
	t.Helper()
	always := op.fate == repeats || op.fate == settled
	if always && !(l.session && l.bound) || op.fate == found && !l.session || op.fate == resolved && !l.session && !l.executed {
		require.NoError(t, err)
		require.Equal(t, after, treeOf(srv), "what has succeeded is done, once")
	} else {
		require.Equal(t, client.Unknown, client.Outcome(err), "%v", err)
		require.ErrorContains(t, err, "outcome unknown")
		_, ok := errors.AsType[*client.OpError](err)
		require.True(t, ok)
		if op.name != "Confirm" { // of which only the last counts
			require.ErrorIs(t, err, client.ErrConnectionLost)
		}
		if l.session && op.fate != unknown { // which fails at once
			require.ErrorIs(t, err, client.ErrSessionLost)
		}
		for _, answer := range []error{client.ErrNoNode, client.ErrBadVersion, client.ErrNodeExists} {
			require.NotErrorIs(t, err, answer, "nobody has answered")
		}
		want := before
		if l.executed {
			want = after
		}
		if l.session {
			want = want.withoutEphemerals()
		}
		if !op.steps {
			require.Equal(t, want, treeOf(srv), "executed once or never, and not repeated")
		}
	}
	times := 1
	switch {
	case op.fate == repeats, op.steps:
		return
	case l.executed && !(l.session && !l.bound && op.fate == settled && len(after) > len(after.withoutEphemerals())):
	case op.fate == settled && !(l.session && l.bound), !l.session && op.fate != unknown:
		times = 2
	}
	require.Len(t, srv.Requests(op.on), times, "%v", srv.Requests(op.on))
}
