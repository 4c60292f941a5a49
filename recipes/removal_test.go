package recipes_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

// removing makes an ephemeral node, and returns its session and path.
func removing(t *testing.T, srv *zktest.Server) (*client.Client, *client.Session, string) {
	t.Helper()
	cl := connect(t, srv)
	s, err := cl.Session(t.Context())
	require.NoError(t, err)
	made, err := s.Create(t.Context(), "/own", nil, client.WithMode(client.Ephemeral))
	require.NoError(t, err)
	return cl, s, made.Path
}

// A removal goes on after the end of who waits for it, lost replies and refusals.
func TestRemoval(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	_, s, path := removing(t, srv)
	refused := srv.FailNext(zktest.On(path, zktest.OpDelete), zktest.NoAuth)
	held := srv.HoldReply(zktest.On(path, zktest.OpDelete)) // of the try behind the refused one
	r := recipes.Remove(s, path, nil)
	wait(t, "the refusal", refused.Fired())
	require.ErrorIs(t, r.Wait(t.Context()), client.ErrNoAuth)
	wait(t, "the next try", held.Fired())
	require.False(t, r.Gone())
	held.Release()
	require.Eventually(t, r.Gone, patience, cleanTime/1000)
	require.NoError(t, r.Wait(t.Context()), "it is gone, whatever was said before")
	_, ok := srv.Node(path)
	require.False(t, ok)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, r.Wait(over), "what is known counts for more")
	require.NoError(t, recipes.Remove(s, path, nil).Wait(t.Context()), "there is none")
}

// It ends with the session, which takes the node with it; of one that is left to another process it
// says so.
func TestRemovalEndsWithSession(t *testing.T) {
	t.Parallel()
	for _, left := range []bool{false, true} {
		srv := zktest.Start(t)
		cl, s, path := removing(t, srv)
		tried := make(chan struct{}, 100)
		r := recipes.Remove(s, path, func(ctx context.Context) error {
			tried <- struct{}{}
			if left {
				return nil
			}
			<-ctx.Done()
			return errors.Join(client.ErrConnectionLost, ctx.Err())
		})
		wait(t, "a try", tried)
		over, cancel := context.WithCancel(t.Context())
		cancel()
		if !left {
			require.ErrorIs(t, r.Wait(over), context.Canceled)
			require.NoError(t, cl.Close())
			require.NoError(t, r.Wait(t.Context()))
			require.False(t, r.Gone())
			continue
		}
		require.NoError(t, r.Wait(t.Context()))
		_, err := cl.Detach(t.Context())
		require.NoError(t, err)
		require.ErrorIs(t, recipes.Remove(s, path, nil).Wait(t.Context()), client.ErrDetached)
	}
}
