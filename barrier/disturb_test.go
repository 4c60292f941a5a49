package barrier_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/barrier"
	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

// scene is a way through Enter and Leave, driven by the requests that they send.
type scene struct {
	name   string
	layout recipes.Layout
	n      int
	stand  func(t *testing.T, st *stage) // before Enter
	join   func(t *testing.T, st *stage) // when Enter has looked at the directory, if set
	quit   func(t *testing.T, st *stage) // when Leave watches it
	racy   bool                          // the number of its requests is not always the same
}

// stage is a server, the client under test and a peer.
type stage struct {
	srv     *zktest.Server
	cl      *client.Client
	peers   *client.Client
	session int64
	d       *barrier.Double
	off     chan struct{} // closed when the peer is to give up
}

// owned counts the nodes of sessions that are neither the peers' nor nobody's.
func (st *stage) owned() (n int) {
	for p, node := range st.srv.Dump() {
		if node.Stat.EphemeralOwner != 0 && len(base(p)) >= 32 {
			n++
		}
	}
	return n
}

func nothing(*testing.T, *stage) {}

func createPeer(name string) func(t *testing.T, st *stage) {
	return func(t *testing.T, st *stage) {
		_, err := st.peers.Create(t.Context(), dir+"/"+name, nil, client.WithMode(client.Ephemeral), client.WithParents())
		assert.NoError(t, err)
	}
}

// open does what a peer does that comes last.
func open(name string) func(t *testing.T, st *stage) {
	return func(t *testing.T, st *stage) {
		createPeer(name)(t, st)
		_ = st.srv.Create(ready, nil) // unless the other has seen it already
	}
}

func deletePeer(name string) func(t *testing.T, st *stage) {
	return func(t *testing.T, st *stage) {
		assert.NoError(t, st.peers.Delete(t.Context(), dir+"/"+name, client.AnyVersion))
	}
}

var scenes = []scene{
	{name: "alone, directory missing", n: 1, stand: nothing, quit: nothing},
	{name: "second, lowest", n: 2, stand: createPeer("~"), quit: deletePeer("~")},
	{name: "second, highest", n: 2, stand: createPeer("!"), quit: deletePeer("!")},
	{name: "second, kazoo", n: 2, layout: recipes.Kazoo, stand: createPeer("!"), quit: deletePeer("!")},
	{name: "first", n: 2, stand: nothing, join: open("~"), quit: deletePeer("~")},
	{name: "stale ready", n: 1, stand: func(t *testing.T, st *stage) { assert.NoError(t, st.srv.Create(ready, nil)) }, quit: nothing},
	{name: "late", n: 2, stand: func(t *testing.T, st *stage) {
		createPeer("!")(t, st)
		open("!!")(t, st)
		deletePeer("!!")(t, st)
	}, join: func(t *testing.T, st *stage) {
		deletePeer("!")(t, st)
		createPeer("~")(t, st)
		assert.Eventually(t, func() bool {
			select {
			case <-st.off:
				return true
			default:
				return st.owned() > 0
			}
		}, patience, time.Millisecond)
		_ = st.srv.Create(ready, nil) // unless it was quicker
	}, quit: deletePeer("~"), racy: true},
}

func (sc *scene) stage(t *testing.T) *stage {
	srv := zktest.Start(t)
	st := &stage{srv: srv, cl: connect(t, srv), peers: connect(t, srv), off: make(chan struct{})}
	st.session = sessionOf(t, st.cl)
	st.d = barrier.NewDouble(st.cl, dir, sc.n, barrier.WithLayout(sc.layout))
	sc.stand(t, st)
	srv.ResetRequests()
	return st
}

// when runs f once after a request has been executed that matches; stop waits for f, or for its being
// called off.
func when(st *stage, on zktest.Match, f func()) (stop func()) {
	h := st.srv.HoldReply(on)
	off, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-h.Fired():
			h.Release()
			f()
		case <-off:
			h.Release()
		}
	}()
	return sync.OnceFunc(func() {
		close(off)
		<-done
	})
}

// enter begins an Enter; the peer joins when it has looked.
func (sc *scene) enter(ctx context.Context, t *testing.T, st *stage) (result <-chan entered, stop func()) {
	called := func() {}
	if sc.join != nil {
		called = when(st, listed(st.session), func() { sc.join(t, st) })
	}
	return enterLater(ctx, st.d), sync.OnceFunc(func() {
		close(st.off)
		called()
	})
}

// leave begins a Leave; the peer leaves when it is watched.
func (sc *scene) leave(ctx context.Context, t *testing.T, st *stage, in *barrier.Inside) (result <-chan error, stop func()) {
	stop = when(st, watching(st.session), func() { sc.quit(t, st) })
	return later(func() error { return in.Leave(ctx) }), stop
}

// undisturbed counts what one run sends to enter and to leave.
func (sc *scene) undisturbed(t *testing.T) (enter, leave int) {
	st := sc.stage(t)
	result, stop := sc.enter(bounded(t), t, st)
	in := got(t, result)
	stop()
	enter = len(counted(st.srv, st.session))
	t.Logf("%s: enter: %s", sc.name, steps(st.srv, st.session))
	st.srv.ResetRequests()
	left, stop := sc.leave(bounded(t), t, st, in)
	require.NoError(t, wait(t, "the end of Leave", left))
	stop()
	leave = len(counted(st.srv, st.session))
	t.Logf("%s: leave: %s", sc.name, steps(st.srv, st.session))
	return enter, leave
}

