package admin

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

// The test server is asked like any other; what it does not know it does not answer.
func TestAgainstZktest(t *testing.T) {
	ctx := t.Context()
	server := zktest.Start(t)
	cl, err := client.Connect(ctx, server.Addr())
	require.NoError(t, err)
	t.Cleanup(func() { _ = cl.Close() })
	_, err = cl.Create(ctx, "/watched", nil)
	require.NoError(t, err)
	_, _, watch, err := cl.GetW(ctx, "/watched")
	require.NoError(t, err)
	t.Cleanup(watch.Remove)

	s := newServer(t, server.Addr())
	require.NoError(t, s.Ruok(ctx))
	stats, err := s.Srvr(ctx)
	require.NoError(t, err)
	require.Equal(t, Standalone, stats.Mode)
	require.Equal(t, server.Zxid(), stats.Zxid)
	watches, err := s.Wchs(ctx)
	require.NoError(t, err)
	require.Equal(t, WatchSummary{Connections: 1, Paths: 1, Watches: 1}, *watches)
	readOnly, err := s.Isro(ctx)
	require.NoError(t, err)
	require.False(t, readOnly)
	mntr, err := s.Mntr(ctx)
	require.NoError(t, err)
	require.Equal(t, Standalone, mntr.Mode)
	require.EqualValues(t, 1, mntr.Watches)
	require.EqualValues(t, 6, mntr.Nodes, "the root counts twice")
	require.EqualValues(t, 2, mntr.Connections)
	conf, err := s.Conf(ctx)
	require.NoError(t, err)
	require.Equal(t, zktest.DefaultTick, conf.TickTime)
	require.Equal(t, zktest.DefaultMaxSession, conf.MaxSessionTimeout)
	conns, err := s.Cons(ctx)
	require.NoError(t, err)
	require.Len(t, conns, 2)
	require.Equal(t, cl.State().SessionID, conns[0].SessionID)
	require.Equal(t, "GETD", conns[0].LastOp)
	require.Equal(t, server.Zxid(), conns[0].LastZxid)
	require.Zero(t, conns[1].SessionID)
	_, err = s.Command(ctx, "xyzw")
	require.Error(t, err)
}
