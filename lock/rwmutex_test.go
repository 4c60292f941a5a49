package lock_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/lock"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

// outcome is what a call that waited has returned.
type outcome struct {
	held *lock.Held
	err  error
}

// waiting calls lock and returns once it watches who is ahead.
func waiting(ctx context.Context, t testing.TB, srv *zktest.Server, lock func(context.Context) (*lock.Held, error)) <-chan outcome {
	t.Helper()
	waits := watched(srv)
	out := make(chan outcome, 1)
	go func() {
		held, err := lock(ctx)
		out <- outcome{held, err}
	}()
	select {
	case <-waits:
	case o := <-out:
		require.FailNow(t, "it does not wait", "%+v", o)
	}
	return out
}

// taken receives a lock that has to be granted.
func taken(t testing.TB, from <-chan outcome) *lock.Held {
	t.Helper()
	select {
	case o := <-from:
		require.NoError(t, o.err)
		require.NoError(t, o.held.Err())
		return o.held
	case <-bounded(t).Done():
		require.FailNow(t, "waited in vain for the lock")
		return nil
	}
}

func must(t testing.TB) func(*lock.Held, error) *lock.Held {
	t.Helper()
	return func(h *lock.Held, err error) *lock.Held {
		t.Helper()
		require.NoError(t, err)
		require.NoError(t, h.Err())
		return h
	}
}

var layouts = []recipes.Layout{recipes.Curator, recipes.Kazoo}

// Who gets in beside whom, in both layouts, by the names that the other libraries write.
func TestReadersShareAndWritersDoNot(t *testing.T) {
	t.Parallel()
	for _, layout := range layouts {
		srv := zktest.Start(t)
		ctx := bounded(t)
		a := lock.NewRWMutex(connect(t, srv), path, lock.WithLayout(layout))
		b := lock.NewRWMutex(connect(t, srv), path, lock.WithLayout(layout))
		r1 := must(t)(a.RLock(ctx))
		r2 := must(t)(b.RLock(ctx))
		r3 := must(t)(b.TryRLock(ctx))
		_, err := b.TryLock(ctx)
		require.ErrorIs(t, err, lock.ErrBusy)
		require.ErrorContains(t, err, path)
		for _, r := range []*lock.Held{r1, r3, r2} {
			_, err = a.TryLock(ctx)
			require.ErrorIs(t, err, lock.ErrBusy)
			require.NoError(t, r.Unlock(ctx))
		}
		w := must(t)(a.TryLock(ctx))
		_, err = b.TryRLock(ctx)
		require.ErrorIs(t, err, lock.ErrBusy)
		_, err = b.TryLock(ctx)
		require.ErrorIs(t, err, lock.ErrBusy)
		require.NoError(t, w.Unlock(ctx))
		want := map[recipes.Layout][2]string{recipes.Curator: {"-__READ__000", "-__WRIT__000"}, recipes.Kazoo: {"__rlock__000", "__lock__000"}}[layout]
		require.Contains(t, r1.Path(), want[0])
		require.Contains(t, w.Path(), want[1])
		require.Empty(t, contenders(srv))
		require.Equal(t, path, a.Path())
		require.Equal(t, path, a.RLocker().Path())
	}
}

