package lock_test

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/lock"
	"github.com/zookit/zookit/zktest"
)

// message is what Curator's Revoker writes.
const message = "__REVOKE__"

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// arrives waits for an event that has to come.
func arrives(t testing.TB, what string, c <-chan struct{}) {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-c:
	case <-timer.C:
		require.FailNow(t, "waited in vain for "+what)
	}
}

func all(t testing.TB, mu *lock.Mutex) []lock.Contender {
	t.Helper()
	out, err := mu.Contenders(bounded(t))
	require.NoError(t, err)
	return out
}

// A request reaches the holder that listens, and is no more than that.
func TestRevoke(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	mu, other := lock.NewMutex(connect(t, srv), path, lock.WithIdentifier("engine-7")), lock.NewMutex(connect(t, srv), path)
	held, err := mu.Lock(ctx)
	require.NoError(t, err)
	again, err := held.Again()
	require.NoError(t, err)
	srv.ResetRequests()
	asked := held.Revoked()
	require.Equal(t, asked, held.Revoked())
	require.Equal(t, asked, again.Revoked())
	require.False(t, isClosed(asked))
	before := all(t, other)
	require.Equal(t, "engine-7", before[0].Identifier)
	require.False(t, before[0].Revoked)
	require.NoError(t, other.Revoke(ctx, before[0]))
	arrives(t, "the request", asked)
	n, _ := srv.Node(held.Path())
	require.Equal(t, message, string(n.Data))
	require.NoError(t, held.Err())
	require.Equal(t, held.Token(), all(t, other)[0].Token)
	require.True(t, all(t, other)[0].Revoked)
	require.Empty(t, all(t, other)[0].Identifier)
	require.NoError(t, other.Revoke(ctx, before[0]), "again, and nothing more happens")
	require.NoError(t, again.Unlock(ctx))
	require.NoError(t, held.Unlock(ctx))
	require.ErrorIs(t, other.Revoke(ctx, before[0]), lock.ErrNoContender)
	require.NoError(t, other.Break(ctx, before[0]))
	require.Zero(t, srv.Watches())
}

// It is seen as well if it came before anybody listened: while the contender waited, even.
func TestRevokedBeforeAnybodyListens(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	first, err := lock.NewMutex(connect(t, srv), path).Lock(ctx)
	require.NoError(t, err)
	mu := lock.NewMutex(connect(t, srv), path)
	waits := watched(srv)
	got := make(chan *lock.Held, 1)
	go func() {
		held, err := mu.Lock(ctx)
		if err != nil {
			t.Error(err)
		}
		got <- held
	}()
	<-waits
	require.NoError(t, mu.Revoke(ctx, all(t, mu)[1]))
	require.NoError(t, first.Unlock(ctx))
	held := <-got
	arrives(t, "the request", held.Revoked())
	require.NoError(t, held.Unlock(ctx))
}

// A request to the holder wakes who waits behind it, and lets nobody in.
func TestRevokeLetsNobodyIn(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	held, err := lock.NewMutex(connect(t, srv), path).Lock(ctx)
	require.NoError(t, err)
	mu := lock.NewMutex(connect(t, srv), path)
	waits := watched(srv)
	got := make(chan *lock.Held, 1)
	go func() {
		next, err := mu.Lock(ctx)
		if err != nil {
			t.Error(err)
		}
		got <- next
	}()
	<-waits
	c := all(t, mu)
	for range 3 {
		waits = watched(srv)
		require.NoError(t, mu.Revoke(ctx, c[0]))
		arrives(t, "the waiter's next watch", waits)
		require.Empty(t, got)
		require.NoError(t, held.Err())
	}
	require.NoError(t, held.Unlock(ctx))
	next := <-got
	require.Equal(t, c[1].Path, next.Path())
	require.NoError(t, next.Unlock(ctx))
}

// Curator's revocable lock has no data, and its Revoker sets these bytes; both ways.
func TestRevokeWithCurator(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	const theirs = path + "/_c_3b1ecdd0-1f37-4e4a-8a0b-0f1a4f0b5a11-lock-0000000000"
	require.NoError(t, srv.Create(theirs, []byte{}))
	mu := lock.NewMutex(connect(t, srv), path)
	require.NoError(t, mu.Revoke(ctx, all(t, mu)[0]))
	n, _ := srv.Node(theirs)
	require.Equal(t, []byte(message), n.Data)
	require.NoError(t, srv.Delete(theirs))

	held, err := mu.Lock(ctx)
	require.NoError(t, err)
	asked := held.Revoked()
	require.NoError(t, srv.Set(held.Path(), []byte(message)))
	arrives(t, "the request", asked)
	require.NoError(t, held.Unlock(ctx))
}

