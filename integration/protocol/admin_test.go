package protocol

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/client/admin"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/trial"
)

// TestAdmin: every word of package client/admin, asked of real servers, says what the test
// knows of them otherwise.
func TestAdmin(t *testing.T) {
	t.Parallel()
	for _, count := range []int{1, 3} {
		t.Run(fmt.Sprintf("%d servers", count), func(t *testing.T) {
			e := ensemble.Start(t, count)
			servers, err := admin.NewServers(e.Connect())
			require.NoError(t, err)
			require.Len(t, servers, count)
			t.Run("srvr", func(t *testing.T) { adminModes(t, e, servers) })
			t.Run("mntr", func(t *testing.T) { adminFollowers(t, servers) })
			t.Run("conf", func(t *testing.T) { adminTick(t, e, servers) })
			t.Run("cons and wchs", func(t *testing.T) { adminSession(t, e, servers) })
			if count > 1 {
				t.Run("without a quorum", func(t *testing.T) { adminNoQuorum(t, e, servers) })
			}
		})
	}
}

func adminModes(t *testing.T, e *ensemble.Ensemble, servers []*admin.Server) {
	version, err := e.Version(t.Context())
	require.NoError(t, err)
	modes := map[admin.Mode]int{}
	for _, a := range admin.All(t.Context(), servers, (*admin.Server).Srvr) {
		require.NoError(t, a.Err)
		require.Equal(t, version, a.Value.Version.Number)
		require.Positive(t, a.Value.Nodes)
		require.Positive(t, a.Value.Connections)
		require.Equal(t, a.Value.Mode == admin.Leader, a.Value.Proposals != nil)
		modes[a.Value.Mode]++
		require.NoError(t, a.Server.Ruok(t.Context()))
		readOnly, err := a.Server.Isro(t.Context())
		require.NoError(t, err)
		require.False(t, readOnly)
	}
	want := map[admin.Mode]int{admin.Standalone: 1}
	if len(servers) > 1 {
		want = map[admin.Mode]int{admin.Leader: 1, admin.Follower: len(servers) - 1}
	}
	require.Equal(t, want, modes)
}

func adminFollowers(t *testing.T, servers []*admin.Server) {
	for _, a := range admin.All(t.Context(), servers, (*admin.Server).Mntr) {
		require.NoError(t, a.Err)
		require.Positive(t, a.Value.Nodes)
		require.Positive(t, a.Value.Uptime)
		require.Greater(t, len(a.Value.Values), 100)
		if a.Value.Mode == admin.Leader {
			require.EqualValues(t, len(servers)-1, a.Value.Leading.SyncedFollowers)
			require.EqualValues(t, len(servers)-1, a.Value.Leading.Learners)
		} else {
			require.Nil(t, a.Value.Leading)
		}
		// More than what fits into the 8 kB that others read.
		text, err := a.Server.Command(t.Context(), "mntr")
		require.NoError(t, err)
		require.Greater(t, len(text), 8<<10)
		require.True(t, strings.HasSuffix(text, "\n"))
	}
}

// adminTick: the servers' tick is what client.WithTick wants.
func adminTick(t *testing.T, e *ensemble.Ensemble, servers []*admin.Server) {
	ids := map[int64]bool{}
	var tick time.Duration
	for _, a := range admin.All(t.Context(), servers, (*admin.Server).Conf) {
		require.NoError(t, a.Err)
		ids[a.Value.ServerID] = true
		tick = a.Value.TickTime
		if len(servers) > 1 {
			require.Len(t, a.Value.Members, len(servers))
			require.Len(t, a.Value.QuorumPorts, 1)
		}
		if !e.Controllable() {
			require.Positive(t, tick)
			continue
		}
		require.Equal(t, 500*time.Millisecond, tick)
		require.Equal(t, time.Second, a.Value.MinSessionTimeout)
		require.Equal(t, time.Minute, a.Value.MaxSessionTimeout)
		require.Zero(t, a.Value.MaxClientConnections)
		if len(servers) > 1 {
			require.Equal(t, 10, a.Value.InitLimit)
			require.Equal(t, 4, a.Value.SyncLimit)
		}
	}
	require.Len(t, ids, len(servers))
	trial.Connect(t, e.Connect(), client.WithTick(tick))
}