// First come, first served: the readers next to each other share, nobody overtakes.
func TestReadersAndWritersAreServedInOrder(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	rw := lock.NewRWMutex(connect(t, srv), path)
	w0 := must(t)(rw.Lock(ctx))
	r1, r2 := waiting(ctx, t, srv, rw.RLock), waiting(ctx, t, srv, rw.RLock)
	w3 := waiting(ctx, t, srv, rw.Lock)
	r4 := waiting(ctx, t, srv, rw.RLock)
	w5, w6 := waiting(ctx, t, srv, rw.Lock), waiting(ctx, t, srv, rw.Lock)

	all, err := rw.Contenders(ctx)
	require.NoError(t, err)
	var kinds []recipes.Kind
	for _, c := range all {
		kinds = append(kinds, c.Kind)
	}
	const r, w = recipes.KindRead, recipes.KindWrite
	require.Equal(t, []recipes.Kind{w, r, r, w, r, w, w}, kinds)
	require.Equal(t, w0.Path(), all[0].Path)
	require.Equal(t, w0.Token(), all[0].Token)

	require.NoError(t, w0.Unlock(ctx))
	one, two := taken(t, r1), taken(t, r2)
	for _, later := range []<-chan outcome{w3, r4, w5, w6} {
		require.Empty(t, later)
	}
	require.NoError(t, one.Unlock(ctx))
	require.Empty(t, w3, "a reader is left")
	require.NoError(t, two.Unlock(ctx))
	three := taken(t, w3)
	require.Empty(t, r4)
	require.NoError(t, three.Unlock(ctx))
	four := taken(t, r4)
	require.Empty(t, w5)
	require.NoError(t, four.Unlock(ctx))
	five := taken(t, w5)
	require.Empty(t, w6)
	require.NoError(t, five.Unlock(ctx))
	six := taken(t, w6)
	require.NoError(t, six.Unlock(ctx))
	for i, later := range []*lock.Held{one, two, three, four, five, six}[1:] {
		require.Greater(t, later.Token(), []*lock.Held{one, two, three, four, five}[i].Token())
	}
	require.Empty(t, contenders(srv))
}

// A stream of readers, of whom always some hold, keeps no writer waiting: none that came
// after it gets in before it.
func TestWriterIsNotStarved(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	rw := lock.NewRWMutex(connect(t, srv), path)
	before := must(t)(rw.RLock(ctx))
	w := waiting(ctx, t, srv, rw.Lock)
	stream := make([]<-chan outcome, 0, 20)
	for range cap(stream) {
		_, err := rw.TryRLock(ctx)
		require.ErrorIs(t, err, lock.ErrBusy, "the writer waits")
		stream = append(stream, waiting(ctx, t, srv, rw.RLock))
	}
	require.NoError(t, before.Unlock(ctx))
	writing := taken(t, w)
	for _, r := range stream {
		require.Empty(t, r)
	}
	require.NoError(t, writing.Unlock(ctx))
	reading := make([]*lock.Held, 0, len(stream))
	for _, r := range stream {
		reading = append(reading, taken(t, r))
	}
	for _, r := range reading {
		require.NoError(t, r.Unlock(ctx))
	}
}

// A reader whose session is over is told, and keeps nobody waiting.
func TestReaderLosesItsSession(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	cl := connect(t, srv)
	r := must(t)(lock.NewRWMutex(cl, path).RLock(ctx))
	rw := lock.NewRWMutex(connect(t, srv), path)
	w := waiting(ctx, t, srv, rw.Lock)
	s, err := cl.Session(ctx)
	require.NoError(t, err)
	require.True(t, srv.ExpireSession(s.ID()))
	writing := taken(t, w)
	<-r.Context().Done()
	require.ErrorIs(t, r.Err(), lock.ErrLost)
	require.ErrorIs(t, r.Err(), client.ErrSessionLost)
	require.NoError(t, r.Unlock(ctx))
	// A waiting reader joins again, in its new session.
	again := lock.NewRWMutex(cl, path)
	reading := waiting(ctx, t, srv, again.RLock)
	s, err = cl.Session(ctx)
	require.NoError(t, err)
	rejoined := watched(srv)
	require.True(t, srv.ExpireSession(s.ID()))
	<-rejoined
	require.NoError(t, writing.Unlock(ctx))
	require.NoError(t, taken(t, reading).Unlock(ctx))
	require.Empty(t, contenders(srv))
}