// Each request, and the reply to each, is lost in turn: all the same it is inside, with one node
// (C7), and leaves when the peer has.
func TestDoubleLostAtEveryAwaitPoint(t *testing.T) {
	t.Parallel()
	for _, sc := range scenes {
		n, m := sc.undisturbed(t)
		for i := range n + m {
			for how, lose := range losses {
				t.Run(fmt.Sprintf("%s, %s %d of %d+%d", sc.name, how, i+1, n, m), func(t *testing.T) {
					t.Parallel()
					st := sc.stage(t)
					var lost *zktest.Fault
					if i < n {
						lost = lose(st.srv, nth(st.session, i))
					}
					result, stop := sc.enter(bounded(t), t, st)
					in := got(t, result)
					stop()
					require.Equal(t, 1, st.owned())
					if i >= n {
						lost = lose(st.srv, nth(st.session, i-n))
					}
					left, stop := sc.leave(bounded(t), t, st, in)
					require.NoError(t, wait(t, "the end of Leave", left))
					stop()
					if !sc.racy || !lost.Cancel() {
						wait(t, "the loss", lost.Fired())
					}
					for _, name := range nodes(st.srv) {
						require.Equal(t, "ready", name)
					}
				})
			}
		}
	}
}

// Each request is held, and the reply to each, and the call is cancelled: it returns at once, and
// its node goes, and its watches.
func TestDoubleCancelledAtEveryAwaitPoint(t *testing.T) {
	t.Parallel()
	for _, sc := range scenes {
		n, m := sc.undisturbed(t)
		for i := range n + m {
			if sc.racy && i > 2 {
				break // it may be that there is no such request
			}
			t.Run(fmt.Sprintf("%s, %d of %d+%d", sc.name, i+1, n, m), func(t *testing.T) {
				t.Parallel()
				st := sc.stage(t)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var h *zktest.Hold
				if i < n {
					h = st.srv.HoldReply(nth(st.session, i))
					result, stop := sc.enter(ctx, t, st)
					wait(t, "the request", h.Fired())
					cancel()
					e := wait(t, "the end of Enter", result)
					require.ErrorIs(t, e.err, context.Canceled)
					stop()
				} else {
					result, stop := sc.enter(ctx, t, st)
					in := got(t, result)
					stop()
					h = st.srv.HoldReply(nth(st.session, i-n))
					left, stop := sc.leave(ctx, t, st, in)
					wait(t, "the request", h.Fired())
					cancel()
					require.ErrorIs(t, wait(t, "the end of Leave", left), context.Canceled)
					stop()
				}
				h.Release()
				require.EventuallyWithT(t, func(c *assert.CollectT) {
					for p, node := range st.srv.Dump() {
						assert.NotEqual(c, st.session, node.Stat.EphemeralOwner, "%s is left", p)
					}
					assert.Zero(c, st.srv.Watches(), "watches left: %v", st.srv.WatchList())
				}, patience, time.Millisecond)
			})
		}
	}
}

// The session ends with each request: Enter begins anew, in the next one; Leave
// says that the participant was lost, or goes on waiting.
func TestDoubleSessionLostAtEveryAwaitPoint(t *testing.T) {
	t.Parallel()
	for _, sc := range scenes {
		n, m := sc.undisturbed(t)
		for i := range n + m {
			if sc.racy && i > 2 {
				break // it may be that there is no such request
			}
			t.Run(fmt.Sprintf("%s, %d of %d+%d", sc.name, i+1, n, m), func(t *testing.T) {
				t.Parallel()
				st := sc.stage(t)
				expire := func(at int) func() {
					h := st.srv.HoldReply(nth(st.session, at))
					done := make(chan struct{})
					go func() {
						defer close(done)
						<-h.Fired()
						st.srv.ExpireSession(st.session)
						h.Release()
					}()
					return func() { <-done }
				}
				if i < n {
					expired := expire(i)
					// The peer, too, begins anew where it has been left alone with ready.
					ctx, cancel := context.WithCancel(bounded(t))
					result, stop := sc.enter(ctx, t, st)
					expired()
					stop()
					cancel()
					e := wait(t, "the end of Enter", result)
					if e.err == nil {
						_ = e.in.Leave(ctx)
					} else {
						require.ErrorIs(t, e.err, context.Canceled)
					}
				} else {
					result, stop := sc.enter(bounded(t), t, st)
					in := got(t, result)
					stop()
					expired := expire(i - n)
					left, stop := sc.leave(bounded(t), t, st, in)
					expired()
					for _, name := range nodes(st.srv) {
						if name == "~" || name == "!" {
							_ = st.srv.Delete(dir + "/" + name)
						}
					}
					if err := wait(t, "the end of Leave", left); err != nil {
						require.ErrorIs(t, err, barrier.ErrLost)
						require.ErrorIs(t, err, client.ErrSessionLost)
					}
					stop()
				}
				require.EventuallyWithT(t, func(c *assert.CollectT) {
					for p, node := range st.srv.Dump() {
						assert.True(c, node.Stat.EphemeralOwner == 0 || base(p) == "~" || base(p) == "!", "%s is left", p)
					}
					assert.Zero(c, st.srv.Watches(), "watches left: %v", st.srv.WatchList())
				}, patience, time.Millisecond)
			})
		}
	}
}