// adminSession: our session and our watch are seen on the server that we are connected to,
// and on no other.
func adminSession(t *testing.T, e *ensemble.Ensemble, servers []*admin.Server) {
	ctx := trial.Within(t, time.Minute)
	before := admin.All(ctx, servers, (*admin.Server).Wchs)
	cl := trial.Connect(t, e.Connect(), client.WithSessionTimeout(7*time.Second))
	session, err := cl.Session(ctx)
	require.NoError(t, err)
	_, err = cl.Create(ctx, "/admin/watched", nil, client.WithParents())
	require.NoError(t, err)
	_, _, watch, err := cl.GetW(ctx, "/admin/watched")
	require.NoError(t, err)
	defer watch.Remove()

	seen := 0
	for i, a := range admin.All(ctx, servers, (*admin.Server).Cons) {
		require.NoError(t, a.Err)
		var more int64
		for _, c := range a.Value {
			if c.SessionID != session.ID() {
				continue
			}
			seen++
			more = 1
			require.Equal(t, trial.ServerOf(cl), a.Server.Addr())
			require.Equal(t, session.Timeout(), c.Timeout)
			require.WithinDuration(t, time.Now(), c.Established, 5*time.Minute)
			require.Positive(t, c.Received)
			require.NotEmpty(t, c.LastOp)
			require.NotEmpty(t, c.Remote)
		}
		watches, err := a.Server.Wchs(ctx)
		require.NoError(t, err)
		require.NoError(t, before[i].Err)
		require.Equal(t, before[i].Value.Watches+more, watches.Watches)
		require.Equal(t, before[i].Value.Paths+more, watches.Paths)
	}
	require.Equal(t, 1, seen)
}

// adminNoQuorum: the last of three servers answers that it does not serve, though it is ok.
func adminNoQuorum(t *testing.T, e *ensemble.Ensemble, servers []*admin.Server) {
	if !e.Controllable() {
		t.Skip("NOT TESTED: the servers cannot be killed")
	}
	ctx := trial.Within(t, time.Minute)
	for _, s := range e.Servers()[1:] {
		require.NoError(t, s.Kill(ctx))
	}
	adminAwait(ctx, t, func() bool {
		_, err := servers[0].Srvr(ctx)
		return errors.Is(err, admin.ErrNotServing)
	})
	require.NoError(t, servers[0].Ruok(ctx))
	_, err := servers[0].Isro(ctx)
	require.ErrorIs(t, err, admin.ErrNotServing)
	_, err = servers[0].Mntr(ctx)
	require.ErrorIs(t, err, admin.ErrNotServing)
	for i, a := range admin.All(ctx, servers, (*admin.Server).Srvr) {
		require.Error(t, a.Err)
		require.ErrorContains(t, a.Err, "srvr of "+servers[i].Addr())
		require.Equal(t, i == 0, errors.Is(a.Err, admin.ErrNotServing))
	}
}

// adminAwait asks until the answer is yes.
func adminAwait(ctx context.Context, t *testing.T, ask func() bool) {
	t.Helper()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for !ask() {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			require.Fail(t, "it never came", "%v", context.Cause(ctx))
		}
	}
}

// TestAdmin_NotAllowed: words that are not in the server's list, and one that no server knows.
func TestAdmin_NotAllowed(t *testing.T) {
	t.Parallel()
	e := ensemble.Start(t, 1, ensemble.WithConfig("4lw.commands.whitelist", "srvr, isro"))
	s, err := admin.NewServer(e.Servers()[0].Addr())
	require.NoError(t, err)
	ctx := trial.Within(t, time.Minute)
	_, err = s.Srvr(ctx)
	require.NoError(t, err)
	_, err = s.Isro(ctx)
	require.NoError(t, err)
	require.ErrorIs(t, s.Ruok(ctx), admin.ErrNotAllowed)
	_, err = s.Mntr(ctx)
	require.ErrorIs(t, err, admin.ErrNotAllowed)
	require.ErrorContains(t, err, "add mntr to 4lw.commands.whitelist")
	_, err = s.Command(ctx, "xyzw")
	require.ErrorIs(t, err, admin.ErrNoAnswer)
}

