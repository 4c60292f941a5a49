package lock_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/lock"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

// room is what a read-write lock protects: it notices who is in it together.
type room struct {
	readers, writers, value, token atomic.Int64
}

func (r *room) write(held *lock.Held) (int64, error) {
	if n, m := r.writers.Add(1), r.readers.Load(); n != 1 || m != 0 {
		return 0, fmt.Errorf("%d writers with %d readers", n, m)
	}
	defer r.writers.Add(-1)
	if before := r.token.Swap(held.Token()); before >= held.Token() {
		return 0, fmt.Errorf("token %d after %d", held.Token(), before)
	}
	return r.value.Add(1), held.Err()
}

// read looks twice, and finds value each time, or, if that is 0, the same.
func (r *room) read(ctx context.Context, rw *lock.RWMutex, held *lock.Held, value int64) error {
	r.readers.Add(1)
	defer r.readers.Add(-1)
	if value == 0 {
		value = r.value.Load()
	}
	for range 2 {
		if n := r.writers.Load(); n != 0 {
			return fmt.Errorf("a reader with %d writers", n)
		}
		if now := r.value.Load(); now != value {
			return fmt.Errorf("%d written while %d was read", now, value)
		}
		if _, err := rw.Contenders(ctx); err != nil { // a while, in which others may do wrong
			return err
		}
	}
	return held.Err()
}

