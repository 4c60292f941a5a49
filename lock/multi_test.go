package lock_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/lock"
	"github.com/zookit/zookit/zktest"
)

// children returns the names of all nodes below the paths.
func children(srv *zktest.Server, paths ...string) (out []string) {
	for _, p := range paths {
		n, _ := srv.Node(p)
		out = append(out, n.Children...)
	}
	return out
}

// order lists the directories of the requests of one kind, as they came.
func order(srv *zktest.Server, op zktest.Op) (out []string) {
	for _, r := range srv.Requests(zktest.Match{Ops: []zktest.Op{op}}) {
		out = append(out, r.Path[:strings.LastIndexByte(r.Path, '/')])
	}
	return out
}

// Taken in the order of their paths however they are given, released in the reverse; each
// has its token; the context ends first.
func TestMulti(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	for _, p := range []string{"/a", "/b", "/c"} {
		require.NoError(t, srv.Create(p, nil))
	}
	ctx := bounded(t)
	cl, other := connect(t, srv), connect(t, srv)
	rw := lock.NewRWMutex(other, "/b")
	many := lock.NewMulti(lock.NewMutex(cl, "/c"), rw.RLocker(), lock.NewMutex(cl, "/a"))
	held, err := many.Lock(ctx)
	require.NoError(t, err)
	require.Equal(t, []string{"/a", "/b", "/c"}, order(srv, zktest.OpCreate2))
	require.Equal(t, []string{"/a", "/b", "/c"}, held.Paths())
	require.NoError(t, held.Err())
	require.NoError(t, held.Context().Err())
	require.Len(t, held.Tokens(), 3)
	earliest := held.Held("/a").ValidUntil()
	for path, token := range held.Tokens() {
		require.Equal(t, held.Held(path).Token(), token)
		require.Equal(t, path, held.Held(path).Path()[:2])
		if until := held.Held(path).ValidUntil(); until.Before(earliest) {
			earliest = until
		}
	}
	require.Nil(t, held.Held("/d"))
	require.Equal(t, earliest, held.ValidUntil())
	_, err = lock.NewMutex(other, "/c").TryLock(ctx)
	require.ErrorIs(t, err, lock.ErrBusy)
	require.NoError(t, must(t)(rw.TryRLock(ctx)).Unlock(ctx), "readers share")

	srv.ResetRequests()
	require.NoError(t, held.Unlock(ctx))
	require.Equal(t, []string{"/c", "/b", "/a"}, order(srv, zktest.OpDelete))
	require.Equal(t, lock.ErrUnlocked, context.Cause(held.Context()))
	require.Equal(t, lock.ErrUnlocked, held.Err())
	require.NoError(t, held.Unlock(ctx), "again, and nothing happens")
	require.Len(t, order(srv, zktest.OpDelete), 3)

	// A ctx under the holding's own, and one that has ended.
	held, err = many.TryLock(ctx)
	require.NoError(t, err)
	require.NoError(t, held.Unlock(held.Context()))
	require.Empty(t, children(srv, "/a", "/b", "/c"))
	held, err = many.TryLock(ctx)
	require.NoError(t, err)
	ended, cancel := context.WithCancel(ctx)
	cancel()
	require.ErrorIs(t, held.Unlock(ended), context.Canceled)
	require.NoError(t, held.Unlock(ctx))
	require.Empty(t, children(srv, "/a", "/b", "/c"))
}

// Two that name the same locks in opposite order do not wait for each other (Curator's
// InterProcessMultiLock, which takes them as given, would).
func TestMultiDoesNotDeadlock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		ctx := bounded(t)
		var holders atomic.Int64
		done := make(chan error, 4)
		for i := range cap(done) {
			cl := connect(t, srv)
			locks := []lock.Locker{lock.NewMutex(cl, "/a"), lock.NewRWMutex(cl, "/b"), lock.NewMutex(cl, "/c")}
			if i%2 == 1 {
				locks[0], locks[2] = locks[2], locks[0]
			}
			many := lock.NewMulti(locks...)
			go func() {
				for range 5 {
					if err := many.Do(ctx, func(_ context.Context, held *lock.MultiHeld) error {
						defer holders.Add(-1)
						if n := holders.Add(1); n != 1 {
							return fmt.Errorf("%d holders", n)
						}
						return held.Err()
					}); err != nil {
						done <- err
						return
					}
				}
				done <- nil
			}()
		}
		for range cap(done) {
			require.NoError(t, <-done)
		}
		require.Empty(t, children(srv, "/a", "/b", "/c"))
	})
}