// TestAdmin_ReadOnly: what is left of an ensemble goes on in read-only mode.
func TestAdmin_ReadOnly(t *testing.T) {
	t.Setenv("JDK_JAVA_OPTIONS", "-Dreadonlymode.enabled=true") // it does not work from zoo.cfg
	e := adminJVM(t, 3)
	ctx := trial.Within(t, time.Minute)
	s, err := admin.NewServer(e.Servers()[0].Addr())
	require.NoError(t, err)
	for _, other := range e.Servers()[1:] {
		require.NoError(t, other.Kill(ctx))
	}
	adminAwait(ctx, t, func() bool {
		stats, err := s.Srvr(ctx)
		return err == nil && stats.Mode == admin.ReadOnly
	})
	readOnly, err := s.Isro(ctx)
	require.NoError(t, err)
	require.True(t, readOnly)
	m, err := s.Mntr(ctx)
	require.NoError(t, err)
	require.Equal(t, admin.ReadOnly, m.Mode)
	_, err = s.Conf(ctx)
	require.NoError(t, err)
}

// TestAdmin_Endpoint: the admin endpoint and the client port of a real server say the same.
func TestAdmin_Endpoint(t *testing.T) {
	if os.Getenv("ZOOKEEPER_HOME") == "" {
		// Debian's ZooKeeper has all that its admin endpoint needs but this in its class path.
		const servlets = "/usr/share/java/servlet-api.jar"
		if _, err := os.Stat(servlets); err != nil {
			t.Skipf("NOT TESTED: Debian's ZooKeeper needs one more jar for its admin endpoint (apt-get install libservlet-api-java): %v", err)
		}
		t.Setenv("JDK_JAVA_OPTIONS", "-Xbootclasspath/a:"+filepath.Clean(servlets))
	}
	port := adminFreePort(t)
	e := adminJVM(t, 1, ensemble.WithConfig("admin.enableServer", "true"),
		ensemble.WithConfig("admin.serverAddress", "127.0.0.1"), ensemble.WithConfig("admin.serverPort", port))
	addr := e.Servers()[0].Addr()
	words, err := admin.NewServer(addr)
	require.NoError(t, err)
	endpoint, err := admin.NewServer(addr, admin.WithAdminURL("http://127.0.0.1:"+port))
	require.NoError(t, err)
	ctx := trial.Within(t, time.Minute)
	cl := trial.Connect(t, addr)
	session, err := cl.Session(ctx)
	require.NoError(t, err)
	_, err = cl.Create(ctx, "/endpoint", nil)
	require.NoError(t, err)
	_, _, watch, err := cl.GetW(ctx, "/endpoint")
	require.NoError(t, err)
	defer watch.Remove()
	both := []*admin.Server{words, endpoint}

	for _, s := range both {
		require.NoError(t, s.Ruok(ctx))
		readOnly, err := s.Isro(ctx)
		require.NoError(t, err)
		require.False(t, readOnly)
		watches, err := s.Wchs(ctx)
		require.NoError(t, err)
		require.Equal(t, admin.WatchSummary{Connections: 1, Paths: 1, Watches: 1}, *watches)
		connections, err := s.Cons(ctx)
		require.NoError(t, err)
		found := false
		for _, c := range connections {
			found = found || c.SessionID == session.ID() && c.Timeout == session.Timeout()
		}
		require.True(t, found, "%v: %v", s, connections)
	}
	stats := admin.All(ctx, both, (*admin.Server).Srvr)
	all := admin.All(ctx, both, (*admin.Server).Mntr)
	settings := admin.All(ctx, both, (*admin.Server).Conf)
	for i := range both {
		require.NoError(t, stats[i].Err)
		require.NoError(t, all[i].Err)
		require.NoError(t, settings[i].Err)
	}
	for _, s := range []*admin.Srvr{stats[0].Value, stats[1].Value} {
		require.Positive(t, s.Received)
		s.Received, s.Sent, s.Connections, s.Latency = 0, 0, 0, admin.Latency{} // they go on
	}
	require.Equal(t, stats[0].Value, stats[1].Value)
	require.Equal(t, all[0].Value.Nodes, all[1].Value.Nodes)
	require.Equal(t, all[0].Value.Mode, all[1].Value.Mode)
	require.Equal(t, all[0].Value.Version, all[1].Value.Version)
	for name := range all[0].Value.Values {
		require.Contains(t, all[1].Value.Values, name)
	}
	for name, value := range settings[1].Value.Values {
		require.Equal(t, settings[0].Value.Values[name], value, name)
	}
	require.Equal(t, 500*time.Millisecond, settings[1].Value.TickTime)

	_, err = endpoint.Command(ctx, "nonsense")
	require.ErrorContains(t, err, "Unknown command")
	text, err := endpoint.Command(ctx, "last_snapshot")
	require.NoError(t, err)
	require.Contains(t, text, "timestamp")
}

