package protocol

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/trial"
	"github.com/zookit/zookit/lock"
)

// readOnly are the options of servers that go on in read-only mode without a quorum.
func readOnly(more ...ensemble.Option) []ensemble.Option {
	return append([]ensemble.Option{
		ensemble.WithJVMFlags("-Dreadonlymode.enabled=true"), // it does not work from zoo.cfg
		ensemble.WithConfig("localSessionsEnabled", "true"),
		ensemble.WithConfig("localSessionsUpgradingEnabled", "true"),
	}, more...)
}

// until waits for a state.
func until(t *testing.T, cl *client.Client, want client.State) client.StateChange {
	t.Helper()
	for change := range cl.States(trial.Within(t, time.Minute)) {
		if change.State == want {
			return change
		}
	}
	require.Fail(t, "the state did not come", "%v", want)
	panic("unreachable")
}

// TestReadOnly: two of three servers die. A client that may be served read-only reads on
// and is told at once that it cannot write; a lock ends by its bound; and when the
// servers are back the same clients write and lock as before.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	e := ensemble.Start(t, 3, readOnly()...)
	ctx := trial.Within(t, 2*time.Minute)
	reader := trial.Connect(t, e.Connect(), client.WithReadOnly(), client.WithSessionTimeout(5*time.Second))
	strict := trial.Connect(t, e.Connect(), client.WithSessionTimeout(5*time.Second))
	holder := trial.Connect(t, e.Connect(), client.WithReadOnly(), client.WithSessionTimeout(5*time.Second))
	_, err := reader.Create(ctx, "/n", []byte("data"))
	require.NoError(t, err)
	held, err := lock.NewMutex(holder, "/lock").Lock(ctx)
	require.NoError(t, err)
	session, err := holder.Session(ctx)
	require.NoError(t, err)

	left := e.Servers()[0]
	for _, s := range e.Servers()[1:] {
		require.NoError(t, s.Kill(ctx))
	}
	change := until(t, reader, client.ReadOnly)
	require.Equal(t, left.Addr(), change.Server)
	data, _, err := reader.Get(ctx, "/n")
	require.NoError(t, err)
	require.Equal(t, "data", string(data))
	_, _, watch, err := reader.GetW(ctx, "/n")
	require.NoError(t, err)
	defer watch.Remove()
	_, err = reader.Set(ctx, "/n", nil, client.AnyVersion)
	require.ErrorIs(t, err, client.ErrReadOnly)
	require.Equal(t, client.NotSent, client.Outcome(err))
	require.ErrorIs(t, reader.Sync(ctx, "/n"), client.ErrReadOnly)

	<-held.Context().Done()
	require.ErrorIs(t, context.Cause(held.Context()), client.ErrUnconfirmed)
	require.False(t, time.Now().Before(held.ValidUntil()))
	require.NoError(t, held.Unlock(ctx), "it is over, and its node goes with the session")
	change = until(t, holder, client.ReadOnly) // the server refuses the session; that has to be over first
	require.Greater(t, change.Epoch, session.Epoch())
	require.False(t, time.Now().Before(session.ValidUntil()))
	_, _, err = holder.Get(ctx, held.Path())
	require.NoError(t, err, "the lock's node is still there, for whoever looks")
	require.NotEqual(t, client.Connected, strict.State().State)
	require.NotEqual(t, client.ReadOnly, strict.State().State)

	again := make(chan error, 1)
	waiting := trial.Within(t, time.Minute)
	go func() {
		held, err := lock.NewMutex(holder, "/lock").Lock(waiting) // waits for a quorum
		if err == nil {
			err = held.Unlock(waiting)
		}
		again <- err
	}()
	for _, s := range e.Servers()[1:] {
		require.NoError(t, s.Restart(ctx))
	}
	for _, cl := range []*client.Client{reader, holder, strict} {
		until(t, cl, client.Connected)
		_, err = cl.Set(ctx, "/n", []byte("more"), client.AnyVersion)
		require.NoError(t, err)
	}
	require.NoError(t, <-again)
	require.Equal(t, client.EventConnectionLost, (<-watch.C).Type)
	for _, cl := range []*client.Client{reader, holder, strict} {
		require.NoError(t, cl.Close())
	}
}

