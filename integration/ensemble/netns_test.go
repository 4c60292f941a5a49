//go:build linux

package ensemble

import (
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/require"
)

// startWithCuts starts three servers that can be cut off from each other.
func startWithCuts(t *testing.T, opts ...Option) *Ensemble {
	t.Helper()
	e, err := Open(t.Context(), 3, append(opts, tested(), WithPeerCuts())...)
	if errors.Is(err, ErrNoProvider) {
		t.Skipf("NOT TESTED: %v", err)
	}
	require.NoError(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			e.showLogs(t)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// The follower that is cut off goes on answering its client while the leader
// expires that client's session: the hole that locks have to live with.
func TestCutFollowerGoesOnAnswering(t *testing.T) {
	const timeout = 2 * time.Second
	e := startWithCuts(t, WithSyncLimit(20)) // 10 s of not noticing
	ctx := bounded(t)
	leader, err := e.Leader(ctx)
	require.NoError(t, err)
	followers, err := e.Followers(ctx)
	require.NoError(t, err)
	cut, other := followers[0], followers[1]

	holder := connect(t, timeout, cut.Addr())
	witness := connect(t, timeout, leader.Addr())
	create(t, holder, "/held", zk.FlagEphemeral)
	exists, _, gone, err := witness.ExistsW("/held")
	require.NoError(t, err)
	require.True(t, exists)

	require.NoError(t, cut.CutPeers(ctx))
	at := time.Now()
	reads := time.NewTicker(50 * time.Millisecond)
	defer reads.Stop()
	for expired := false; !expired; {
		select {
		case ev := <-gone:
			require.Equal(t, zk.EventNodeDeleted, ev.Type)
			expired = true
		case <-reads.C:
		case <-ctx.Done():
			t.Fatal("the session of the holder is not expired")
		}
		_, _, err := holder.Get("/held")
		require.NoError(t, err, "the cut-off server has stopped answering after %v", time.Since(at))
	}
	require.GreaterOrEqual(t, time.Since(at), timeout/2)
	seen, err := probe(ctx, cut.Addr())
	require.NoError(t, err)
	require.Equal(t, modeFollower, seen.mode, "it does not know that it is cut off")
	t.Logf("the leader gave the session up %v after the cut; the holder's server still answers", time.Since(at).Round(time.Millisecond))

	// The others go on without it.
	again, err := e.Leader(ctx)
	require.NoError(t, err)
	require.Same(t, leader, again)
	followers, err = e.Followers(ctx)
	require.NoError(t, err)
	require.Equal(t, []*Server{other}, followers)
	create(t, witness, "/meanwhile", 0)

	require.NoError(t, cut.HealPeers(ctx))
	followers, err = e.Followers(ctx)
	require.NoError(t, err)
	require.Len(t, followers, 2)
	conn := connect(t, timeout, cut.Addr())
	_, err = conn.Sync("/")
	require.NoError(t, err)
	exists, _, err = conn.Exists("/meanwhile")
	require.NoError(t, err)
	require.True(t, exists)
}

// The leader that is cut off is replaced; its clients reach it all the while, and
// hear that it does not serve. A restart does not heal it.
func TestCutLeaderIsReplaced(t *testing.T) {
	e := startWithCuts(t)
	ctx := bounded(t)
	old, err := e.Leader(ctx)
	require.NoError(t, err)
	require.NoError(t, old.CutPeers(ctx))
	seen, err := probe(ctx, old.Addr())
	require.NoError(t, err)
	require.Equal(t, modeLeader, seen.mode, "it does not know that it is cut off")

	leader, err := e.Leader(ctx)
	require.NoError(t, err)
	require.NotSame(t, old, leader)
	create(t, connect(t, 5*time.Second, leader.Addr()), "/new", 0)
	require.NoError(t, e.WaitServing(ctx), "the cut-off server is not waited for")
	awaitAnswer(t, old, "not currently serving")

	require.NoError(t, old.Restart(ctx))
	awaitAnswer(t, old, "not currently serving")
	_, err = e.Leader(ctx)
	require.NoError(t, err)

	require.NoError(t, old.HealPeers(ctx))
	followers, err := e.Followers(ctx)
	require.NoError(t, err)
	require.Contains(t, followers, old)
	data, _, err := connect(t, 5*time.Second, old.Addr()).Get("/new")
	require.NoError(t, err)
	require.Equal(t, "data of /new", string(data))
}

// awaitAnswer asks a server for its status until the answer contains text.
func awaitAnswer(t *testing.T, s *Server, text string) {
	t.Helper()
	ctx := bounded(t)
	tick := time.NewTicker(probeInterval)
	defer tick.Stop()
	for {
		answer, err := s.FourLetter(ctx, "srvr")
		if err == nil && strings.Contains(answer, text) {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%v never answers %q; last: %q, %v", s, text, answer, err)
		}
	}
}

func TestNamespacesLeaveNothingBehind(t *testing.T) {
	e := startWithCuts(t, WithProvider("jvm"))
	c, ok := e.cluster.(*processes)
	if !ok {
		t.Skipf("the %s provider has no namespaces", e.Provider())
	}
	n, ok := c.wiring.(*namespaces)
	require.True(t, ok)
	names := append([]string(nil), n.links...)
	require.Len(t, names, 3)
	for _, name := range names {
		_, err := net.InterfaceByName(name)
		require.NoError(t, err)
	}
	require.NoError(t, e.Close())
	for _, name := range names {
		_, err := net.InterfaceByName(name)
		require.Error(t, err, name)
	}
}
