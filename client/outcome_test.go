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
