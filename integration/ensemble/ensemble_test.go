package ensemble

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/require"
)

func TestSingleServer(t *testing.T) {
	e := Start(t, 1, tested())
	ctx := bounded(t)
	require.Len(t, e.Servers(), 1)
	s := e.Servers()[0]
	require.Equal(t, e.Connect(), s.Addr())
	require.True(t, e.Controllable())

	require.NoError(t, e.WaitServing(ctx))
	leader, err := e.Leader(ctx)
	require.NoError(t, err)
	require.Same(t, s, leader)
	followers, err := e.Followers(ctx)
	require.NoError(t, err)
	require.Empty(t, followers)
	version, err := e.Version(ctx)
	require.NoError(t, err)
	require.Regexp(t, `^\d+\.\d+\.\d+$`, version)
	answer, err := s.FourLetter(ctx, "ruok")
	require.NoError(t, err)
	require.Equal(t, "imok", answer)
}

// The settings that tests of TTL and container nodes stand on.
func TestSettings(t *testing.T) {
	e := Start(t, 1, tested(), WithTickTime(300*time.Millisecond), WithSessionTimeouts(700*time.Millisecond, 9*time.Second))
	answer, err := e.Servers()[0].FourLetter(bounded(t), "conf")
	require.NoError(t, err)
	for _, line := range []string{"tickTime=300\n", "minSessionTimeout=700\n", "maxSessionTimeout=9000\n", "maxClientCnxns=0\n"} {
		require.Contains(t, answer, line)
	}
	conn := connect(t, 5*time.Second, e.Connect())
	_, err = conn.CreateTTL("/ttl", nil, zk.FlagTTL, zk.WorldACL(zk.PermAll), 200*time.Millisecond)
	require.NoError(t, err)
	awaitGone(t, conn, "/ttl")

	_, err = conn.CreateContainer("/box", nil, zk.FlagContainer, zk.WorldACL(zk.PermAll))
	require.NoError(t, err)
	create(t, conn, "/box/child", 0)
	require.NoError(t, conn.Delete("/box/child", -1))
	awaitGone(t, conn, "/box")
}

// awaitGone waits until the server has removed a node by itself.
func awaitGone(t *testing.T, conn *zk.Conn, path string) {
	t.Helper()
	exists, _, gone, err := conn.ExistsW(path)
	require.NoError(t, err)
	if !exists {
		return
	}
	select {
	case ev := <-gone:
		require.Equal(t, zk.EventNodeDeleted, ev.Type)
	case <-bounded(t).Done():
		t.Fatalf("%s is still there", path)
	}
}

func TestThreeServersSurviveTheirLeader(t *testing.T) {
	e := Start(t, 3, tested())
	ctx := bounded(t)
	old, err := e.Leader(ctx)
	require.NoError(t, err)
	followers, err := e.Followers(ctx)
	require.NoError(t, err)
	require.Len(t, followers, 2)
	require.NotContains(t, followers, old)
	create(t, connect(t, 5*time.Second, old.Addr()), "/kept", 0)

	require.NoError(t, old.Kill(ctx))
	leader, err := e.Leader(ctx)
	require.NoError(t, err)
	require.NotSame(t, old, leader)
	create(t, connect(t, 5*time.Second, leader.Addr()), "/later", 0)

	require.NoError(t, old.Restart(ctx))
	require.NoError(t, e.WaitServing(ctx))
	followers, err = e.Followers(ctx)
	require.NoError(t, err)
	require.Contains(t, followers, old)
	conn := connect(t, 5*time.Second, old.Addr())
	for _, path := range []string{"/kept", "/later"} {
		data, _, err := conn.Get(path)
		require.NoError(t, err, path)
		require.Equal(t, "data of "+path, string(data))
	}
}

func TestThreeServersSurviveTheStopOfTheirLeader(t *testing.T) {
	e := Start(t, 3, tested())
	ctx := bounded(t)
	old, err := e.Leader(ctx)
	require.NoError(t, err)
	require.NoError(t, old.Stop(ctx))
	leader, err := e.Leader(ctx)
	require.NoError(t, err)
	require.NotSame(t, old, leader)

	require.NoError(t, old.Continue(ctx))
	again, err := e.Leader(ctx)
	require.NoError(t, err)
	require.Same(t, leader, again)
	followers, err := e.Followers(ctx)
	require.NoError(t, err)
	require.Contains(t, followers, old)
}

func TestWipe(t *testing.T) {
	e := Start(t, 3, tested())
	ctx := bounded(t)
	create(t, connect(t, 5*time.Second, e.Connect()), "/wiped", 0)
	before := e.Connect()

	require.NoError(t, e.Wipe(ctx))
	leader, err := e.Leader(ctx)
	require.NoError(t, err)
	require.Equal(t, before, e.Connect())
	exists, _, err := connect(t, 5*time.Second, leader.Addr()).Exists("/wiped")
	require.NoError(t, err)
	require.False(t, exists)
}

func TestEnsemblesSideBySide(t *testing.T) {
	ensembles := make([]*Ensemble, 3)
	var group sync.WaitGroup
	for i := range ensembles {
		group.Go(func() {
			var err error
			if ensembles[i], err = Open(bounded(t), 1, tested()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	seen := map[string]bool{}
	for _, e := range ensembles {
		if e == nil {
			continue
		}
		require.False(t, seen[e.Connect()], "%s is used twice", e.Connect())
		seen[e.Connect()] = true
		require.NoError(t, e.Close())
	}
}

func TestClosedEnsemble(t *testing.T) {
	e := Start(t, 1, tested())
	s := e.Servers()[0]
	require.NoError(t, e.Close())
	require.NoError(t, e.Close())

	ctx := bounded(t)
	for what, err := range map[string]error{
		"Kill":        s.Kill(ctx),
		"Restart":     s.Restart(ctx),
		"Stop":        s.Stop(ctx),
		"Wipe":        e.Wipe(ctx),
		"WaitServing": e.WaitServing(ctx),
	} {
		require.ErrorIs(t, err, ErrClosed, what)
	}
	_, err := s.FourLetter(ctx, "ruok")
	require.Error(t, err)
}

func TestWaitsEndWithTheirContext(t *testing.T) {
	e := Start(t, 3, tested())
	for _, s := range e.Servers()[1:] {
		require.NoError(t, s.Kill(bounded(t)))
	}
	tired := errors.New("tired of waiting")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 300*time.Millisecond, tired)
	defer cancel()
	_, err := e.Leader(ctx)
	require.ErrorIs(t, err, tired)
	require.ErrorContains(t, err, "last seen: server 1 ("+e.Servers()[0].Addr())
}
