package config_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/config"
	"github.com/zookit/zookit/zktest"
)

const settle = 10 * time.Second

func children(t *testing.T, srv *zktest.Server) *config.Children {
	t.Helper()
	c, err := config.WatchChildren(bounded(t), connect(t, srv), "/workers", settle)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// A burst of changes is told once, when it is over, and costs one list.
func TestChildrenSettle(t *testing.T) {
	inBubble(t, "burst", func(t *testing.T) {
		srv := zktest.Start(t, inMemory, zktest.WithFixture(`{"/workers": {"/a": ""}}`))
		c := children(t, srv)
		require.Equal(t, []string{"a"}, c.Load())
		updates := follow(t, c.Updates)
		require.Equal(t, "[a]", wait(t, "the first", updates))
		pass(2 * settle)
		srv.ResetRequests()
		begin := time.Now()
		for i := range 5 {
			pass(settle / 2)
			require.NoError(t, srv.Create(fmt.Sprintf("/workers/b%d", i), nil))
		}
		require.Equal(t, "[a b0 b1 b2 b3 b4]", wait(t, "the burst", updates))
		require.InDelta(t, 3.5*settle.Seconds(), time.Since(begin).Seconds(), 1)
		require.Equal(t, map[string]int{"getChildren2": 1}, ops(srv))
		require.NoError(t, srv.Set("/workers", nil))
		require.NoError(t, srv.Create("/workers/c", nil))
		require.NoError(t, srv.Delete("/workers/c"))
		require.NoError(t, srv.Delete("/workers/a"))
		require.Equal(t, "[b0 b1 b2 b3 b4]", wait(t, "what is left", updates), "and nothing of c, that came and went")
	})
	inBubble(t, "no rest", func(t *testing.T) {
		srv := zktest.Start(t, inMemory, zktest.WithFixture(`{"/workers": ""}`))
		updates := follow(t, children(t, srv).Updates)
		wait(t, "the first", updates)
		pass(2 * settle)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := 0; ctx.Err() == nil; i++ {
				_ = srv.Create(fmt.Sprintf("/workers/%d", i), nil)
				pass(settle / 2)
			}
		}()
		begin := time.Now()
		select {
		case <-updates:
		case <-time.After(20 * settle):
			t.Error("never told, since it never rests")
		}
		require.LessOrEqual(t, time.Since(begin), 11*settle)
		cancel()
		<-done
	})
}

// Kazoo's patient watch ends with the connection, and a ChildrenWatch with its node.
func TestChildrenGoOn(t *testing.T) {
	inBubble(t, "on", func(t *testing.T) {
		srv := zktest.Start(t, inMemory, zktest.WithFixture(`{"/workers": {"/a": ""}}`))
		c := children(t, srv)
		updates := follow(t, c.Updates)
		require.Equal(t, "[a]", wait(t, "the first", updates))
		srv.DropConnections()
		require.NoError(t, srv.Create("/workers/b", nil))
		require.Equal(t, "[a b]", wait(t, "what has changed meanwhile", updates))
		for _, s := range srv.Sessions() {
			srv.ExpireSession(s.ID)
		}
		require.NoError(t, srv.Create("/workers/c", nil))
		require.Equal(t, "[a b c]", wait(t, "what has changed meanwhile", updates))
		require.NoError(t, srv.Delete("/workers"))
		require.Equal(t, "[]", wait(t, "the end", updates))
		require.False(t, c.Exists())
		require.NoError(t, srv.Create("/workers", nil))
		require.Equal(t, "[]", wait(t, "the node again", updates))
		require.True(t, c.Exists())
		require.NoError(t, srv.Create("/workers/d", nil))
		require.Equal(t, "[d]", wait(t, "its child", updates))
	})
}

// A server that lags behind brings nothing old back.
func TestChildrenOfALaggingServer(t *testing.T) {
	inBubble(t, "lag", func(t *testing.T) {
		srv := zktest.Start(t, inMemory, zktest.WithServers(2), zktest.WithFixture(`{"/workers": {"/a": ""}}`))
		c := children(t, srv)
		updates := follow(t, c.Updates)
		wait(t, "the first", updates)
		at := doorOf(srv)
		other := srv.Doors()[1-at]
		other.Lag()
		require.NoError(t, srv.Delete("/workers/a"))
		require.Equal(t, "[]", wait(t, "the change", updates))
		srv.Doors()[at].Kill()
		for _, s := range srv.Sessions() { // the next session begins at the other one
			srv.ExpireSession(s.ID)
		}
		pass(settle)
		require.Empty(t, c.Load())
		other.CatchUp()
		require.NoError(t, srv.Create("/workers/b", nil))
		require.Equal(t, "[b]", wait(t, "the next change", updates))
	})
}

// So does one in read-only mode, which opens sessions of its own.
func TestChildrenOfAReadOnlyServer(t *testing.T) {
	inBubble(t, "read-only", func(t *testing.T) {
		srv := zktest.Start(t, inMemory, zktest.WithServers(2), zktest.WithFixture(`{"/workers": {"/a": ""}}`))
		cl := connect(t, srv, client.WithReadOnly(), client.WithSessionTimeout(4*time.Second))
		c, err := config.WatchChildren(bounded(t), cl, "/workers", settle)
		require.NoError(t, err)
		t.Cleanup(c.Close)
		at := doorOf(srv)
		other := srv.Doors()[1-at]
		other.Lag()
		other.SetReadOnly(true)
		require.NoError(t, srv.Delete("/workers/a"))
		pass(2 * settle)
		require.Empty(t, c.Load())
		srv.Doors()[at].Kill()
		pass(4 * settle)
		require.Equal(t, client.ReadOnly, cl.State().State)
		require.Empty(t, c.Load(), "and nothing old")
		other.CatchUp()
		other.SetReadOnly(false)
		require.NoError(t, srv.Create("/workers/b", nil))
		pass(4 * settle)
		require.Equal(t, []string{"b"}, c.Load())
		require.NoError(t, c.Err())
	})
}

// doorOf is the door that the one client is connected to.
func doorOf(srv *zktest.Server) int {
	for i, d := range srv.Doors() {
		if d.Connections() > 0 {
			return i
		}
	}
	return -1
}

func TestChildrenEnd(t *testing.T) {
	srv := zktest.Start(t)
	cl := connect(t, srv)
	c, err := config.WatchChildren(bounded(t), cl, "/workers", 0)
	require.NoError(t, err)
	require.False(t, c.Exists())
	n := 0
	for _, err := range c.Updates(t.Context()) {
		require.NoError(t, err)
		n++
		c.Close()
	}
	require.Equal(t, 1, n)
	c.Close()
	comes(t, 0, srv.Watches)

	c, err = config.WatchChildren(bounded(t), cl, "/workers", 0)
	require.NoError(t, err)
	require.NoError(t, cl.Close())
	comes(t, true, func() bool { return c.Err() != nil })
	require.ErrorIs(t, c.Err(), client.ErrClosed)
	c.Close()
	_, err = config.WatchChildren(t.Context(), cl, "/workers", 0)
	require.ErrorIs(t, err, client.ErrClosed)
	_, err = config.WatchChildren(t.Context(), cl, "/workers", -1)
	require.ErrorIs(t, err, client.ErrBadArgument)
	_, err = config.WatchChildren(t.Context(), nil, "/workers", 0)
	require.ErrorIs(t, err, client.ErrBadArgument)
}
