package client_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

func TestOutcomeOf(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want client.OutcomeKind
	}{
		{nil, client.Definite},
		{errors.New("foreign"), client.Unknown},
		{context.Canceled, client.Unknown},
		{&client.OpError{Outcome: client.NotSent, Err: client.ErrClosed}, client.NotSent},
		{&client.OpError{Outcome: client.Unknown, Err: client.ErrConnectionLost}, client.Unknown},
		{fmt.Errorf("wrapped: %w", &client.OpError{Outcome: client.Definite, Err: client.ErrNoNode}), client.Definite},
	} {
		require.Equal(t, tc.want, client.Outcome(tc.err), "%v", tc.err)
	}
	require.Equal(t, []string{"unknown", "not sent", "definite"},
		[]string{client.Unknown.String(), client.NotSent.String(), client.Definite.String()})
}

// What is answered is definite, and the error names operation and node.
func TestOutcomeDefinite(t *testing.T) {
	srv := zktest.Start(t)
	cl := connect(t, srv)
	_, _, err := cl.Get(t.Context(), "/none")
	require.ErrorIs(t, err, client.ErrNoNode)
	require.Equal(t, client.Definite, client.Outcome(err))
	require.EqualError(t, err, "getData /none: node does not exist")
	op, ok := errors.AsType[*client.OpError](err)
	require.True(t, ok)
	require.Equal(t, client.OpError{Op: "getData", Path: "/none", Outcome: client.Definite, Err: client.ErrNoNode}, *op)

	for code, want := range map[zktest.Code]error{
		zktest.NoAuth: client.ErrNoAuth, zktest.NotEmpty: client.ErrNotEmpty, zktest.NotReadOnly: client.ErrReadOnly,
		zktest.Unimplemented: client.ErrUnimplemented, zktest.QuotaExceeded: client.ErrQuotaExceeded,
		zktest.InvalidACL: client.ErrInvalidACL, zktest.BadVersion: client.ErrBadVersion,
		zktest.NodeExists: client.ErrNodeExists, zktest.NoChildrenForEphemerals: client.ErrNoChildrenForEphemerals,
		zktest.BadArguments: client.ErrBadArgument, zktest.SystemError: client.ServerError(-1), -4711: client.ServerError(-4711),
	} {
		srv.FailNext(zktest.On("/x", zktest.OpDelete), code)
		err := cl.Delete(t.Context(), "/x", 0)
		require.ErrorIs(t, err, want)
		require.Equal(t, client.Definite, client.Outcome(err))
	}
	require.EqualError(t, client.ServerError(-4711), "server error code -4711")
}

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

// Every operation times every loss: what is returned is true, what is safe is
// repeated, and nothing else is. (K14, K16: a lost reply is never taken for an
// answer of the next attempt.)
func TestOutcomes(t *testing.T) {
	for _, op := range operations() {
		for _, l := range losses() {
			t.Run(op.name+"/"+l.String(), func(t *testing.T) {
				t.Parallel()
				srv := newTree(t)
				cl := primed(t, srv)
				first := session(t, cl)
				target := cl.Ops
				if l.bound {
					target = first.Ops
				}
				fault := l.inflict(srv, op.on)
				err := op.do(t.Context(), target)
				wait(t, fault.Fired(), "the request came")
				judge(t, &op, l, srv, err)
			})
		}
	}
}

func judge(t *testing.T, op *operation, l loss, srv *zktest.Server, err error) {
	t.Helper()
	succeeds := op.fate == repeats && !(l.session && l.bound) || op.fate == found && !l.session || op.fate == resolved && !l.session && !l.executed
	if succeeds {
		require.NoError(t, err)
		require.True(t, op.done == nil || op.done(srv), "what has succeeded is done")
		if op.fate == found {
			require.Equal(t, 1, below(srv, "/n", unique), "one node")
		}
		return
	}
	require.Equal(t, client.Unknown, client.Outcome(err), "%v", err)
	require.ErrorContains(t, err, "outcome unknown")
	_, ok := errors.AsType[*client.OpError](err)
	require.True(t, ok)
	require.ErrorIs(t, err, client.ErrConnectionLost)
	if l.session && op.fate != unknown { // which fails at once
		require.ErrorIs(t, err, client.ErrSessionLost)
	}
	for _, answer := range []error{client.ErrNoNode, client.ErrBadVersion, client.ErrNodeExists} {
		require.NotErrorIs(t, err, answer, "nobody has answered")
	}
	switch {
	case op.fate == found: // ephemeral: gone with its session
		require.Zero(t, below(srv, "/n", unique))
	case op.fate != repeats:
		require.Equal(t, l.executed, op.done(srv), "executed once or never, and not repeated")
	}
	times := 1
	if op.fate == resolved && !l.session && !l.executed {
		times = 2
	}
	if op.fate != repeats {
		require.Len(t, srv.Requests(op.on), times)
	}
}
