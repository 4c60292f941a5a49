package client_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

// A client's clean-up goes on in the next session, until it is done.
func TestCleanupAcrossSessions(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	runs := make(chan *client.Session)
	answers := make(chan error)
	over := cl.Cleanup("test", func(ctx context.Context, s *client.Session) error {
		select {
		case runs <- s:
		case <-ctx.Done():
			return ctx.Err()
		}
		return <-answers
	})
	first := <-runs
	answers <- errors.New("again")
	require.Same(t, first, <-runs)
	require.True(t, srv.ExpireSession(first.ID()))
	<-first.Context().Done()
	answers <- errors.New("too late")
	second := <-runs
	require.Equal(t, first.Epoch()+1, second.Epoch())
	select {
	case <-over:
		require.Fail(t, "over before it is done")
	default:
	}
	answers <- nil
	<-over
}

// Close gives it up, and waits for it; afterwards nothing is begun.
func TestCleanupIsGivenUpByClose(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	began := make(chan struct{}, 1)
	over := cl.Cleanup("test", func(ctx context.Context, _ *client.Session) error {
		select {
		case began <- struct{}{}:
		default:
		}
		<-ctx.Done()
		return ctx.Err()
	})
	<-began
	require.NoError(t, cl.Close())
	select {
	case <-over:
	default:
		require.Fail(t, "Close did not wait for it")
	}
	<-cl.Cleanup("test", func(context.Context, *client.Session) error {
		t.Error("begun after Close")
		return nil
	})
}

// Detach waits for it.
func TestDetachWaitsForCleanup(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	require.NoError(t, srv.Create("/left", nil))
	held := srv.HoldReply(zktest.On("/left", zktest.OpDelete))
	over := cl.Cleanup("test", func(ctx context.Context, s *client.Session) error {
		return s.Delete(ctx, "/left", client.AnyVersion)
	})
	<-held.Fired()
	detached := make(chan error, 1)
	s, err := cl.Session(t.Context())
	require.NoError(t, err)
	go func() {
		_, err := cl.Detach(t.Context())
		detached <- err
	}()
	<-s.Detaching()
	require.Empty(t, detached)
	held.Release()
	<-over
	require.NoError(t, <-detached)
}
