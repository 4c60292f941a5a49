package zktest_test

import (
	"context"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

func memory(t testing.TB, opts ...zktest.Option) *zktest.Server {
	t.Helper()
	return zktest.Start(t, append(opts, zktest.WithInMemoryNetwork())...)
}

// reach opens a connection to a server in memory.
func reach(t testing.TB, s *zktest.Server) net.Conn {
	t.Helper()
	nc, err := s.Dial(t.Context(), "tcp", s.Addr())
	require.NoError(t, err)
	t.Cleanup(func() { _ = nc.Close() })
	return nc
}

// A session of our own client lives in the time of the bubble: it is kept while nothing
// happens, and expires when its client has been cut off for long enough.
func TestSessionInVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memory(t)
		began := time.Now()
		cl, err := client.Connect(t.Context(), s.Addr(), client.WithDialer(s.Dial), client.WithSessionTimeout(10*time.Second))
		require.NoError(t, err)
		defer func() { _ = cl.Close() }()
		_, err = cl.Create(t.Context(), "/worker", nil, client.WithMode(client.Ephemeral))
		require.NoError(t, err)
		id := cl.State().SessionID

		time.Sleep(time.Hour)
		_, there := s.Node("/worker")
		require.True(t, there, "pings keep the session")
		require.Equal(t, id, cl.State().SessionID)

		gone := make(chan struct{})
		states, stop := context.WithCancel(t.Context())
		defer stop()
		go func() {
			for change := range cl.States(states) {
				if change.State == client.Lost {
					close(gone)
					return
				}
			}
		}()
		cut := time.Now()
		s.Refuse()
		s.DropConnections()
		<-gone
		require.Less(t, time.Since(cut), 10*time.Second, "the client gives its session up before the server does")
		time.Sleep(12 * time.Second)
		_, there = s.Node("/worker")
		require.False(t, there)
		require.Empty(t, s.Sessions())
		s.Accept()
		_, err = cl.Create(t.Context(), "/worker", nil, client.WithMode(client.Ephemeral))
		require.NoError(t, err)
		require.NotEqual(t, id, cl.State().SessionID)
		require.Greater(t, time.Since(began), time.Hour)
	})
}

// A silent session expires at the tick after its timeout, to the millisecond.
func TestExpiryInVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memory(t)
		w := &wire{t: t, nc: reach(t, s)}
		began := time.Now()
		w.connect(&jute.ConnectRequest{TimeoutMillis: 4200})
		w.mustCreate("/e", jute.FlagEphemeral)
		w.createTTL("/ttl", time.Hour)
		w.closed()
		require.Equal(t, 4500*time.Millisecond, time.Since(began))
		_, there := s.Node("/e")
		require.False(t, there)
		time.Sleep(time.Hour - 4500*time.Millisecond)
		synctest.Wait()
		_, there = s.Node("/ttl")
		require.True(t, there)
		time.Sleep(time.Millisecond)
		synctest.Wait()
		_, there = s.Node("/ttl")
		require.False(t, there)
	})
}

// The faults work in memory too.
func TestFaultsInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memory(t)
		w := &wire{t: t, nc: reach(t, s)}
		w.connect(&jute.ConnectRequest{TimeoutMillis: 10_000})
		s.SwallowReply(zktest.On("/a"))
		w.send(jute.OpCreate, &jute.CreateRequest{Path: "/a", ACL: anyone(31)})
		w.closed()
		_, there := s.Node("/a")
		require.True(t, there)

		s.Refuse()
		nc := reach(t, s)
		_, err := nc.Read(make([]byte, 1))
		require.ErrorIs(t, err, syscall.ECONNRESET)
		s.Accept()
		s.Freeze()
		w = &wire{t: t, nc: reach(t, s)}
		w.write(&jute.ConnectRequest{TimeoutMillis: 10_000, Password: make([]byte, 16)})
		require.NoError(t, w.nc.SetReadDeadline(time.Now().Add(time.Minute)))
		began := time.Now()
		_, err = w.nc.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, time.Minute, time.Since(began))
		s.Thaw()
		require.NoError(t, w.nc.SetReadDeadline(time.Time{}))
		require.NotEmpty(t, w.read())
		require.Equal(t, "imok", string(must(io.ReadAll(say(t, s, "ruok")))))
	})
}

func say(t *testing.T, s *zktest.Server, text string) net.Conn {
	t.Helper()
	nc := reach(t, s)
	_, err := nc.Write([]byte(text))
	require.NoError(t, err)
	return nc
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestDial(t *testing.T) {
	ctx := t.Context()
	a, b, socket := memory(t), memory(t), zktest.Start(t)
	dial := zktest.Dialer(a, b, socket)
	for _, s := range []*zktest.Server{a, b, socket} {
		for range 2 {
			nc, err := dial(ctx, "tcp", s.Addr())
			require.NoError(t, err)
			w := &wire{t: t, nc: nc}
			w.connect(&jute.ConnectRequest{TimeoutMillis: 10_000})
			w.call(jute.OpWhoAmI, nil, &jute.WhoAmIReply{})
			require.Equal(t, s.Addr(), nc.RemoteAddr().String())
			require.NoError(t, nc.Close())
		}
		require.Equal(t, 2, s.Accepted())
	}
	_, err := dial(ctx, "tcp", "127.0.0.1:1")
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	_, err = a.Dial(ctx, "tcp", b.Addr())
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	require.ErrorContains(t, err, a.Addr())
	require.NoError(t, a.Close())
	_, err = a.Dial(ctx, "tcp", a.Addr())
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	_, err = b.Dial(cancelled, "tcp", b.Addr())
	require.ErrorIs(t, err, context.Canceled)
}

// Servers listen where they are told to, and whoever is told an address that is taken hears which.
func TestAddresses(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	taken := ln.Addr().String()

	_, err = zktest.NewServer(zktest.WithServers(2), zktest.WithAddresses("127.0.0.1:0", taken))
	require.ErrorContains(t, err, "server 2")
	require.ErrorContains(t, err, taken)

	require.NoError(t, ln.Close())
	s := zktest.Start(t, zktest.WithServers(2), zktest.WithAddresses(taken))
	require.Equal(t, taken, s.Doors()[0].Addr())
	require.NotEqual(t, taken, s.Doors()[1].Addr())

	for _, opts := range [][]zktest.Option{
		{zktest.WithAddresses("nonsense")},
		{zktest.WithAddresses(taken, taken)},
		{zktest.WithAddresses(taken), zktest.WithInMemoryNetwork()},
	} {
		_, err := zktest.NewServer(opts...)
		require.ErrorContains(t, err, "WithAddresses")
	}
}