// Writers, readers, and writers that become readers, of several clients: no two writers at
// once, no writer beside a reader, and nobody writes between what is written and what is
// read after a downgrade.
func TestDowngradeUnderContention(t *testing.T) {
	t.Parallel()
	for _, layout := range layouts {
		t.Run(layout.String(), func(t *testing.T) {
			t.Parallel()
			srv := zktest.Start(t)
			ctx := bounded(t)
			var rws []*lock.RWMutex
			for range 3 {
				rws = append(rws, lock.NewRWMutex(connect(t, srv), path, lock.WithLayout(layout)))
			}
			var r room
			turns := []func(rw *lock.RWMutex) error{
				func(rw *lock.RWMutex) error {
					return rw.Do(ctx, func(_ context.Context, held *lock.Held) error {
						_, err := r.write(held)
						return err
					})
				},
				func(rw *lock.RWMutex) error {
					return rw.Do(ctx, func(work context.Context, held *lock.Held) error {
						value, err := r.write(held)
						if err != nil {
							return err
						}
						reading, err := rw.Downgrade(work, held)
						if err != nil {
							return err
						}
						if err := r.read(ctx, rw, reading, value); err != nil {
							return err
						}
						return reading.Unlock(ctx)
					})
				},
				func(rw *lock.RWMutex) error {
					return rw.DoRead(ctx, func(_ context.Context, held *lock.Held) error { return r.read(ctx, rw, held, 0) })
				},
			}
			done := make(chan error, 9)
			for i := range cap(done) {
				go func() {
					for range 4 {
						if err := turns[i/3](rws[i%3]); err != nil {
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
			require.EqualValues(t, 24, r.value.Load())
			require.Empty(t, contenders(srv))
		})
	}
}

// What is not this lock's for writing is refused, and left as it is.
func TestDowngradeRefuses(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	cl := connect(t, srv)
	rw := lock.NewRWMutex(cl, path)
	reading := must(t)(rw.RLock(ctx))
	mu := must(t)(lock.NewMutex(cl, "/mutex").Lock(ctx))
	elsewhere := must(t)(lock.NewRWMutex(cl, "/elsewhere").Lock(ctx))
	foreign := must(t)(lock.NewRWMutex(connect(t, srv), "/foreign").Lock(ctx))
	for _, held := range []*lock.Held{reading, mu, elsewhere} {
		_, err := rw.Downgrade(ctx, held)
		require.ErrorIs(t, err, client.ErrBadArgument)
		require.ErrorContains(t, err, path)
		require.NoError(t, held.Err())
	}
	_, err := lock.NewRWMutex(cl, "/foreign").Downgrade(ctx, foreign)
	require.ErrorIs(t, err, client.ErrBadArgument, "another client's")
	require.NoError(t, foreign.Err())
	_, err = rw.Downgrade(ctx, nil)
	require.ErrorIs(t, err, client.ErrBadArgument)
}

// A lock for writing that was taken over by the next process can be downgraded by it, and handed
// on once more.
func TestDowngradeOfResumed(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	a := connect(t, srv)
	first := must(t)(lock.NewRWMutex(a, path).Lock(ctx))
	session, err := a.Detach(ctx)
	require.NoError(t, err)
	b := connect(t, srv, client.WithSession(session))
	second := must(t)(lock.Resume(ctx, b, first.Handle()))
	reading := must(t)(lock.NewRWMutex(b, path).Downgrade(ctx, second))
	session, err = b.Detach(ctx)
	require.NoError(t, err)
	third := must(t)(lock.Resume(ctx, connect(t, srv, client.WithSession(session)), reading.Handle()))
	require.Equal(t, first.Token(), third.Token())
	other := lock.NewRWMutex(connect(t, srv), path)
	_, err = other.TryLock(ctx)
	require.ErrorIs(t, err, lock.ErrBusy)
	require.NoError(t, must(t)(other.TryRLock(ctx)).Unlock(ctx))
	require.NoError(t, third.Unlock(ctx))
	require.NoError(t, must(t)(other.TryLock(ctx)).Unlock(ctx))
}

// In Kazoo's layout a plain lock is one for writing.
func TestDowngradeOfKazoosMutex(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	cl := connect(t, srv)
	mu := must(t)(lock.NewMutex(cl, path, lock.WithLayout(recipes.Kazoo)).Lock(ctx))
	rw := lock.NewRWMutex(cl, path, lock.WithLayout(recipes.Kazoo))
	reading := must(t)(rw.Downgrade(ctx, mu))
	require.Regexp(t, `/[0-9a-f]{32}__rlock__0000000000$`, reading.Path())
	require.NoError(t, must(t)(rw.TryRLock(ctx)).Unlock(ctx))
	require.NoError(t, reading.Unlock(ctx))
}

// A lock that others still have in hand, by Again, is not downgraded under them, nor through one that
// is unlocked.
func TestDowngradeOfWhatOthersHold(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	rw := lock.NewRWMutex(connect(t, srv), path)
	writing := must(t)(rw.Lock(ctx))
	again := must(t)(writing.Again())
	_, err := rw.Downgrade(ctx, writing)
	require.ErrorIs(t, err, client.ErrBadArgument)
	require.ErrorContains(t, err, "Again")
	require.NoError(t, writing.Err())
	require.NoError(t, again.Err())
	require.NoError(t, writing.Unlock(ctx))
	_, err = rw.Downgrade(ctx, writing)
	require.ErrorIs(t, err, lock.ErrUnlocked)
	require.NoError(t, again.Err(), "it is written under it still")
	reading := must(t)(rw.Downgrade(ctx, again))
	require.ErrorIs(t, again.Err(), lock.ErrUnlocked)
	require.NoError(t, reading.Unlock(ctx))
	require.Empty(t, contenders(srv))
}

// A plain lock in Kazoo's layout takes a writer for one of its kind: it does not take the end of its
// node for the end of its holding, and finds the reader that it has become.
func TestDowngradeAheadOfKazoosMutex(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	kazoo := lock.WithLayout(recipes.Kazoo)
	rw := lock.NewRWMutex(connect(t, srv), path, kazoo)
	writing := must(t)(rw.Lock(ctx))
	watched := srv.HoldReply(zktest.Match{Path: writing.Path(), Ops: []zktest.Op{zktest.OpGetData}})
	waited := make(chan error, 1)
	mu := lock.NewMutex(connect(t, srv), path, kazoo)
	go func() {
		held, err := mu.Lock(ctx)
		if err == nil {
			err = held.Unlock(ctx)
		}
		waited <- err
	}()
	<-watched.Fired()
	watched.Release()
	reading := must(t)(rw.Downgrade(ctx, writing))
	require.ErrorIs(t, <-waited, lock.ErrLayoutConflict)
	require.NoError(t, reading.Err())
	require.NoError(t, reading.Unlock(ctx))
}