// Foreign children are nobody's business; contenders of another recipe are an error, but for
// Kazoo's plain locks, which are writers there.
func TestForeignersAmongReadersAndWriters(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	cl := connect(t, srv)
	for _, name := range []string{"000-aaa", "config", "x-__READ__", "x-__WRIT__12x", "zzz"} {
		require.NoError(t, srv.Create(path+"/"+name, nil))
	}
	rw := lock.NewRWMutex(cl, path)
	require.NoError(t, must(t)(rw.Lock(ctx)).Unlock(ctx))
	require.NoError(t, must(t)(rw.RLock(ctx)).Unlock(ctx))

	mu := must(t)(lock.NewMutex(cl, path).Lock(ctx))
	for _, take := range []func(context.Context) (*lock.Held, error){rw.RLock, rw.Lock, rw.TryRLock, rw.TryLock} {
		_, err := take(ctx)
		require.ErrorIs(t, err, lock.ErrLayoutConflict)
	}
	require.NoError(t, mu.Unlock(ctx))

	// As Kazoo writes it: 32 hex digits, the marker, ten digits.
	const kazoo = "/kazoo"
	foreign := kazoo + "/" + strings.Repeat("0f", 16) + "__lock__0000000000"
	require.NoError(t, srv.Create(foreign, []byte("kazoo")))
	require.NoError(t, srv.SetNextSequence(kazoo, 1))
	krw := lock.NewRWMutex(cl, kazoo, lock.WithLayout(recipes.Kazoo))
	_, err := krw.TryRLock(ctx)
	require.ErrorIs(t, err, lock.ErrBusy)
	require.NoError(t, srv.Delete(foreign))
	foreign = kazoo + "/" + strings.Repeat("0f", 16) + "__rlock__0000000001"
	require.NoError(t, srv.Create(foreign, []byte("kazoo")))
	require.NoError(t, srv.SetNextSequence(kazoo, 2))
	require.NoError(t, must(t)(krw.TryRLock(ctx)).Unlock(ctx))
	_, err = krw.TryLock(ctx)
	require.ErrorIs(t, err, lock.ErrBusy)
}

// Sequence numbers that wrap around, or stay at the last one, do not change who waits for whom.
func TestReadersAndWritersAtTheEndOfTheNumbers(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]zktest.Option{"stays": nil, "wraps": {zktest.WithSequenceWrap()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := zktest.Start(t, opts...)
			require.NoError(t, srv.Create(path, nil))
			require.NoError(t, srv.SetNextSequence(path, math.MaxInt32-2))
			ctx := bounded(t)
			rw := lock.NewRWMutex(connect(t, srv), path)
			line := []<-chan outcome{}
			held := must(t)(rw.Lock(ctx))
			for i := range 6 {
				take := rw.RLock
				if i%2 == 1 {
					take = rw.Lock
				}
				line = append(line, waiting(ctx, t, srv, take))
			}
			for i, next := range line {
				for _, later := range line[i:] {
					require.Empty(t, later)
				}
				require.NoError(t, held.Unlock(ctx))
				held = taken(t, next)
			}
			require.NoError(t, held.Unlock(ctx))
			require.Empty(t, contenders(srv))
		})
	}
}

func TestRWMutexDo(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	rw := lock.NewRWMutex(connect(t, srv), path)
	failed := errors.New("of fn")
	var writing *lock.Held
	err := rw.Do(ctx, func(work context.Context, held *lock.Held) error {
		writing = held
		_, err := rw.TryRLock(work)
		require.ErrorIs(t, err, lock.ErrBusy)
		reading, err := rw.Downgrade(work, held)
		require.NoError(t, err)
		<-work.Done()
		require.ErrorIs(t, context.Cause(work), lock.ErrUnlocked)
		require.NoError(t, must(t)(rw.TryRLock(ctx)).Unlock(ctx))
		require.NoError(t, reading.Unlock(ctx))
		return failed
	})
	require.Equal(t, failed, err)
	require.ErrorIs(t, writing.Err(), lock.ErrUnlocked)
	require.NoError(t, rw.DoRead(ctx, func(ctx context.Context, held *lock.Held) error {
		require.NoError(t, held.Err())
		return rw.DoRead(ctx, func(context.Context, *lock.Held) error { return nil })
	}))
	require.Empty(t, contenders(srv))

	for _, bad := range []*lock.RWMutex{lock.NewRWMutex(nil, path), lock.NewRWMutex(connect(t, srv), path, nil)} {
		_, err = bad.RLock(ctx)
		require.ErrorIs(t, err, client.ErrBadArgument)
		_, err = bad.Contenders(ctx)
		require.ErrorIs(t, err, client.ErrBadArgument)
		_, err = bad.Downgrade(ctx, writing)
		require.ErrorIs(t, err, client.ErrBadArgument)
	}
}
