package recipes_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

// expire ends the client's session.
func expire(srv *zktest.Server, cl *client.Client) { srv.ExpireSession(cl.State().SessionID) }

// In a new session what is missing is believed once a quorum has committed something there, and only
// then is anything written.
func TestMirrorInANewSession(t *testing.T) {
	bubble(t, func(t *testing.T, srv *zktest.Server, cl *client.Client) {
		m := startMirror(t, cl, recipes.MirrorConfig{})
		r := replicate(t, m)
		time.Sleep(calm)
		counts(srv)
		expire(srv, cl)
		time.Sleep(calm)
		require.Equal(t, map[string]int{"setWatches2": 1, "sync": 1, "getData": 5, "getChildren2": 3}, counts(srv), "nothing has changed")
		expire(srv, cl)
		require.NoError(t, srv.Delete("/tree/a"))
		require.NoError(t, srv.Set("/tree/b", []byte("new")))
		require.NoError(t, srv.Create("/tree/c/d", nil))
		time.Sleep(calm)
		require.Equal(t, 1, counts(srv)["multi"], "the confirmation")
		same(t, srv, m, r)
	}, zktest.WithFixture(wood))
}

// Kazoo's and Curator's caches compare versions: one that was deleted and made again with the same version is another
// node, also if that happened while nobody was connected (CURATOR-391, and CuratorCache).
func TestMirrorSeesANodeMadeAgain(t *testing.T) {
	bubble(t, func(t *testing.T, srv *zktest.Server, cl *client.Client) {
		m := startMirror(t, cl, recipes.MirrorConfig{})
		r := replicate(t, m)
		for _, change := range []func(){func() { srv.DropConnections() }, func() { expire(srv, cl) }, func() {}} {
			change()
			require.NoError(t, srv.Delete("/tree/b"))
			require.NoError(t, srv.Create("/tree/b", []byte("5")))
			time.Sleep(calm)
			same(t, srv, m, r)
		}
	}, zktest.WithFixture(wood))
}

// Servers that have lost their data, or got older data back, are believed: the mirror does not insist on
// newer transactions for ever.
func TestMirrorOfServersThatLostTheirData(t *testing.T) {
	bubble(t, func(t *testing.T, srv *zktest.Server, cl *client.Client) {
		m := startMirror(t, cl, recipes.MirrorConfig{})
		r := replicate(t, m)
		r.backward = true
		for i := range 100 {
			require.NoError(t, srv.Set("/tree/b", []byte(fmt.Sprint(i))))
		}
		srv.Wipe()
		require.NoError(t, srv.Create("/tree/b", []byte("old")))
		require.NoError(t, srv.Create("/tree/a/x", []byte("old")))
		time.Sleep(3 * time.Minute)
		same(t, srv, m, r)
	}, zktest.WithFixture(wood))
}

// A server that lags behind brings nothing back: neither old data nor what was deleted. Nor does one in
// read-only mode, which does not know what is new either.
func TestMirrorAtAServerThatLags(t *testing.T) {
	for _, readOnly := range []bool{false, true} {
		runInBubble(t, fmt.Sprintf("read-only %v", readOnly), func(t *testing.T) {
			srv := zktest.Start(t, inMemory, zktest.WithServers(2), zktest.WithFixture(wood))
			opts := []client.Option{client.WithDialer(srv.Dial), client.WithSessionTimeout(4 * time.Second)}
			if readOnly {
				opts = append(opts, client.WithReadOnly())
			}
			cl, err := client.Connect(t.Context(), srv.ConnectString(), opts...)
			require.NoError(t, err)
			t.Cleanup(func() { _ = cl.Close() })
			m := startMirror(t, cl, recipes.MirrorConfig{})
			r := replicate(t, m)
			time.Sleep(calm)
			at := 0
			if srv.Doors()[1].Connections() > 0 {
				at = 1
			}
			other := srv.Doors()[1-at]
			other.Lag()
			if readOnly {
				other.SetReadOnly(true)
			}
			require.NoError(t, srv.Set("/tree/b", []byte("new")))
			require.NoError(t, srv.Create("/tree/c", nil))
			require.NoError(t, srv.Delete("/tree/a"))
			time.Sleep(calm)
			have := shows(m)
			require.Equal(t, map[string]string{"/tree": "r", "/tree/b": "new", "/tree/c": ""}, have)
			srv.Doors()[at].Kill()
			time.Sleep(time.Minute)
			if readOnly {
				require.Equal(t, client.ReadOnly, cl.State().State)
			}
			require.False(t, m.State().Synced)
			now := shows(m)
			require.Equal(t, "new", now["/tree/b"])
			require.Contains(t, now, "/tree/c")
			if readOnly {
				other.SetReadOnly(false)
			}
			other.CatchUp()
			same(t, srv, m, r)
		})
	}
}