// Other data is no request, and connections that come and go lose none.
func TestRevokedOverReconnects(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	held, err := lock.NewMutex(connect(t, srv), path).Lock(ctx)
	require.NoError(t, err)
	for i := range 4 {
		// The read after the reconnect, or after the change, is awaited.
		read := srv.HoldReply(zktest.On(held.Path(), zktest.OpGetData))
		asked := held.Revoked()
		switch i {
		case 1, 2:
			srv.DropConnections()
		case 3:
			require.NoError(t, srv.Set(held.Path(), []byte(message+"?")))
		}
		arrives(t, "a read", read.Fired())
		read.Release()
		require.False(t, isClosed(asked))
	}
	srv.Refuse()
	srv.DropConnections()
	require.NoError(t, srv.Set(held.Path(), []byte(message)))
	require.False(t, isClosed(held.Revoked()))
	srv.Accept()
	arrives(t, "the request", held.Revoked())
	require.NoError(t, held.Err())
	require.NoError(t, held.Unlock(ctx))
}

// listens tells whether a goroutine listens for requests.
func listens() bool {
	stacks := make([]byte, 1<<20)
	return strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), ").listen(")
}

// However the lock ends, nobody listens any more when the end has been reported. Not parallel: it looks
// at all goroutines.
func TestNobodyListensAfterTheEnd(t *testing.T) {
	for name, end := range map[string]func(srv *zktest.Server, cl *client.Client, held *lock.Held) error{
		"unlock": func(_ *zktest.Server, _ *client.Client, held *lock.Held) error {
			return held.Unlock(t.Context())
		},
		"close": func(_ *zktest.Server, cl *client.Client, _ *lock.Held) error { return cl.Close() },
		"detach": func(_ *zktest.Server, cl *client.Client, _ *lock.Held) error {
			_, err := cl.Detach(t.Context())
			return err
		},
		"session lost": func(srv *zktest.Server, _ *client.Client, held *lock.Held) error {
			srv.ExpireSession(held.Handle().Session())
			<-held.Context().Done()
			return held.Unlock(t.Context())
		},
		"unlock without a server": func(srv *zktest.Server, _ *client.Client, held *lock.Held) error {
			srv.Refuse()
			srv.DropConnections()
			over, cancel := context.WithCancel(t.Context())
			cancel()
			_ = held.Unlock(over)
			return nil
		},
	} {
		srv := zktest.Start(t)
		cl := connect(t, srv)
		held, err := lock.NewMutex(cl, path).Lock(bounded(t))
		require.NoError(t, err)
		read := srv.HoldReply(zktest.On(held.Path(), zktest.OpGetData))
		asked := held.Revoked()
		arrives(t, "the read", read.Fired())
		read.Release()
		require.True(t, listens(), name)
		require.NoError(t, end(srv, cl, held), name)
		require.False(t, listens(), name)
		require.False(t, isClosed(asked), name)
		require.Equal(t, asked, held.Revoked(), name)
		require.False(t, listens(), name)
		_ = cl.Close()
	}
	srv := zktest.Start(t)
	held, err := lock.NewMutex(connect(t, srv), path).Lock(bounded(t))
	require.NoError(t, err)
	require.NoError(t, held.Unlock(bounded(t)))
	srv.ResetRequests()
	require.False(t, isClosed(held.Revoked()), "asked for after the end")
	require.False(t, listens())
	require.Empty(t, srv.Requests())
}

// Neither minds lost messages, and Break no lost session.
func TestRevokeAndBreakWithLostMessages(t *testing.T) {
	t.Parallel()
	for _, lose := range []func(*zktest.Server, zktest.Match) *zktest.Fault{(*zktest.Server).DropRequest, (*zktest.Server).SwallowReply} {
		for _, expire := range []bool{false, true} {
			srv := zktest.Start(t)
			cl := connect(t, srv)
			held, err := lock.NewMutex(connect(t, srv), path).Lock(bounded(t))
			require.NoError(t, err)
			mu := lock.NewMutex(cl, path)
			c := all(t, mu)[0]
			s, err := cl.Session(bounded(t))
			require.NoError(t, err)
			for _, op := range []zktest.Op{zktest.OpExists, zktest.OpSetData} {
				lost := lose(srv, zktest.On(held.Path(), op))
				require.NoError(t, mu.Revoke(bounded(t), c))
				arrives(t, "the loss", lost.Fired())
			}
			require.True(t, all(t, mu)[0].Revoked)
			lost := lose(srv, zktest.On(held.Path(), zktest.OpDelete))
			ended := make(chan error, 1)
			go func() { ended <- mu.Break(bounded(t), c) }()
			arrives(t, "the loss", lost.Fired())
			if expire {
				srv.ExpireSession(s.ID())
			}
			require.NoError(t, <-ended)
			require.Empty(t, contenders(srv))
		}
	}
}

