package lock_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/lock"
	"github.com/zookit/zookit/zktest"
)

func base(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// watchedIn is closed when somebody has begun to watch a node in dir.
func watchedIn(srv *zktest.Server, dir string) <-chan struct{} {
	h := srv.HoldReply(zktest.On(dir+"/*", zktest.OpGetData))
	done := make(chan struct{})
	go func() {
		<-h.Fired()
		h.Release()
		close(done)
	}()
	return done
}

type multiOutcome struct {
	held *lock.MultiHeld
	err  error
}

func multiLater(ctx context.Context, take func(context.Context) (*lock.MultiHeld, error)) <-chan multiOutcome {
	out := make(chan multiOutcome, 1)
	go func() {
		held, err := take(ctx)
		out <- multiOutcome{held, err}
	}()
	return out
}

// multiWaiting calls Lock and returns when it waits for the lock on dir.
func multiWaiting(ctx context.Context, t *testing.T, srv *zktest.Server, dir string, many *lock.Multi) <-chan multiOutcome {
	t.Helper()
	waits := watchedIn(srv, dir)
	out := multiLater(ctx, many.Lock)
	select {
	case <-waits:
	case <-bounded(t).Done():
		require.FailNow(t, "it does not wait for "+dir)
	}
	return out
}

// requireNone waits until the directories are empty and so many watches are left.
func requireNone(t *testing.T, srv *zktest.Server, dirs []string, watches int) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		assert.Empty(c, children(srv, dirs...))
		assert.Equal(c, watches, srv.Watches())
	}, patience, 2*time.Millisecond)
}

// Cancelled while it waits for the first and for the last: nothing is left.
func TestMultiCancelledWhileWaiting(t *testing.T) {
	t.Parallel()
	dirs := []string{"/a", "/b", "/c"}
	for i, busy := range dirs {
		t.Run(busy, func(t *testing.T) {
			t.Parallel()
			srv := zktest.Start(t)
			cl := connect(t, srv)
			holder := must(t)(lock.NewMutex(connect(t, srv), busy).Lock(bounded(t)))
			ctx, cancel := context.WithCancel(bounded(t))
			got := multiWaiting(ctx, t, srv, busy, lock.NewMulti(lock.NewMutex(cl, "/c"), lock.NewMutex(cl, "/b"), lock.NewMutex(cl, "/a")))
			require.Len(t, children(srv, dirs...), i+2, "those before it are held")
			cancel()
			require.ErrorIs(t, (<-got).err, context.Canceled)
			require.NoError(t, holder.Unlock(bounded(t)))
			requireNone(t, srv, dirs, 0)
		})
	}
}

var disturbances = []string{"request held", "reply held", "request dropped", "reply swallowed"}

// Each request of Lock and of TryLock is held, before it is executed and before it is
// answered, dropped, or its answer swallowed, and the call cancelled: nothing is left.
func TestMultiCancelledAtEveryAwaitPoint(t *testing.T) {
	t.Parallel()
	const requests = 4 // a create and a list for each of two locks
	for name, take := range map[string]func(*lock.Multi, context.Context) (*lock.MultiHeld, error){
		"Lock": (*lock.Multi).Lock, "TryLock": (*lock.Multi).TryLock,
	} {
		n := requests
		if name == "TryLock" {
			n += 2 // it looks first
		}
		for i := range n {
			for _, how := range disturbances {
				t.Run(fmt.Sprintf("%s, request %d, %s", name, i+1, how), func(t *testing.T) {
					t.Parallel()
					cancelledAt(t, take, i, how)
				})
			}
		}
	}
}

func cancelledAt(t *testing.T, take func(*lock.Multi, context.Context) (*lock.MultiHeld, error), n int, how string) {
	srv := zktest.Start(t, zktest.WithTick(50*time.Millisecond))
	dirs := []string{"/a", "/b"}
	for _, p := range dirs {
		require.NoError(t, srv.Create(p, nil))
	}
	cl := connect(t, srv)
	s, err := cl.Session(bounded(t))
	require.NoError(t, err)
	many := lock.NewMulti(lock.NewMutex(cl, "/b"), lock.NewMutex(cl, "/a"))
	at := zktest.Match{Session: s.ID(), Where: func(zktest.Request) bool {
		n--
		return n < 0
	}}
	var reached <-chan struct{}
	resume := func() {}
	switch how {
	case "request held":
		there, on := make(chan struct{}), make(chan struct{})
		once := sync.OnceFunc(func() {
			close(there)
			<-on
		})
		srv.OnRequest(func(r zktest.Request) {
			if r.Session == s.ID() && r.Op != zktest.OpPing && at.Where(r) {
				once()
			}
		})
		reached, resume = there, func() { close(on) }
	case "reply held":
		h := srv.HoldReply(at)
		reached, resume = h.Fired(), h.Release
	case "request dropped":
		reached = srv.DropRequest(at).Fired()
	case "reply swallowed":
		reached = srv.SwallowReply(at).Fired()
	}
	ctx, cancel := context.WithCancel(bounded(t))
	defer cancel()
	got := multiLater(ctx, func(ctx context.Context) (*lock.MultiHeld, error) { return take(many, ctx) })
	select {
	case <-reached:
	case o := <-got:
		require.FailNow(t, "the request was never sent", "%+v", o)
	}
	cancel()
	o := <-got // it does not wait for the server, which says nothing yet
	resume()
	if o.err == nil { // dropped or swallowed, and through again before it was cancelled
		require.NoError(t, o.held.Unlock(bounded(t)))
	} else {
		require.ErrorIs(t, o.err, context.Canceled)
	}
	requireNone(t, srv, dirs, 0)
}

