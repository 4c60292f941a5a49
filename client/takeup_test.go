package client_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

// leaver opens a client with an ephemeral node at /mine, and writes its session down.
func leaver(t testing.TB, srv *zktest.Server, opts ...client.Option) (*client.Client, client.SessionHandle) {
	t.Helper()
	cl := primed(t, srv, opts...)
	_, err := cl.Create(t.Context(), "/mine", nil, client.WithMode(client.Ephemeral))
	require.NoError(t, err)
	h, err := session(t, cl).Handle(t.Context())
	require.NoError(t, err)
	return cl, h
}

func claimOf(h client.SessionHandle) string {
	return fmt.Sprintf("/zookit/sessions/0x%x", uint64(h.ID()))
}

// Who takes a session up has it, with its nodes; the former holder, alive and well, learns that it
// does not any more, and goes on with a new session.
func TestTakeUp(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	a, h := leaver(t, srv)
	was, st := session(t, a), follow(t, a)
	b := connect(t, srv, client.WithSession(h))
	require.Equal(t, h.ID(), session(t, b).ID())
	wait(t, was.Context().Done(), "the former holder learns")
	require.ErrorIs(t, context.Cause(was.Context()), client.ErrSessionTaken)
	require.ErrorIs(t, context.Cause(was.Context()), client.ErrSessionLost)
	require.ErrorIs(t, st.until(client.Lost).Err, client.ErrSessionTaken)
	st.until(client.Connected)
	require.NotEqual(t, h.ID(), session(t, a).ID())
	_, err := was.Create(t.Context(), "/late", nil)
	require.ErrorIs(t, err, client.ErrSessionTaken)
	stat, ok, err := b.Exists(t.Context(), "/mine")
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, h.ID(), stat.EphemeralOwner)
	require.Equal(t, uint64(1), b.State().Epoch)
	require.NoError(t, a.Close())
	require.NoError(t, session(t, b).Confirm(t.Context(), "/mine"), "its end is not the end of the session")
}

// A handle is good for one taking over, however often it is tried and whoever lives. Who
// comes too late is refused by what it reads: a write would be executed only if it came before
// the holder has the session back.
func TestTakeUpTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := newTree(t, inMemory)
		_, h := leaver(t, srv)
		b := connect(t, srv, client.WithSession(h))
		st := follow(t, b)
		srv.ResetRequests()
		for range 3 {
			_, err := client.Connect(t.Context(), srv.Addr(), client.WithDialer(srv.Dial), client.WithSession(h))
			require.ErrorIs(t, err, client.ErrSessionTaken)
			st.until(client.Suspended)
			st.until(client.Connected)
		}
		require.Empty(t, srv.Requests(zktest.On(claimOf(h), zktest.OpSetData)), "refused by what it read")
		require.NoError(t, session(t, b).Confirm(t.Context(), "/mine"))
		newer, err := session(t, b).Handle(t.Context())
		require.NoError(t, err)
		c := connect(t, srv, client.WithSession(newer))
		require.Equal(t, h.ID(), session(t, c).ID())
		require.ErrorIs(t, st.until(client.Lost).Err, client.ErrSessionTaken)
	})
}

// A session that is over, or whose password is wrong, is followed by a new one.
func TestTakeUpOfWhatIsNot(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	a, h := leaver(t, srv)
	require.NoError(t, a.Close())
	b := connect(t, srv, client.WithSession(h))
	require.NotEqual(t, h.ID(), session(t, b).ID())

	c, live := leaver(t, srv)
	wrong, err := client.NewSessionHandle(live.ID(), secret)
	require.NoError(t, err)
	d := connect(t, srv, client.WithSession(wrong))
	require.NotEqual(t, live.ID(), session(t, d).ID())
	require.NoError(t, session(t, c).Confirm(t.Context(), "/mine"))
}

// Servers that have lost their data know nothing of what the session has seen, and
// refuse it; it is given up after its timeout.
func TestTakeUpFromServersThatForgot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := newTree(t, inMemory)
		_, h := dead(t, srv, client.WithSessionTimeout(time.Second))
		srv.Wipe()
		b := connect(t, srv, client.WithSession(h))
		require.NotEqual(t, h.ID(), session(t, b).ID())
	})
}

// A session whose claim somebody has deleted is not taken, and not ended either.
func TestTakeUpWithoutClaim(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := newTree(t, inMemory)
		_, h := dead(t, srv)
		require.NoError(t, srv.Delete(claimOf(h)))
		_, err := client.Connect(t.Context(), srv.Addr(), client.WithDialer(srv.Dial), client.WithSession(h))
		require.ErrorIs(t, err, client.ErrSessionTaken)
		require.ErrorContains(t, err, "deleted")
		require.True(t, exists("/mine")(srv))
	})
}

// The id and password of a session that another library has opened are enough; from then on
// it has a claim, so that of two who try one is refused.
func TestTakeUpWithIDAndPassword(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	m := &mortal{srv: srv}
	a := primed(t, srv, client.WithDialer(m.dial))
	_, err := a.Create(t.Context(), "/mine", nil, client.WithMode(client.Ephemeral))
	require.NoError(t, err)
	id := session(t, a).ID()
	h, err := client.NewSessionHandle(id, srv.Password(id))
	require.NoError(t, err)
	m.dead.Store(true)
	srv.DropConnections()
	b := connect(t, srv, client.WithSession(h))
	require.Equal(t, h.ID(), session(t, b).ID())
	require.True(t, exists(claimOf(h))(srv))
	_, err = client.Connect(t.Context(), srv.Addr(), client.WithSession(h))
	require.ErrorIs(t, err, client.ErrSessionTaken)
	require.NoError(t, session(t, b).Confirm(t.Context(), "/mine"))
}