func TestRevokeAndBreakCancelled(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	mu := lock.NewMutex(connect(t, srv), path)
	_, err := mu.Lock(bounded(t))
	require.NoError(t, err)
	c := all(t, mu)[0]
	for _, do := range []func(context.Context, lock.Contender) error{mu.Revoke, mu.Break} {
		for _, op := range []zktest.Op{zktest.OpExists, zktest.OpSetData, zktest.OpDelete} {
			hold := srv.HoldReply(zktest.On(c.Path, op))
			ctx, cancel := context.WithCancel(bounded(t))
			go func() {
				select {
				case <-hold.Fired():
					cancel()
				case <-ctx.Done():
				}
			}()
			err := do(ctx, c)
			hold.Release()
			if ctx.Err() != nil {
				require.ErrorIs(t, err, context.Canceled)
			} else {
				require.NoError(t, err)
			}
			cancel()
		}
	}
}

func TestRevokeAndBreakRefuse(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	mu := lock.NewMutex(cl, path)
	held, err := mu.Lock(bounded(t))
	require.NoError(t, err)
	elsewhere := lock.NewMutex(cl, path+"/sub")
	for _, do := range []func(context.Context, lock.Contender) error{mu.Revoke, mu.Break} {
		require.ErrorIs(t, do(t.Context(), lock.Contender{}), client.ErrBadArgument)
		require.ErrorIs(t, do(t.Context(), lock.Contender{Path: held.Path()}), client.ErrBadArgument)
	}
	for _, do := range []func(context.Context, lock.Contender) error{elsewhere.Revoke, elsewhere.Break} {
		require.ErrorIs(t, do(t.Context(), lock.Contender{Path: held.Path(), Token: held.Token()}), client.ErrBadArgument)
	}
	srv.FailNext(zktest.On(held.Path(), zktest.OpSetData), zktest.NoAuth)
	require.ErrorIs(t, mu.Revoke(t.Context(), all(t, mu)[0]), client.ErrNoAuth)
	srv.FailNext(zktest.On(held.Path(), zktest.OpDelete), zktest.NoAuth)
	require.ErrorIs(t, mu.Break(t.Context(), all(t, mu)[0]), client.ErrNoAuth)
	require.NoError(t, held.Err())
	broken := lock.NewMutex(cl, "")
	require.ErrorIs(t, broken.Revoke(t.Context(), lock.Contender{}), client.ErrBadPath)
	require.ErrorIs(t, broken.Break(t.Context(), lock.Contender{}), client.ErrBadPath)
	_, err = lock.NewMutex(cl, path, lock.WithIdentifier(message)).Lock(t.Context())
	require.ErrorIs(t, err, client.ErrBadArgument)
	// Who may not read its own node hears of nothing.
	read := srv.FailNext(zktest.On(held.Path(), zktest.OpGetData), zktest.NoAuth)
	asked := held.Revoked()
	arrives(t, "the refusal", read.Fired())
	require.NoError(t, held.Unlock(t.Context()))
	require.False(t, isClosed(asked))
}

// Everything at once, and nothing hangs or is left.
func TestRevokeWhileUnlocking(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		ctx := bounded(t)
		mu, other := lock.NewMutex(connect(t, srv), path), lock.NewMutex(connect(t, srv), path)
		for range 20 {
			held, err := mu.Lock(ctx)
			require.NoError(t, err)
			c := lock.Contender{Path: held.Path(), Token: held.Token()}
			var at sync.WaitGroup
			at.Go(func() { _ = other.Revoke(ctx, c) })
			at.Go(func() { held.Revoked() })
			at.Go(func() {
				if err := held.Unlock(ctx); err != nil {
					t.Error(err)
				}
			})
			at.Wait()
		}
		require.Empty(t, contenders(srv))
		require.Eventually(t, func() bool { return srv.Watches() == 0 }, patience, time.Millisecond)
	})
}

// Readers and writers are asked to let go, and broken, as a mutex's contenders are.
func TestRevokeAndBreakReader(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	rw := lock.NewRWMutex(connect(t, srv), path)
	reading := must(t)(rw.RLock(ctx))
	other := lock.NewRWMutex(connect(t, srv), path)
	all, err := other.Contenders(ctx)
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.NoError(t, other.Revoke(ctx, all[0]))
	<-reading.Revoked()
	require.NoError(t, reading.Err())
	require.NoError(t, other.Break(ctx, all[0]))
	_, err = reading.Txn().Commit(ctx)
	require.ErrorIs(t, err, lock.ErrLost)
	require.ErrorIs(t, reading.Err(), lock.ErrLost)
	require.ErrorIs(t, other.Revoke(ctx, all[0]), lock.ErrNoContender)
	require.NoError(t, must(t)(other.TryLock(ctx)).Unlock(ctx))
}