// TestReadOnly_SessionSurvives: the quorum is back before the session of a holder is
// over. It was never read-only, and still holds.
func TestReadOnly_SessionSurvives(t *testing.T) {
	t.Parallel()
	e := ensemble.Start(t, 3, readOnly()...)
	ctx := trial.Within(t, 2*time.Minute)
	cl := trial.Connect(t, e.Connect(), client.WithReadOnly(), client.WithSessionTimeout(40*time.Second))
	held, err := lock.NewMutex(cl, "/lock").Lock(ctx)
	require.NoError(t, err)
	reader := trial.Connect(t, e.Connect(), client.WithReadOnly())
	for _, s := range e.Servers()[1:] {
		require.NoError(t, s.Kill(ctx))
	}
	until(t, reader, client.ReadOnly) // so is the server
	require.NotEqual(t, client.Connected, cl.State().State)
	for _, s := range e.Servers()[1:] {
		require.NoError(t, s.Restart(ctx))
	}
	change := until(t, cl, client.Connected)
	require.EqualValues(t, 1, change.Epoch)
	require.NoError(t, held.Err())
	until(t, reader, client.Connected)
	require.NoError(t, reader.Sync(ctx, "/lock"))
	_, err = lock.NewMutex(reader, "/lock").TryLock(ctx)
	require.ErrorIs(t, err, lock.ErrBusy)
	require.NoError(t, held.Unlock(ctx))
}

// TestReadOnly_FindsTheQuorum: one server is cut off from the others and goes on
// read-only; the client there finds the others by itself.
func TestReadOnly_FindsTheQuorum(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	e := ensemble.Start(t, 3, readOnly(ensemble.WithPeerCuts(), ca.servers(t))...)
	t.Run("plain", func(t *testing.T) { findsTheQuorum(t, e, e.Connect(), (*ensemble.Server).Addr) })
	t.Run("TLS", func(t *testing.T) {
		findsTheQuorum(t, e, e.ConnectTLS(), (*ensemble.Server).TLSAddr, client.WithTLS(ca.config(t, "client")))
	})
}

func findsTheQuorum(t *testing.T, e *ensemble.Ensemble, servers string, addr func(*ensemble.Server) string, opts ...client.Option) {
	t.Helper()
	ctx := trial.Within(t, 2*time.Minute)
	lonely := e.Servers()[0]
	only := trial.PinTo(addr(lonely))
	cl := trial.Connect(t, servers, append(opts, client.WithReadOnly(), client.WithDialer(only.Dial))...)
	until(t, cl, client.Connected) // an earlier cut may still be felt
	if _, err := cl.Create(ctx, "/n", nil); !errors.Is(err, client.ErrNodeExists) {
		require.NoError(t, err)
	}
	require.NoError(t, lonely.CutPeers(ctx))
	until(t, cl, client.ReadOnly)
	_, _, err := cl.Get(ctx, "/n")
	require.NoError(t, err)
	only.Free()
	change := until(t, cl, client.Connected)
	require.NotEqual(t, addr(lonely), change.Server)
	_, err = cl.Set(ctx, "/n", nil, client.AnyVersion)
	require.NoError(t, err)
	require.NoError(t, lonely.HealPeers(ctx))
}

// TestReadOnly_WithoutLocalSessions: such servers make no sessions while they are
// read-only, and the client says what to set.
func TestReadOnly_WithoutLocalSessions(t *testing.T) {
	t.Parallel()
	e := ensemble.Start(t, 3, ensemble.WithJVMFlags("-Dreadonlymode.enabled=true"))
	ctx := trial.Within(t, time.Minute)
	for _, s := range e.Servers()[1:] {
		require.NoError(t, s.Kill(ctx))
	}
	_, err := client.Connect(ctx, e.Servers()[0].Addr(), client.WithReadOnly(), client.WithConnectTimeout(6*time.Second))
	require.ErrorIs(t, err, client.ErrNotConnected)
	require.ErrorContains(t, err, "localSessionsEnabled=true")
}
