package lock_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/lock"
	"github.com/zookit/zookit/zktest"
)

// lifetime is that of the sessions in the tests of this file.
const lifetime = time.Second

// member opens a client of all servers, in the time of a bubble, and tells its door.
func member(t *testing.T, srv *zktest.Server) (*client.Client, *zktest.Door) {
	t.Helper()
	cl, err := client.Connect(t.Context(), srv.ConnectString(), client.WithDialer(srv.Dial), client.WithSessionTimeout(lifetime))
	require.NoError(t, err)
	t.Cleanup(func() { _ = cl.Close() })
	for _, d := range srv.Doors() {
		if d.Addr() == cl.State().Server {
			return cl, d
		}
	}
	require.FailNow(t, "the client is at no door")
	return nil, nil
}

// Another client waits while the holder meets with something. It has the lock when the
// holder's context has ended and not before, with a greater token; or the holder keeps it,
// in the same session, until it gives it back.
func TestHandOverUnderFailures(t *testing.T) {
	releases := zktest.On(path+"/*", zktest.OpDelete)
	for name, tc := range map[string]struct {
		fault func(srv *zktest.Server, cl *client.Client, door *zktest.Door)
		kept  bool
		early bool // the servers end the session before its time, so that both learn of it at once
	}{
		"the session expires": {early: true, fault: func(srv *zktest.Server, cl *client.Client, _ *zktest.Door) {
			srv.ExpireSession(cl.State().SessionID)
		}},
		"no server can be reached for long": {fault: func(srv *zktest.Server, _ *client.Client, _ *zktest.Door) {
			srv.Refuse()
			srv.DropConnections()
			time.Sleep(2 * lifetime)
			srv.Accept()
		}},
		"all servers stand still for long": {fault: func(srv *zktest.Server, _ *client.Client, _ *zktest.Door) {
			srv.Freeze()
			time.Sleep(2 * lifetime)
			srv.Thaw()
		}},
		"the servers lose their quorum for long": {fault: func(srv *zktest.Server, _ *client.Client, _ *zktest.Door) {
			srv.SetReadOnly(true)
			time.Sleep(2 * lifetime)
			srv.SetReadOnly(false)
		}},
		"its server dies":          {kept: true, fault: func(_ *zktest.Server, _ *client.Client, door *zktest.Door) { door.Kill() }},
		"its server stands still":  {kept: true, fault: func(_ *zktest.Server, _ *client.Client, door *zktest.Door) { door.Freeze() }},
		"its server is cut off":    {kept: true, fault: func(_ *zktest.Server, _ *client.Client, door *zktest.Door) { door.SetReadOnly(true) }},
		"the connections are lost": {kept: true, fault: func(srv *zktest.Server, _ *client.Client, _ *zktest.Door) { srv.DropConnections() }},
		"the unlock is lost":       {kept: true, fault: func(srv *zktest.Server, _ *client.Client, _ *zktest.Door) { srv.DropRequest(releases) }},
		"the unlock's reply is lost": {kept: true, fault: func(srv *zktest.Server, _ *client.Client, _ *zktest.Door) {
			srv.SwallowReply(releases)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := zktest.Start(t, inMemory, zktest.WithServers(3), zktest.WithTick(50*time.Millisecond))
				cl, door := member(t, srv)
				first, err := lock.NewMutex(cl, path).Lock(bounded(t))
				require.NoError(t, err)
				other, _ := member(t, srv)
				type taken struct {
					held *lock.Held
					at   error // how the first one's context stood then
					err  error
				}
				next := make(chan taken, 1)
				go func() {
					for {
						held, err := lock.NewMutex(other, path).Lock(bounded(t))
						if err == nil || t.Context().Err() != nil {
							next <- taken{held, first.Context().Err(), err}
							return
						}
					}
				}()
				synctest.Wait()
				require.Len(t, contenders(srv), 2)

				tc.fault(srv, cl, door)
				if tc.kept {
					time.Sleep(10 * lifetime)
					require.NoError(t, first.Err())
					require.Empty(t, next)
					require.EqualValues(t, 1, cl.State().Epoch)
					require.NoError(t, first.Unlock(bounded(t)))
				}
				got := <-next
				require.NoError(t, got.err)
				if tc.early {
					<-first.Context().Done()
				} else {
					require.ErrorIs(t, got.at, context.Canceled, "two at once")
				}
				require.Greater(t, got.held.Token(), first.Token())
				if !tc.kept {
					require.ErrorIs(t, first.Err(), lock.ErrLost)
					_ = first.Unlock(bounded(t))
				}
				require.NoError(t, got.held.Err(), "the unlock of what is lost takes nothing from others")
				door.Thaw()
				require.NoError(t, got.held.Unlock(bounded(t)))
				require.Empty(t, contenders(srv))
				require.Zero(t, srv.Watches())
			})
		})
	}
}
