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
	_, err = s.Command(ctx, "xyzw")
	require.Error(t, err)
}