// Whatever gets lost when the claim is made or taken, with the connection, it is made or
// taken once, and its maker knows.
func TestClaimWithLostMessages(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*zktest.Server, zktest.Match) *zktest.Fault{
		"request": (*zktest.Server).DropRequest, "reply": (*zktest.Server).SwallowReply,
	} {
		for _, op := range []zktest.Op{zktest.OpCreate2, zktest.OpSetData, zktest.OpGetData, zktest.OpMulti} {
			t.Run(fmt.Sprintf("%s of %v", name, op), func(t *testing.T) {
				t.Parallel()
				srv := newTree(t)
				var losses []*zktest.Fault
				on := zktest.On("/zookit/sessions/*", op)
				if op == zktest.OpMulti {
					on.Path = "/*"
				}
				losses = append(losses, lose(srv, on))
				_, h := leaver(t, srv)
				if op != zktest.OpCreate2 && op != zktest.OpSetData {
					losses = append(losses, lose(srv, on))
				}
				b := connect(t, srv, client.WithSession(h))
				for _, l := range losses {
					wait(t, l.Fired(), "the loss")
				}
				require.Equal(t, h.ID(), session(t, b).ID())
				node, ok := srv.Node(claimOf(h))
				require.True(t, ok)
				require.Equal(t, int32(1), node.Stat.Version)
				require.NoError(t, session(t, b).Confirm(t.Context(), "/mine"))
				require.NoError(t, session(t, b).Context().Err())
			})
		}
	}
}

// The claim's directory can be elsewhere; its maker's chroot does not matter to who takes
// the session up.
func TestClaimPath(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	a := connectTo(t, srv.Addr()+"/tree", client.WithClaimPath("/a/claims"))
	h, err := session(t, a).Handle(t.Context())
	require.NoError(t, err)
	path := fmt.Sprintf("/tree/a/claims/0x%x", uint64(h.ID()))
	require.True(t, exists(path)(srv))
	b := connect(t, srv, client.WithSession(h))
	require.Equal(t, h.ID(), session(t, b).ID())
	node, _ := srv.Node(path)
	require.Equal(t, int32(1), node.Stat.Version)
}

// The claim cannot be made or taken without the rights to.
func TestClaimWithoutRights(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := newTree(t, inMemory)
		admin := connect(t, srv, client.WithAuth("digest", "admin:a"))
		_, err := admin.Create(t.Context(), "/zookit", nil, client.WithACL(client.AuthACL(client.PermAll)))
		require.NoError(t, err)
		_, err = session(t, connect(t, srv)).Handle(t.Context())
		require.ErrorIs(t, err, client.ErrNoAuth)

		a := connect(t, srv, client.WithAuth("digest", "admin:a"), client.WithDefaultACL(client.AuthACL(client.PermAll)))
		h, err := session(t, a).Handle(t.Context())
		require.NoError(t, err)
		_, err = client.Connect(t.Context(), srv.Addr(), client.WithDialer(srv.Dial), client.WithSession(h))
		require.ErrorIs(t, err, client.ErrNoAuth)
		require.True(t, exists(claimOf(h))(srv), "the session lives")
		b := connect(t, srv, client.WithSession(h), client.WithAuth("digest", "admin:a"))
		require.Equal(t, h.ID(), session(t, b).ID())
	})
}

// Taking a session up, and writing it down, end with the context wherever they wait; the
// session is left as it is.
func TestTakeUpCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for n := 1; ; n++ {
			srv := newTree(t, inMemory)
			a, h := dead(t, srv)
			ctx, cancel := context.WithCancel(t.Context())
			var seen atomic.Int64
			stuck := make(chan struct{})
			srv.OnRequest(func(r zktest.Request) {
				if r.Op != zktest.OpPing && seen.Add(1) == int64(n) {
					cancel()
					<-stuck
				}
			})
			b, err := client.Connect(ctx, srv.Addr(), client.WithDialer(srv.Dial), client.WithSession(h))
			close(stuck)
			reached := ctx.Err() != nil
			cancel()
			srv.OnRequest(nil)
			require.True(t, exists("/mine")(srv), "the session lives")
			if err == nil {
				require.Equal(t, h.ID(), session(t, b).ID())
				require.Error(t, b.Close(), "not before the former holder is out")
				require.True(t, exists("/mine")(srv), "the session lives")
			} else {
				require.ErrorIs(t, err, context.Canceled)
			}
			require.Error(t, a.Close())
			if !reached {
				require.Greater(t, n, 3)
				return
			}
		}
	})
}

// mortal is a dialer that reaches nobody any more once it is dead: then the client is
// as good as that.
type mortal struct {
	srv  *zktest.Server
	dead atomic.Bool
}

func (m *mortal) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if m.dead.Load() {
		return nil, errors.New("no network")
	}
	return m.srv.Dial(ctx, network, addr)
}

// dead is a leaver whose client cannot do anything any more.
func dead(t testing.TB, srv *zktest.Server, opts ...client.Option) (*client.Client, client.SessionHandle) {
	t.Helper()
	m := &mortal{srv: srv}
	cl, h := leaver(t, srv, append(opts, client.WithDialer(m.dial))...)
	m.dead.Store(true)
	srv.DropConnections()
	return cl, h
}