// A lock that is lost while the next is waited for is taken again: what Lock returns is held.
func TestMultiTakesAgainWhatItLost(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	one, two := connect(t, srv), connect(t, srv)
	holder := must(t)(lock.NewMutex(connect(t, srv), "/b").Lock(bounded(t)))
	got := multiWaiting(bounded(t), t, srv, "/b", lock.NewMulti(lock.NewMutex(one, "/a"), lock.NewMutex(two, "/b")))
	before := children(srv, "/a")
	again := watchedIn(srv, "/b")
	s, err := one.Session(bounded(t))
	require.NoError(t, err)
	require.True(t, srv.ExpireSession(s.ID()))
	<-again // it has given back /b's place, taken /a again, and waits again
	after := children(srv, "/a")
	require.Len(t, after, 1)
	require.NotEqual(t, before, after)
	require.Len(t, children(srv, "/b"), 2)
	require.Empty(t, got)
	require.NoError(t, holder.Unlock(bounded(t)))
	o := <-got
	require.NoError(t, o.err)
	require.NoError(t, o.held.Err())
	require.Equal(t, after[0], base(o.held.Held("/a").Path()))
	require.NoError(t, o.held.Unlock(bounded(t)))
	requireNone(t, srv, []string{"/a", "/b"}, 0)
}

// Who waits when a client is left to another process gives back what it has, whichever
// of the clients that is.
func TestMultiIsDetached(t *testing.T) {
	t.Parallel()
	for i, name := range []string{"of the lock that is held", "of the lock that is waited for"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := zktest.Start(t)
			cls := []*client.Client{connect(t, srv), connect(t, srv)}
			holder := must(t)(lock.NewMutex(connect(t, srv), "/b").Lock(bounded(t)))
			got := multiWaiting(bounded(t), t, srv, "/b", lock.NewMulti(lock.NewMutex(cls[0], "/a"), lock.NewMutex(cls[1], "/b")))
			_, err := cls[i].Detach(bounded(t))
			require.NoError(t, err)
			require.ErrorIs(t, (<-got).err, client.ErrDetached)
			require.Empty(t, children(srv, "/a"), "neither in the session that is left")
			require.NoError(t, holder.Unlock(bounded(t)))
			requireNone(t, srv, []string{"/a", "/b"}, 0)
		})
	}
}

// slow is a lock that takes its time to give up.
type slow struct {
	lock.Locker
	ended chan struct{}
	goOn  chan struct{}
}

// Lock implements lock.Locker.
func (s *slow) Lock(ctx context.Context) (*lock.Held, error) {
	<-ctx.Done()
	close(s.ended)
	<-s.goOn
	return nil, ctx.Err()
}

// Detach waits until what was taken so far has been given back.
func TestMultiKeepsDetachWaiting(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	second := &slow{Locker: lock.NewMutex(connect(t, srv), "/b"), ended: make(chan struct{}), goOn: make(chan struct{})}
	got := multiLater(bounded(t), lock.NewMulti(lock.NewMutex(cl, "/a"), second).Lock)
	require.Eventually(t, func() bool { return len(children(srv, "/a")) == 1 }, patience, time.Millisecond)
	left := make(chan error, 1)
	go func() {
		_, err := cl.Detach(t.Context())
		left <- err
	}()
	select {
	case <-second.ended:
	case o := <-got: // it was detached as soon as it had the first
		require.ErrorIs(t, o.err, client.ErrDetached)
		require.NoError(t, <-left)
		require.Empty(t, children(srv, "/a"))
		return
	}
	select {
	case err := <-left:
		require.Fail(t, "Detach did not wait", "%v", err)
	case <-time.After(100 * time.Millisecond):
	}
	close(second.goOn)
	require.ErrorIs(t, (<-got).err, client.ErrDetached)
	require.NoError(t, <-left)
	require.Empty(t, children(srv, "/a"))
}

// A closed client ends the wait.
func TestMultiOfClosedClient(t *testing.T) {
	t.Parallel()
	for i := range 2 {
		srv := zktest.Start(t)
		cls := []*client.Client{connect(t, srv), connect(t, srv)}
		holder := must(t)(lock.NewMutex(connect(t, srv), "/b").Lock(bounded(t)))
		got := multiWaiting(bounded(t), t, srv, "/b", lock.NewMulti(lock.NewMutex(cls[0], "/a"), lock.NewMutex(cls[1], "/b")))
		require.NoError(t, cls[i].Close())
		require.ErrorIs(t, (<-got).err, client.ErrClosed)
		require.NoError(t, holder.Unlock(bounded(t)))
		requireNone(t, srv, []string{"/a", "/b"}, 0)
	}
}
