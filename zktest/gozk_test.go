package zktest_test

import (
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/zktest"
)

type silent struct{}

func (silent) Printf(string, ...any) {}

// oneHost makes the library connect again at once.
type oneHost string

func (h oneHost) Init([]string) error  { return nil }
func (h oneHost) Len() int             { return 1 }
func (h oneHost) Next() (string, bool) { return string(h), false }
func (h oneHost) Connected()           {}

// goZK connects the library and returns the states that it goes through.
func goZK(t *testing.T, s *zktest.Server) (*zk.Conn, <-chan zk.State) {
	t.Helper()
	states := make(chan zk.State, 1000)
	c, events, err := zk.Connect([]string{s.Addr()}, 5*time.Second, zk.WithLogger(silent{}), zk.WithLogInfo(false),
		zk.WithHostProvider(oneHost(s.Addr())),
		zk.WithEventCallback(func(ev zk.Event) {
			if ev.Type == zk.EventSession {
				states <- ev.State
			}
		}))
	require.NoError(t, err)
	t.Cleanup(func() {
		c.Close()
		for range events { // closed when the library's goroutines have ended
		}
	})
	awaitState(t, states, zk.StateHasSession)
	return c, states
}

func awaitState(t *testing.T, states <-chan zk.State, want zk.State) {
	t.Helper()
	timeout := time.After(deadline)
	for {
		select {
		case st := <-states:
			if st == want {
				return
			}
		case <-timeout:
			require.FailNow(t, "waited in vain for the state "+want.String())
		}
	}
}

func TestGoZookeeperClient(t *testing.T) {
	s := zktest.Start(t)
	c, _ := goZK(t, s)
	acl := zk.WorldACL(zk.PermAll)
	p, err := c.Create("/a", []byte("one"), 0, acl)
	require.NoError(t, err)
	require.Equal(t, "/a", p)
	p, err = c.Create("/a/n-", nil, zk.FlagEphemeral|zk.FlagSequence, acl)
	require.NoError(t, err)
	require.Equal(t, "/a/n-0000000000", p)
	data, stat, err := c.Get("/a")
	require.NoError(t, err)
	require.Equal(t, "one", string(data))
	require.EqualValues(t, 1, stat.Cversion)
	require.EqualValues(t, 1, stat.NumChildren)
	_, _, ch, err := c.ChildrenW("/a")
	require.NoError(t, err)
	require.NoError(t, c.Delete(p, -1))
	ev := <-ch
	require.Equal(t, zk.EventNodeChildrenChanged, ev.Type)
	_, err = c.Set("/a", nil, 7)
	require.ErrorIs(t, err, zk.ErrBadVersion)
	res, err := c.Multi(&zk.CreateRequest{Path: "/b", Acl: acl}, &zk.CheckVersionRequest{Path: "/a", Version: 9}, &zk.DeleteRequest{Path: "/a"})
	require.ErrorIs(t, err, zk.ErrBadVersion)
	require.Len(t, res, 3)
	_, err = c.Sync("/a")
	require.NoError(t, err)
	_, err = c.CreateContainer("/cont", nil, zk.FlagContainer, acl)
	require.NoError(t, err)
	_, err = c.CreateTTL("/ttl", nil, zk.FlagTTL, acl, time.Minute)
	require.NoError(t, err)
	require.NoError(t, c.AddAuth("digest", []byte("u:p")))
	l := zk.NewLock(c, "/lock", acl)
	require.NoError(t, l.Lock())
	require.NoError(t, l.Unlock())
}

func TestGoZookeeperReconnects(t *testing.T) {
	s := zktest.Start(t)
	c, states := goZK(t, s)
	id := c.SessionID()
	_, err := c.Create("/e", nil, zk.FlagEphemeral, zk.WorldACL(zk.PermAll))
	require.NoError(t, err)
	_, _, before, err := c.GetW("/e")
	require.NoError(t, err)
	_, _, missed, err := c.ExistsW("/missed")
	require.NoError(t, err)

	s.Refuse()
	s.DropConnections()
	awaitState(t, states, zk.StateDisconnected)
	require.NoError(t, s.Create("/missed", nil)) // while it is away
	s.Accept()
	awaitState(t, states, zk.StateHasSession)
	require.Equal(t, id, c.SessionID())
	require.Equal(t, zk.EventNodeCreated, (<-missed).Type)
	_, err = c.Set("/e", nil, 0)
	require.NoError(t, err)
	require.Equal(t, zk.EventNodeDataChanged, (<-before).Type)
}

func TestGoZookeeperExpires(t *testing.T) {
	s := zktest.Start(t)
	c, states := goZK(t, s)
	id := c.SessionID()
	_, _, watch, err := c.ExistsW("/x")
	require.NoError(t, err)
	require.True(t, s.ExpireSession(id))
	awaitState(t, states, zk.StateExpired)
	require.ErrorIs(t, (<-watch).Err, zk.ErrSessionExpired)
	awaitState(t, states, zk.StateHasSession)
	require.NotEqual(t, id, c.SessionID())
}

// Three clients and the library's own lock: one holds it at a time.
func TestGoZookeeperLock(t *testing.T) {
	s := zktest.Start(t)
	acl := zk.WorldACL(zk.PermAll)
	held := make(chan struct{}, 1)
	done := make(chan error)
	for range 3 {
		c, _ := goZK(t, s)
		go func() {
			for range 5 {
				l := zk.NewLock(c, "/lock", acl)
				if err := l.Lock(); err != nil {
					done <- err
					return
				}
				select {
				case held <- struct{}{}:
				default:
					t.Error("two clients hold the lock")
				}
				<-held
				if err := l.Unlock(); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range 3 {
		require.NoError(t, <-done)
	}
	n, _ := s.Node("/lock")
	require.EqualValues(t, 30, n.Stat.Cversion)
	require.Zero(t, s.Watches())
}
