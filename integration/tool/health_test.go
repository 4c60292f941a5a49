package tool

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/trial"
	"github.com/zookit/zookit/lock"
)

// health is what zookit health prints.
type health struct {
	Healthy         bool
	Problems, Notes []string
	Servers         []struct {
		Address, Role, Problem string
		OK, InStep             bool
		Sessions, Watches      *int64
	}
}

// TestHealthOfServers: while servers fail and come back the exit status, the roles and the problems are as they are.
func TestHealthOfServers(t *testing.T) {
	t.Parallel()
	e := ensemble.Start(t, 3)
	ctx := trial.Within(t, 2*time.Minute)
	h := health{}
	require.Zero(t, document(t, e.Connect(), &h, "health"))
	require.True(t, h.Healthy)
	roles := map[string]int{}
	for _, s := range h.Servers {
		roles[s.Role]++
		require.True(t, s.InStep)
		require.NotNil(t, s.Watches)
		require.NotNil(t, s.Sessions)
	}
	require.Equal(t, map[string]int{"leader": 1, "follower": 2}, roles)
	require.Empty(t, h.Notes)

	leader, err := e.Leader(ctx)
	require.NoError(t, err)
	require.NoError(t, leader.Kill(ctx))
	next, err := e.Leader(ctx)
	require.NoError(t, err)
	h = health{}
	require.Equal(t, 70, document(t, e.Connect(), &h, "health"))
	require.Len(t, h.Problems, 1, "the other two serve, and nothing has been written under the new leader: %v", h.Problems)
	require.Contains(t, h.Problems[0], leader.Addr()+": not reached")

	require.NoError(t, next.Kill(ctx))
	require.Eventually(t, func() bool {
		h = health{}
		return document(t, e.Connect(), &h, "health") == 70 && strings.Contains(strings.Join(h.Problems, "\n"), "does not serve")
	}, time.Minute, 100*time.Millisecond)
	require.Len(t, h.Problems, 3)

	require.NoError(t, leader.Restart(ctx))
	require.NoError(t, next.Restart(ctx))
	require.NoError(t, e.WaitServing(ctx))
	h = health{}
	require.Zero(t, document(t, e.Connect(), &h, "health"), "%v", h.Problems)
}

// TestInspectOnServers: who holds is told with the session's address as the servers see it, and can be broken.
func TestInspectOnServers(t *testing.T) {
	t.Parallel()
	e := ensemble.Start(t, 3)
	ctx := trial.Within(t, 2*time.Minute)
	held, err := lock.NewMutex(trial.Connect(t, e.Connect()), "/stacks/42", lock.WithIdentifier("me")).Lock(ctx)
	require.NoError(t, err)
	var all []struct {
		Path, Kind string
		Holders    []struct {
			Path, Identifier, Host string
			Token                  int64
		}
	}
	require.Zero(t, document(t, e.Connect(), &all, "locks"))
	require.Len(t, all, 1)
	require.Equal(t, "mutex", all[0].Kind)
	h := all[0].Holders[0]
	require.Equal(t, "me", h.Identifier)
	require.Equal(t, held.Token(), h.Token)
	require.Regexp(t, `:\d+$`, h.Host)

	_, code := zookit(t, e.Connect(), "bench", "--duration", "100ms")
	require.Zero(t, code)
	out, code := zookit(t, e.Connect(), "ls", "/", "-o", "raw")
	require.Zero(t, code)
	require.NotContains(t, out, "bench")

	out, code = zookit(t, e.Connect(), "break", "/stacks/42", "--yes")
	require.Zero(t, code)
	require.Equal(t, held.Path()+"\n", out)
	select {
	case <-held.Context().Done():
	case <-ctx.Done():
		require.FailNow(t, "the holder has not learnt of it")
	}
}

// TestHealthWithoutWordsOnServers: a server that allows srvr alone, as is the default, is healthy, and it is said what is not told.
func TestHealthWithoutWordsOnServers(t *testing.T) {
	t.Parallel()
	e := ensemble.Start(t, 1, ensemble.WithConfig("4lw.commands.whitelist", "srvr"))
	h := health{}
	require.Zero(t, document(t, e.Connect(), &h, "health"))
	require.Nil(t, h.Servers[0].Watches)
	require.Len(t, h.Notes, 1)
	require.Contains(t, h.Notes[0], "4lw.commands.whitelist")
}