// TestAdmin_TLS: the words go through TLS to a real server's secure client port.
func TestAdmin_TLS(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	e := adminJVM(t, 1, ca.servers(t))
	addr := e.Servers()[0].TLSAddr()
	_, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	ctx := trial.Within(t, time.Minute)
	secure, err := admin.NewServer(addr, admin.WithTLS(ca.config(t, "client")))
	require.NoError(t, err)
	adminAwait(ctx, t, func() bool { return secure.Ruok(ctx) == nil }) // the server opens it after the other
	stats, err := secure.Srvr(ctx)
	require.NoError(t, err)
	require.Equal(t, admin.Standalone, stats.Mode)
	connections, err := secure.Cons(ctx)
	require.NoError(t, err)
	require.NotEmpty(t, connections)
	m, err := secure.Mntr(ctx)
	require.NoError(t, err)
	require.Greater(t, len(m.Values), 100)
	c, err := secure.Conf(ctx)
	require.NoError(t, err)
	require.Equal(t, port, strconv.Itoa(c.SecureClientPort))

	strict, err := admin.NewServer(addr, admin.WithTLS(&tls.Config{MinVersion: tls.VersionTLS12}))
	require.NoError(t, err)
	require.ErrorContains(t, strict.Ruok(ctx), "unknown authority")
	nobody, err := admin.NewServer(addr, admin.WithTLS(&tls.Config{RootCAs: ca.pool, MinVersion: tls.VersionTLS12}))
	require.NoError(t, err)
	require.Regexp(t, "remote error: tls: (handshake failure|bad certificate|certificate required)", nobody.Ruok(ctx), "it has no certificate; which of these says so is Java's choice")
	toPlain, err := admin.NewServer(e.Servers()[0].Addr(), admin.WithTLS(ca.config(t, "client")))
	require.NoError(t, err)
	require.ErrorContains(t, toPlain.Ruok(ctx), "TLS: ")
	toSecure, err := admin.NewServer(addr, admin.WithTimeout(time.Second))
	require.NoError(t, err)
	require.Error(t, toSecure.Ruok(ctx))
}

// adminJVM starts servers as local Java processes, which take options from JDK_JAVA_OPTIONS.
func adminJVM(t *testing.T, servers int, opts ...ensemble.Option) *ensemble.Ensemble {
	t.Helper()
	opts = append(opts, ensemble.WithProvider("jvm"))
	e, err := ensemble.Open(t.Context(), servers, opts...)
	if errors.Is(err, ensemble.ErrNoProvider) {
		t.Skipf("NOT TESTED: %v", err)
	}
	require.NoError(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			for _, s := range e.Servers() {
				t.Logf("log of %v:\n%s", s, s.Logs())
			}
		}
		require.NoError(t, e.Close())
	})
	return e
}

// adminFreePort is a port that nobody listens at, as yet.
func adminFreePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
}