func TestMultiTryLockTakesNothingIfOneIsBusy(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	cl := connect(t, srv)
	holder := must(t)(lock.NewMutex(connect(t, srv), "/b").Lock(ctx))
	srv.ResetRequests()
	_, err := lock.NewMulti(lock.NewMutex(cl, "/a"), lock.NewMutex(cl, "/b"), lock.NewMutex(cl, "/c")).TryLock(ctx)
	require.ErrorIs(t, err, lock.ErrBusy)
	require.ErrorContains(t, err, "/b")
	require.Empty(t, children(srv, "/a", "/c"))
	require.Len(t, children(srv, "/b"), 1)
	require.Empty(t, srv.Requests(zktest.Match{Path: "/c*"}), "never asked for")
	require.NoError(t, holder.Unlock(ctx))
}

// After an error no further lock is tried (Curator's goes on), and those before it are given back.
func TestMultiStopsAtTheFirstError(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	cl := connect(t, srv)
	many := lock.NewMulti(lock.NewMutex(cl, "/a"), lock.NewMutex(cl, "/b"), lock.NewMutex(cl, "/c"))
	srv.FailNext(zktest.Match{Path: "/b/*", Ops: []zktest.Op{zktest.OpCreate2}}, zktest.NoAuth)
	_, err := many.Lock(ctx)
	require.ErrorIs(t, err, client.ErrNoAuth)
	require.ErrorContains(t, err, "/b")
	require.Empty(t, children(srv, "/a", "/b", "/c"))
	require.Empty(t, srv.Requests(zktest.Match{Path: "/c*"}), "never asked for")
}

// One deadline for the whole (Curator gives each lock the full time), after which nothing is left.
func TestMultiDeadlineIsForAll(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl, other := connect(t, srv), connect(t, srv)
	a := must(t)(lock.NewMutex(other, "/a").Lock(bounded(t)))
	b := must(t)(lock.NewMutex(other, "/b").Lock(bounded(t)))
	many := lock.NewMulti(lock.NewMutex(cl, "/b"), lock.NewMutex(cl, "/a"))
	deadline := time.Now().Add(500 * time.Millisecond)
	ctx, cancel := context.WithDeadline(bounded(t), deadline)
	defer cancel()
	first := multiWaiting(ctx, t, srv, "/a", many)
	second := watchedIn(srv, "/b")
	require.NoError(t, a.Unlock(bounded(t)))
	select {
	case <-second: // it goes on with the next
	case <-ctx.Done(): // slow machine
	}
	o := <-first
	require.ErrorIs(t, o.err, context.DeadlineExceeded)
	select {
	case <-ctx.Done():
	default:
		require.Fail(t, "it ended before its deadline")
	}
	require.NoError(t, b.Unlock(bounded(t)))
	requireNone(t, srv, []string{"/a", "/b"}, 0)
}

