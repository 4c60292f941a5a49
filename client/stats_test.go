package client_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

// Stats count what has happened, each thing where it belongs.
func TestStats(t *testing.T) {
	srv := zktest.Start(t)
	cl := connect(t, srv, client.WithMaxRequest(2000), client.WithSessionTimeout(time.Minute))
	st := follow(t, cl)
	s := session(t, cl)
	now := cl.Stats()
	since := now.ConnectedSince
	require.WithinDuration(t, time.Now(), since, patience)
	require.Equal(t, client.Stats{
		State: client.Connected, Epoch: 1, SessionID: s.ID(), Server: srv.Addr(), ConnectedSince: since,
		ConnectAttempts: 1, Connections: 1, SessionsOpened: 1,
	}, now)

	ctx := t.Context()
	_, err := cl.Create(ctx, "/a", nil, client.WithMode(client.Ephemeral))
	require.NoError(t, err)
	_, _, w, err := cl.GetW(ctx, "/a")
	require.NoError(t, err)
	_, _, _, err = cl.GetW(ctx, "/none")
	require.ErrorIs(t, err, client.ErrNoNode)
	_, err = cl.Set(ctx, "/a", large(3000), client.AnyVersion)
	require.ErrorIs(t, err, client.ErrTooLarge)
	now = cl.Stats()
	require.Equal(t, []uint64{2, 1, 1, 0, 0}, []uint64{now.OpsOK, now.OpsFailed, now.OpsNotSent, now.OpsUnknown, now.Repeats})
	require.Equal(t, []uint64{3, 3, 0}, []uint64{now.Requests, now.Replies, now.Events})
	require.Equal(t, uint64(4+8+(4+2)+4+(4+4+(4+5)+(4+6))+4+2*(4+8+4+1)+2+5), now.BytesSent, "create2, getData twice")
	require.Equal(t, uint64(3*(4+16)+(4+2)+68+4+68), now.BytesReceived)
	require.Positive(t, now.LastRoundTrip)
	require.Positive(t, now.RoundTrip)
	require.Equal(t, 1, now.Watches)

	require.NoError(t, s.Confirm(ctx, "/a"))
	require.ErrorIs(t, s.Confirm(ctx, "/none"), client.ErrNoNode)
	h, err := s.Hold("/a")
	require.NoError(t, err)
	now = cl.Stats()
	require.Equal(t, []uint64{1, 1}, []uint64{now.Confirmations, now.ConfirmationsFailed})
	require.Equal(t, 1, now.Holds)
	h.Release()
	require.Zero(t, cl.Stats().Holds)

	require.NoError(t, srv.Set("/a", nil))
	_, ok := receive(t, w.C)
	require.True(t, ok)
	now = cl.Stats()
	require.Equal(t, uint64(1), now.Events)
	require.Zero(t, now.Watches)

	held := srv.HoldReply(zktest.On("/a", zktest.OpSetData))
	done := make(chan error, 1)
	go func() {
		_, err := cl.Set(ctx, "/a", nil, client.AnyVersion)
		done <- err
	}()
	wait(t, held.Fired(), "the request has come")
	require.Equal(t, 1, cl.Stats().InFlight)
	srv.DropConnections()
	err, _ = receive(t, done)
	require.Equal(t, client.Unknown, client.Outcome(err))
	st.until(client.Suspended)
	st.until(client.Connected)
	srv.DropRequest(zktest.On("/a", zktest.OpGetData))
	_, _, err = cl.Get(ctx, "/a")
	require.NoError(t, err)
	require.True(t, srv.ExpireSession(s.ID()))
	st.until(client.Lost)
	st.until(client.Connected)
	require.NoError(t, cl.Close())

	now = cl.Stats()
	require.Equal(t, []uint64{3, 1, 1, 1, 1}, []uint64{now.OpsOK, now.OpsFailed, now.OpsNotSent, now.OpsUnknown, now.Repeats})
	require.Equal(t, []uint64{5, 4, 4, 2, 1}, []uint64{now.ConnectAttempts, now.Connections, now.Disconnections, now.SessionsOpened, now.SessionsLost})
	require.Equal(t, client.Closed, now.State)
	require.True(t, now.ConnectedSince.IsZero())
	require.Zero(t, now.InFlight)
}

// What the keeper and the janitor do shows in Stats.
func TestStatsOfTheBackground(t *testing.T) {
	srv := zktest.Start(t, zktest.WithSessionTimeouts(time.Second, time.Minute))
	cl := connect(t, srv, client.WithSessionTimeout(time.Second))
	s := session(t, cl)
	_, err := s.Create(t.Context(), "/a", nil, client.WithMode(client.Ephemeral))
	require.NoError(t, err)
	h, err := s.Hold("/a")
	require.NoError(t, err)
	defer h.Release()
	require.Eventually(t, func() bool { return cl.Stats().Confirmations > 0 }, patience, time.Millisecond)

	entered, free := make(chan struct{}), make(chan struct{})
	s.Cleanup("nothing", func(context.Context) error {
		close(entered)
		<-free
		return nil
	})
	wait(t, entered, "the job runs")
	require.Equal(t, 1, cl.Stats().Cleanups)
	close(free)
	require.Eventually(t, func() bool { return cl.Stats().Cleanups == 0 }, patience, time.Millisecond)
}
