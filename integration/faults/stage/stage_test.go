package stage

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/faults/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T) (*Stage, context.Context) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	st, err := Open(ctx, Settings{Servers: 1, Members: 1, Session: 2 * time.Second})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	return st, ctx
}

func connect(t *testing.T, st *Stage) *client.Client {
	t.Helper()
	cl, err := client.Connect(t.Context(), st.Members[0].Lines[0].Addr(), client.WithSessionTimeout(10*time.Second))
	require.NoError(t, err)
	t.Cleanup(func() { _ = cl.Close() })
	return cl
}

// A session is ended at the servers while its client is alive, and the client learns it from them.
func TestEndSession(t *testing.T) {
	st, ctx := open(t)
	cl := connect(t, st)
	session, err := cl.Session(ctx)
	require.NoError(t, err)
	require.NoError(t, st.EndSession(ctx, st.Ensemble.Servers()[0].Addr(), session.ID()))
	select {
	case <-session.Context().Done():
	case <-ctx.Done():
		require.FailNow(t, "the client believes in its session")
	}
	require.ErrorIs(t, context.Cause(session.Context()), client.ErrSessionLost)
	require.NoError(t, st.EndSession(ctx, st.Ensemble.Servers()[0].Addr(), session.ID()), "one that has ended")
	require.Error(t, st.EndSession(ctx, "127.0.0.1:1", session.ID()))
}

// What is left behind is found, each kind of it, and what is not is not.
func TestLeftovers(t *testing.T) {
	st, ctx := open(t)
	nothing := func(string, client.Stat) bool { return false }
	require.Empty(t, st.Left(ctx, "/run", nothing), "no node at all")
	require.Empty(t, st.Watches(ctx))
	require.Empty(t, st.Sessions(ctx))

	cl := connect(t, st)
	_, err := cl.Create(ctx, "/run/keeps/left", nil, client.WithParents())
	require.NoError(t, err)
	_, err = cl.Create(ctx, "/run/mine", nil, client.WithMode(client.Ephemeral))
	require.NoError(t, err)
	_, _, _, err = cl.GetW(ctx, "/run/keeps")
	require.NoError(t, err)

	left := st.Left(ctx, "/run", func(name string, s client.Stat) bool { return s.EphemeralOwner == 0 && name != "keeps/left" })
	require.Len(t, left, 2)
	require.Contains(t, left[0], "node /run/keeps/left (session 0x0")
	require.Contains(t, left[1], "node /run/mine (session 0x1")
	left = st.Watches(ctx)
	require.Len(t, left, 1)
	require.Contains(t, left[0], "1 watches on server 1")
	require.Contains(t, left[0], "/run/keeps")
	require.Len(t, st.Sessions(ctx), 1)

	require.NoError(t, cl.Close())
	require.Empty(t, st.Left(ctx, "/run", func(_ string, s client.Stat) bool { return s.EphemeralOwner == 0 }))
	require.Empty(t, st.Watches(ctx))
	require.Empty(t, st.Sessions(ctx))
}

func TestWorkerThatCannotBe(t *testing.T) {
	st, _ := open(t)
	st.Worker = "/nowhere/at/all"
	require.Error(t, st.Members[0].Begin(worker.Config{}, t.TempDir()))
	require.Error(t, st.Members[0].Replace())
}
