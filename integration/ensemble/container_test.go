package ensemble

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
	"github.com/moby/moby/client"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// dockerEngine returns the engine, or skips the test where there is none.
func dockerEngine(t *testing.T) *containerEngine {
	t.Helper()
	e, err := openEngine(t.Context())
	if err != nil {
		t.Skipf("CONTAINERS NOT EXERCISED: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, e.api.Close()) }) // idle connections only
	return e
}

// startContainers starts an ensemble of containers that ends with the test.
func startContainers(t *testing.T, servers int, opts ...Option) *Ensemble {
	t.Helper()
	dockerEngine(t)
	begin := time.Now()
	e := Start(t, servers, append(opts, WithProvider(containers{}.name()))...)
	t.Logf("whole after %.2f s", time.Since(begin).Seconds())
	return e
}

// zkSession opens a session that outlives what these tests do to the servers.
func zkSession(t *testing.T, addr string) *zk.Conn {
	t.Helper()
	return connect(t, 20*time.Second, addr)
}

func TestContainerKeepsItsDataAndItsAddress(t *testing.T) {
	e := startContainers(t, 1)
	server := e.Servers()[0]
	create(t, zkSession(t, server.Addr()), "/kept", 0)

	require.NoError(t, server.Kill(t.Context()))
	_, err := net.DialTimeout("tcp", server.Addr(), time.Second)
	require.Error(t, err, "a killed server is still reached at %s", server.Addr())
	require.NoError(t, server.Kill(t.Context()), "a dead server is killed again")

	addr := server.Addr()
	require.NoError(t, server.Restart(t.Context()))
	require.NoError(t, e.WaitServing(t.Context()))
	require.Equal(t, addr, server.Addr())
	found, _, err := zkSession(t, addr).Exists("/kept")
	require.NoError(t, err)
	require.True(t, found, "what was written before the kill is gone")
	require.Contains(t, server.Logs(), "Snapshot")
}

func TestContainerThatIsWipedStartsEmpty(t *testing.T) {
	e := startContainers(t, 1)
	server := e.Servers()[0]
	create(t, zkSession(t, server.Addr()), "/lost", 0)

	require.ErrorContains(t, server.node.wipe(t.Context()), "kill it first")
	require.NoError(t, e.Wipe(t.Context()))
	require.NoError(t, e.WaitServing(t.Context()))
	found, _, err := zkSession(t, server.Addr()).Exists("/lost")
	require.NoError(t, err)
	require.False(t, found, "what was written before the wipe is still there")
}

func TestContainerThatIsPausedAnswersNothing(t *testing.T) {
	e := startContainers(t, 1)
	server := e.Servers()[0]
	conn := zkSession(t, server.Addr())
	create(t, conn, "/before", 0)

	require.NoError(t, server.Stop(t.Context()))
	answered := make(chan error, 1)
	go func() {
		_, _, err := conn.Exists("/before")
		answered <- err
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := probe(ctx, server.Addr())
	require.ErrorIs(t, err, context.DeadlineExceeded, "a paused server answers")
	select {
	case err := <-answered:
		require.Fail(t, "a paused server answers", "with %v", err)
	default:
	}

	require.NoError(t, server.Continue(t.Context()))
	require.NoError(t, <-answered, "the read that waited")

	// A paused server can be killed, too.
	require.NoError(t, server.Stop(t.Context()))
	require.NoError(t, server.Kill(t.Context()))
	require.NoError(t, server.Restart(t.Context()))
	require.NoError(t, e.WaitServing(t.Context()))
}

func TestContainersElectAnotherLeader(t *testing.T) {
	e := startContainers(t, 3)
	leader, err := e.Leader(t.Context())
	require.NoError(t, err)
	create(t, zkSession(t, leader.Addr()), "/kept", 0)

	require.NoError(t, leader.Kill(t.Context()))
	second, err := e.Leader(t.Context())
	require.NoError(t, err)
	require.NotEqual(t, leader.ID(), second.ID())
	require.NoError(t, leader.Restart(t.Context()))
	followers, err := e.Followers(t.Context())
	require.NoError(t, err)
	require.Len(t, followers, 2)
	conn := zkSession(t, leader.Addr())
	found, _, err := conn.Exists("/kept")
	require.NoError(t, err)
	require.True(t, found, "what was written before the kill is gone")

	require.NoError(t, e.Wipe(t.Context()))
	_, err = e.Leader(t.Context())
	require.NoError(t, err)
}

// A server that is cut off goes on answering those who only read, until it has
// missed its leader for syncLimit ticks. The rest of the ensemble goes on.
func TestContainerCutOffFromItsPeers(t *testing.T) {
	const sync = 6 * 500 * time.Millisecond
	e := startContainers(t, 3, WithPeerCuts(), WithSyncLimit(6), WithTickTime(500*time.Millisecond))
	roles := map[string]func() *Server{
		"follower": func() *Server {
			followers, err := e.Followers(t.Context())
			require.NoError(t, err)
			return followers[0]
		},
		"leader": func() *Server {
			leader, err := e.Leader(t.Context())
			require.NoError(t, err)
			return leader
		},
	}
	for role, pick := range roles {
		t.Run(role, func(t *testing.T) {
			server := pick()
			conn := zkSession(t, server.Addr())
			create(t, conn, "/"+role, 0)

			cut := time.Now()
			require.NoError(t, server.CutPeers(t.Context()))
			var last time.Time
			for {
				if _, _, err := conn.Get("/" + role); err != nil {
					break
				}
				last = time.Now()
				require.Less(t, last.Sub(cut), 4*sync, "the cut has no effect")
			}
			t.Logf("cut off: last read answered after %.2f s", last.Sub(cut).Seconds())
			// A leader knows sooner: it counts from the answers to its pings.
			require.Greater(t, last.Sub(cut), sync/4, "the server gave up at once: the cut was not silent")

			others, err := e.Leader(t.Context())
			require.NoError(t, err)
			require.NotEqual(t, server.ID(), others.ID())
			t.Logf("others led after %.2f s", time.Since(cut).Seconds())
			create(t, zkSession(t, others.Addr()), "/"+role+"-others", 0)

			// The cut outlasts the server.
			require.NoError(t, server.Restart(t.Context()))
			require.NoError(t, server.HealPeers(t.Context()))
			healed := time.Now()
			_, err = e.Leader(t.Context())
			require.NoError(t, err)
			t.Logf("whole %.2f s after the cut was healed", time.Since(healed).Seconds())
			found, _, err := zkSession(t, server.Addr()).Exists("/" + role + "-others")
			require.NoError(t, err)
			require.True(t, found, "what the others wrote did not come to the server")
		})
	}
}

// Without a restart in between the server comes back by itself.
func TestContainerHealedRejoins(t *testing.T) {
	e := startContainers(t, 3, WithPeerCuts())
	for range 2 {
		leader, err := e.Leader(t.Context())
		require.NoError(t, err)
		require.NoError(t, leader.CutPeers(t.Context()))
		second, err := e.Leader(t.Context())
		require.NoError(t, err)
		require.NotEqual(t, leader.ID(), second.ID())
		healed := time.Now()
		require.NoError(t, leader.HealPeers(t.Context()))
		_, err = e.Leader(t.Context())
		require.NoError(t, err)
		t.Logf("whole %.2f s after the cut was healed", time.Since(healed).Seconds())
	}
}

// Cuts and heals reach servers that do not run, and new containers of old servers.
func TestContainerCutWhileDead(t *testing.T) {
	e := startContainers(t, 3, WithPeerCuts())
	followers, err := e.Followers(t.Context())
	require.NoError(t, err)
	server := followers[0]
	alone := func() {
		t.Helper()
		require.NoError(t, server.Restart(t.Context()))
		text := "not currently serving requests"
		require.Eventually(t, func() bool {
			answer, err := server.FourLetter(t.Context(), "srvr")
			return err == nil && strings.Contains(answer, text)
		}, 30*time.Second, 20*time.Millisecond, "the server does not say that it is %s", text)
	}
	whole := func() {
		t.Helper()
		require.NoError(t, server.Restart(t.Context()))
		_, err := e.Leader(t.Context())
		require.NoError(t, err)
	}
	require.NoError(t, server.Kill(t.Context()))
	require.NoError(t, server.CutPeers(t.Context()))
	require.NoError(t, server.CutPeers(t.Context()), "cut again")
	alone()
	require.NoError(t, server.Kill(t.Context()))
	require.NoError(t, server.node.wipe(t.Context()))
	alone()
	require.NoError(t, server.Kill(t.Context()))
	require.NoError(t, server.HealPeers(t.Context()))
	require.NoError(t, server.HealPeers(t.Context()), "healed again")
	whole()
}

func TestContainerThatEndsByItselfIsReported(t *testing.T) {
	e := startContainers(t, 1)
	node := e.Servers()[0].node.(*containerNode)
	require.NoError(t, node.died())
	id, err := node.id()
	require.NoError(t, err)
	_, err = node.cluster.engine.api.ContainerKill(t.Context(), id, client.ContainerKillOptions{Signal: "TERM"})
	require.NoError(t, err)
	<-node.watch.done
	require.ErrorContains(t, node.died(), "ended by itself with exit code 143")
	_, err = e.Leader(t.Context())
	require.ErrorContains(t, err, "ended by itself")
}

func TestContainersLeaveNothing(t *testing.T) {
	docker := dockerEngine(t)
	before := goleak.IgnoreCurrent()
	e, err := Open(t.Context(), 3, WithPeerCuts(), WithProvider(containers{}.name()))
	require.NoError(t, err)
	c := e.cluster.(*containerCluster)
	var ids []string
	for _, n := range c.servers {
		id, err := n.id()
		require.NoError(t, err)
		ids = append(ids, id)
	}
	require.NoError(t, e.Close())
	require.NoError(t, c.close(t.Context()), "closed again")
	for _, id := range ids {
		_, err := docker.api.ContainerInspect(t.Context(), id, client.ContainerInspectOptions{})
		require.Error(t, err, "container %s is still there", id)
	}
	for _, n := range []*containerNetwork{c.clients, c.peers} {
		_, err := docker.api.NetworkInspect(t.Context(), n.id, client.NetworkInspectOptions{})
		require.Error(t, err, "network %s is still there", n.name)
	}
	require.NoError(t, docker.api.Close())
	goleak.VerifyNone(t, before)
}

func TestContainersStartThatIsGivenUp(t *testing.T) {
	docker := dockerEngine(t)
	_, err := docker.image(t.Context()) // built or pulled before the clock runs
	require.NoError(t, err)
	ours := make(client.Filters).Add("label", ownerLabel+"="+thisOwner().String())
	gaveUp := errors.New("given up")
	for _, after := range []time.Duration{0, 30, 100, 220, 450} {
		ctx, cancel := context.WithCancelCause(t.Context())
		timer := time.AfterFunc(after*time.Millisecond, func() { cancel(gaveUp) })
		_, err = Open(ctx, 3, WithPeerCuts(), WithProvider(containers{}.name()))
		timer.Stop()
		cancel(nil)
		require.Error(t, err, "given up after %d ms", after)
		ctrs, err := docker.api.ContainerList(t.Context(), client.ContainerListOptions{All: true, Filters: ours})
		require.NoError(t, err)
		require.Empty(t, ctrs.Items, "given up after %d ms", after)
		nets, err := docker.api.NetworkList(t.Context(), client.NetworkListOptions{Filters: ours})
		require.NoError(t, err)
		require.Empty(t, nets.Items, "given up after %d ms", after)
	}
}