// A refused watch is set again, and what was missed is read.
func TestMirrorWhoseWatchIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T, srv *zktest.Server, cl *client.Client) {
		m := startMirror(t, cl, recipes.MirrorConfig{})
		r := replicate(t, m)
		refuse := zktest.Match{Ops: []zktest.Op{zktest.OpAddWatch}}
		srv.FailNext(zktest.Match{Ops: []zktest.Op{zktest.OpSetWatches2}}, zktest.Unimplemented)
		srv.FailNext(refuse, zktest.Unimplemented)
		expire(srv, cl)
		require.NoError(t, srv.Set("/tree/b", []byte("new")))
		time.Sleep(700 * time.Millisecond)
		require.ErrorIs(t, m.State().Err, client.ErrUnimplemented)
		time.Sleep(time.Minute)
		same(t, srv, m, r)
		require.NoError(t, m.State().Err)
	}, zktest.WithFixture(wood))
}

// StartMirror is cancelled, and each request of it meets a fault.
func TestStartMirrorAtEachRequest(t *testing.T) {
	for what, fault := range map[string]func(*zktest.Server, context.CancelFunc, zktest.Match){
		"cancelled":  func(_ *zktest.Server, cancel context.CancelFunc, _ zktest.Match) { cancel() },
		"lost":       func(srv *zktest.Server, _ context.CancelFunc, on zktest.Match) { srv.DropRequest(on) },
		"reply lost": func(srv *zktest.Server, _ context.CancelFunc, on zktest.Match) { srv.SwallowReply(on) },
	} {
		for at := 1; ; at++ {
			seen := 0
			runInBubble(t, fmt.Sprint(what, at), func(t *testing.T) {
				srv := zktest.Start(t, inMemory, zktest.WithFixture(wood))
				cl := connect(t, srv)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				srv.OnRequest(func(r zktest.Request) { // of one connection
					if r.Op != zktest.OpPing && r.Op != zktest.OpConnect {
						if seen++; seen == at {
							fault(srv, cancel, zktest.Match{Ops: []zktest.Op{r.Op}})
						}
					}
				})
				m, err := recipes.StartMirror(ctx, cl, tree, recipes.MirrorConfig{})
				if err == nil {
					require.Len(t, shows(m), 5)
					m.Close()
				} else {
					require.ErrorIs(t, err, context.Canceled)
					require.Equal(t, "cancelled", what)
				}
				time.Sleep(calm)
				require.Zero(t, srv.Watches())
			})
			if seen < at {
				require.Greater(t, at, 6)
				break
			}
		}
	}
}

// Close comes at any time, and leaves nothing.
func TestMirrorIsClosedAtAnyTime(t *testing.T) {
	for at := range 40 {
		synctest.Test(t, func(t *testing.T) {
			srv := zktest.Start(t, inMemory, zktest.WithFixture(wood))
			cl := connect(t, srv)
			m := startMirror(t, cl, recipes.MirrorConfig{Rate: 5})
			srv.DropConnections()
			time.Sleep(time.Duration(at) * 50 * time.Millisecond)
			m.Close()
			time.Sleep(calm)
			require.Zero(t, srv.Watches())
		})
	}
}