// One that is lost ends the whole.
func TestMultiEndsWithTheFirstThatIsLost(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	cl, other := connect(t, srv), connect(t, srv)
	many := lock.NewMulti(lock.NewMutex(cl, "/a"), lock.NewMutex(other, "/b"))
	held, err := many.Lock(ctx)
	require.NoError(t, err)
	s, err := other.Session(ctx)
	require.NoError(t, err)
	require.True(t, srv.ExpireSession(s.ID()))
	<-held.Context().Done()
	require.ErrorIs(t, context.Cause(held.Context()), lock.ErrLost)
	require.ErrorIs(t, held.Err(), client.ErrSessionLost)
	require.NoError(t, held.Held("/a").Err(), "which is held all the same, until it is unlocked")
	require.NoError(t, held.Unlock(ctx))
	require.ErrorIs(t, held.Err(), lock.ErrLost, "as it was")
	require.Empty(t, children(srv, "/a", "/b"))

	failed := errors.New("of fn")
	err = many.Do(ctx, func(work context.Context, _ *lock.MultiHeld) error {
		s, err := cl.Session(ctx)
		require.NoError(t, err)
		require.True(t, srv.ExpireSession(s.ID()))
		<-work.Done()
		require.ErrorIs(t, context.Cause(work), lock.ErrLost)
		return failed
	})
	require.ErrorIs(t, err, failed)
	require.ErrorIs(t, err, lock.ErrLost)
	require.Empty(t, children(srv, "/a", "/b"))
}

// What one server refuses to unlock does not keep the others.
func TestMultiUnlocksAllItCan(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	cl := connect(t, srv)
	held, err := lock.NewMulti(lock.NewMutex(cl, "/a"), lock.NewMutex(cl, "/b"), lock.NewMutex(cl, "/c")).Lock(ctx)
	require.NoError(t, err)
	srv.FailNext(zktest.Match{Path: "/b/*", Ops: []zktest.Op{zktest.OpDelete}}, zktest.NoAuth)
	err = held.Unlock(ctx)
	require.ErrorIs(t, err, client.ErrNoAuth)
	require.ErrorContains(t, err, "/b/")
	require.Empty(t, children(srv, "/a", "/c"))
}

// A write that is refused unless both are held.
func TestMultiTxn(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	cl := connect(t, srv)
	require.NoError(t, srv.Create("/data", nil))
	held, err := lock.NewMulti(lock.NewMutex(cl, "/a"), lock.NewMutex(cl, "/b")).Lock(ctx)
	require.NoError(t, err)
	write := func() error {
		_, err := held.Held("/a").Txn().Check(held.Held("/b").Path(), client.AnyVersion).Set("/data", nil, client.AnyVersion).Commit(ctx)
		return err
	}
	require.NoError(t, write())
	require.NoError(t, srv.Delete(held.Held("/b").Path()))
	require.ErrorIs(t, write(), client.ErrNoNode)
	require.NoError(t, held.Unlock(ctx))
}

func TestMultiRefuses(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	a, rw := lock.NewMutex(cl, "/a"), lock.NewRWMutex(cl, "/a")
	for name, tc := range map[string]struct {
		locks []lock.Locker
		want  error
		text  string
	}{
		"none":             {nil, client.ErrBadArgument, "none"},
		"nil":              {[]lock.Locker{a, nil}, client.ErrBadArgument, "lock 1"},
		"twice":            {[]lock.Locker{a, lock.NewMutex(cl, "/b"), a}, client.ErrBadArgument, "/a"},
		"both sides":       {[]lock.Locker{rw, rw.RLocker()}, client.ErrBadArgument, "/a"},
		"bad path":         {[]lock.Locker{a, lock.NewMutex(cl, "b")}, client.ErrBadPath, "b"},
		"bad path of a rw": {[]lock.Locker{a, lock.NewRWMutex(cl, "c")}, client.ErrBadPath, "c"},
	} {
		many := lock.NewMulti(tc.locks...)
		_, err := many.Lock(t.Context())
		require.ErrorIs(t, err, tc.want, name)
		require.ErrorContains(t, err, tc.text, name)
		_, err = many.TryLock(t.Context())
		require.ErrorIs(t, err, tc.want, name)
		require.ErrorIs(t, many.Do(t.Context(), func(context.Context, *lock.MultiHeld) error { return nil }), tc.want, name)
	}
	require.ErrorIs(t, lock.NewMulti(a).Do(t.Context(), nil), client.ErrBadArgument)
	require.Empty(t, srv.Requests(), "nothing was sent")
}
