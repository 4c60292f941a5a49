package admin

import (
	"context"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

// All answers come in the order of the servers, whichever answers first, and the error of one
// is not the others'.
func TestAll(t *testing.T) {
	second := make(chan struct{})
	first := newServer(t, serve(t, listen(t), func(conn net.Conn, _ string) {
		<-second // so all are asked at once
		_, _ = io.WriteString(conn, sample(t, "3.8/srvr-leader.txt"))
	}))
	servers := []*Server{
		first,
		newServer(t, serve(t, listen(t), func(conn net.Conn, _ string) {
			_, _ = io.WriteString(conn, sample(t, "3.8/srvr-follower.txt"))
			close(second)
		})),
		canned(t, "This ZooKeeper instance is not currently serving requests\n"),
	}
	answers := All(t.Context(), servers, (*Server).Srvr)
	require.Len(t, answers, 3)
	for i, a := range answers {
		require.Same(t, servers[i], a.Server)
		require.Positive(t, a.Took)
	}
	require.NoError(t, answers[0].Err)
	require.Equal(t, Leader, answers[0].Value.Mode)
	require.NoError(t, answers[1].Err)
	require.Equal(t, Follower, answers[1].Value.Mode)
	require.ErrorIs(t, answers[2].Err, ErrNotServing)
	require.Nil(t, answers[2].Value)

	require.Empty(t, All(t.Context(), nil, (*Server).Srvr))
}

func TestAllCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	silent := newServer(t, serve(t, listen(t), func(conn net.Conn, _ string) {
		cancel()
		_, _ = conn.Read(make([]byte, 1))
	}))
	for _, a := range All(ctx, []*Server{silent, silent}, (*Server).Wchs) {
		require.ErrorIs(t, a.Err, context.Canceled)
	}
}
