package ensemble

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/require"
)

func TestKillAndRestartKeepTheData(t *testing.T) {
	e := Start(t, 1, tested())
	ctx := bounded(t)
	s := e.Servers()[0]
	addr := s.Addr()
	create(t, connect(t, 5*time.Second, addr), "/kept", 0)

	require.NoError(t, s.Kill(ctx))
	_, err := s.FourLetter(ctx, "ruok")
	require.Error(t, err)
	require.ErrorContains(t, e.WaitServing(ctx), "no server is up (server 1 ("+addr+"): killed)")
	require.NoError(t, s.Kill(ctx), "a dead server stays dead")
	require.ErrorIs(t, s.Stop(ctx), errNotRunning)
	require.ErrorIs(t, s.Continue(ctx), errNotRunning)

	require.NoError(t, s.Restart(ctx))
	require.NoError(t, e.WaitServing(ctx))
	require.Equal(t, addr, s.Addr())
	data, _, err := connect(t, 5*time.Second, addr).Get("/kept")
	require.NoError(t, err)
	require.Equal(t, "data of /kept", string(data))

	// A server that runs is killed first.
	require.NoError(t, s.Restart(ctx))
	require.NoError(t, e.WaitServing(ctx))
}

func TestStopAndContinue(t *testing.T) {
	e := Start(t, 1, tested())
	ctx := bounded(t)
	s := e.Servers()[0]

	require.NoError(t, s.Stop(ctx))
	require.NoError(t, s.Stop(ctx), "a stopped server stays so")
	require.ErrorContains(t, e.WaitServing(ctx), "stopped")
	asked := dial(t, s.Addr()) // the system still takes connections for it
	_, err := asked.Write([]byte("ruok"))
	require.NoError(t, err)
	require.NoError(t, asked.SetReadDeadline(time.Now().Add(200*time.Millisecond)))
	answer := make([]byte, 4)
	_, err = asked.Read(answer)
	var timeout net.Error
	require.ErrorAs(t, err, &timeout)
	require.True(t, timeout.Timeout(), "a stopped server answers nothing: %v", err)

	require.NoError(t, s.Continue(ctx))
	require.NoError(t, s.Continue(ctx), "a running server runs on")
	require.NoError(t, e.WaitServing(ctx))
	require.NoError(t, asked.SetReadDeadline(time.Now().Add(30*time.Second)))
	_, err = asked.Read(answer)
	require.NoError(t, err)
	require.Equal(t, "imok", string(answer), "what was asked meanwhile is answered")

	// Stopped servers can be killed, and restarted.
	require.NoError(t, s.Stop(ctx))
	require.NoError(t, s.Restart(ctx))
	require.NoError(t, e.WaitServing(ctx))
}

func TestWatches(t *testing.T) {
	e := Start(t, 1, tested())
	ctx := bounded(t)
	s := e.Servers()[0]
	count := func() int {
		n, err := s.Watches(ctx)
		require.NoError(t, err)
		return n
	}
	require.Zero(t, count())
	conn := connect(t, 5*time.Second, s.Addr())
	_, _, deleted, err := conn.ExistsW("/watched")
	require.NoError(t, err)
	require.Equal(t, 1, count())
	create(t, conn, "/watched", 0)
	require.Equal(t, zk.EventNodeCreated, (<-deleted).Type)
	require.Zero(t, count())
}

func TestLogs(t *testing.T) {
	e := Start(t, 1, tested())
	s := e.Servers()[0]
	before := s.Logs()
	require.Contains(t, before, "ZooKeeper")
	require.NoError(t, s.Restart(bounded(t)))
	require.NoError(t, e.WaitServing(bounded(t)))
	require.Greater(t, len(s.Logs()), len(before), "a restart keeps the log")
}

func TestPeerCutsMustBeAskedFor(t *testing.T) {
	e := Start(t, 1, tested())
	s := e.Servers()[0]
	require.ErrorIs(t, s.CutPeers(bounded(t)), ErrNoPeerCuts)
	require.ErrorIs(t, s.HealPeers(bounded(t)), ErrNoPeerCuts)
}

func TestOneThingAtATime(t *testing.T) {
	s := newServer(1, outsider("127.0.0.1:1"), false)
	s.turn <- struct{}{} // somebody does something to it
	tired := errors.New("tired of waiting")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Millisecond, tired)
	defer cancel()
	require.ErrorIs(t, s.Kill(ctx), tired)
	require.ErrorIs(t, s.close(ctx), tired)
}
