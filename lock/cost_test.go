package lock_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/lock"
	"github.com/zookit/zookit/zktest"
)

// What locks cost, counted on the wire.

// heard has who leaves tell the next in any line; that short ones are listed is counted in package recipes.
var heard = lock.WithShortLine(-1)

// ours are the requests for a lock's directory and what is in it, a transaction being one, and but for
// those that take watches away, of which nobody waits.
func ours(srv *zktest.Server) (ops []zktest.Op) {
	for _, r := range srv.Requests(zktest.Match{}) {
		p := r.Path
		if len(r.Multi) > 0 {
			p = r.Multi[0].Path
		}
		if strings.HasPrefix(p, path) && r.Op != zktest.OpRemoveWatches {
			ops = append(ops, r.Op)
		}
	}
	return ops
}

// Three requests in two round trips, once the directory exists: the create and the list behind it come
// in one.
func TestMutexCostsThreeRequests(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	require.NoError(t, srv.Create(path, nil))
	ctx := bounded(t)
	mu := lock.NewMutex(connect(t, srv), path, heard)
	// Neither answer is given before both requests are there.
	create, list := srv.HoldReply(zktest.On(path+"/*", zktest.OpCreate2)), srv.HoldReply(zktest.On(path, zktest.OpGetChildren2))
	got := make(chan outcome, 1)
	go func() {
		held, err := mu.Lock(ctx)
		got <- outcome{held, err}
	}()
	for _, h := range []*zktest.Hold{create, list} {
		select {
		case <-h.Fired():
		case <-ctx.Done():
			require.FailNow(t, "both requests in one flight")
		}
	}
	list.Release()
	create.Release()
	require.NoError(t, taken(t, got).Unlock(ctx))
	require.Equal(t, []zktest.Op{zktest.OpCreate2, zktest.OpGetChildren2, zktest.OpDelete}, ours(srv))
}

// A hand-over is the removal of one node and one read, whoever else waits; to give up a wait is a
// removal of a watch and of a node.
func TestMutexHandOverCosts(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	held := must(t)(lock.NewMutex(connect(t, srv), path, heard).Lock(ctx))
	giving, giveUp := context.WithCancel(ctx)
	var line []<-chan outcome
	for i := range 20 {
		asks := ctx
		if i == 19 {
			asks = giving
		}
		line = append(line, waiting(asks, t, srv, lock.NewMutex(connect(t, srv), path, heard).Lock))
	}
	require.Equal(t, 20, srv.Watches(), "each watches one node")
	srv.ResetRequests()
	giveUp()
	require.ErrorIs(t, (<-line[19]).err, context.Canceled)
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		assert.Len(c, contenders(srv), 20)
		assert.Equal(c, 19, srv.Watches())
	}, patience, time.Millisecond)
	require.LessOrEqual(t, len(srv.Requests()), 2)
	for i, next := range line[:19] {
		srv.ResetRequests()
		require.NoError(t, held.Unlock(ctx))
		held = taken(t, next)
		removal := zktest.OpMulti // by one that has waited itself: see recipes
		if i == 0 {
			removal = zktest.OpDelete
		}
		require.Equal(t, []zktest.Op{removal, zktest.OpExists}, ours(srv))
	}
	require.NoError(t, held.Unlock(ctx))
}

// behind is closed when somebody has begun to wait in the line before a semaphore.
func behind(srv *zktest.Server) <-chan struct{} {
	h := srv.HoldReply(zktest.Match{Ops: []zktest.Op{zktest.OpGetData}, Where: func(r zktest.Request) bool { return r.Path != path }})
	done := make(chan struct{})
	go func() {
		<-h.Fired()
		h.Release()
		close(done)
	}()
	return done
}

// A release of permits is told to the first in line only, and costs it a look at the permits; the others
// hear and ask nothing.
func TestSemaphoreReleaseWakesOne(t *testing.T) {
	t.Parallel()
	for _, layout := range layouts {
		srv := zktest.Start(t)
		ctx := bounded(t)
		const limit = 3
		var sessions []int64 // in the order in which they ask
		semaphore := func() *lock.Semaphore {
			cl := connect(t, srv)
			s, err := cl.Session(ctx)
			require.NoError(t, err)
			sessions = append(sessions, s.ID())
			return lock.NewSemaphore(cl, path, limit, lock.WithLayout(layout), heard)
		}
		var held []*lock.Held
		for range limit {
			held = append(held, must(t)(semaphore().Acquire(ctx, 1)))
		}
		require.EventuallyWithT(t, func(c *assert.CollectT) { assert.Zero(c, srv.Watches()) }, patience, time.Millisecond)
		var line []<-chan outcome
		for i := range 10 {
			begins := fullSemaphore // the first in line watches the permits and the limit, each other the one ahead
			if i > 0 {
				begins = behind
			}
			got, s := make(chan outcome, 1), semaphore()
			waits := begins(srv)
			go func() {
				h, err := s.Acquire(ctx, 1)
				got <- outcome{h, err}
			}()
			select {
			case <-waits:
			case <-ctx.Done():
				require.FailNow(t, "it does not wait")
			}
			line = append(line, got)
		}
		require.Empty(t, line[0])
		for i, next := range line[:4] {
			srv.ResetRequests()
			require.NoError(t, held[0].Unlock(ctx))
			held = append(held[1:], taken(t, next))
			// It gives its place up, and the one behind it watches the permits.
			require.EventuallyWithT(t, func(c *assert.CollectT) { assert.Equal(c, 10-i, srv.Watches()) }, patience, time.Millisecond)
			for _, r := range srv.Requests() {
				place := slices.Index(sessions, r.Session)
				require.Contains(t, []int{i, limit + i, limit + i + 1}, place, "who released, who was woken, who is first now: %s %s", r.Op, r.Path)
			}
		}
		for _, h := range held {
			require.NoError(t, h.Unlock(ctx))
		}
		for _, next := range line[4:] {
			require.NoError(t, taken(t, next).Unlock(ctx))
		}
	}
}

// Counted on the wire: what is free costs three requests in two flights, and a writer that is
// done wakes the readers behind it, with one list each, and nobody else.
func TestCostsOfReadersAndWriters(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	require.NoError(t, srv.Create(path, nil))
	ctx := bounded(t)
	rw := lock.NewRWMutex(connect(t, srv), path, heard)
	ops := func(which zktest.Match) (out []zktest.Op) {
		for _, r := range srv.Requests(which) {
			out = append(out, r.Op)
		}
		return out
	}
	for _, take := range []func(context.Context) (*lock.Held, error){rw.RLock, rw.Lock} {
		srv.ResetRequests()
		require.NoError(t, must(t)(take(ctx)).Unlock(ctx))
		require.Equal(t, []zktest.Op{zktest.OpCreate2, zktest.OpGetChildren2, zktest.OpDelete}, ops(zktest.Match{Path: path + "*"}))
	}

	other := func() *lock.RWMutex { return lock.NewRWMutex(connect(t, srv), path, heard) }
	w := must(t)(rw.Lock(ctx))
	readers := []<-chan outcome{waiting(ctx, t, srv, other().RLock), waiting(ctx, t, srv, other().RLock), waiting(ctx, t, srv, other().RLock)}
	next := waiting(ctx, t, srv, other().Lock)
	after := waiting(ctx, t, srv, other().RLock)
	require.Equal(t, 5, srv.Watches())
	srv.ResetRequests()
	require.NoError(t, w.Unlock(ctx))
	var held []*lock.Held
	for _, r := range readers {
		held = append(held, taken(t, r))
	}
	require.Equal(t, 2, srv.Watches(), "those of the writer and of the reader behind it have not fired")
	require.LessOrEqual(t, len(ops(zktest.Match{Path: path + "*"})), 1+len(readers), "the delete, and one look each")
	for _, h := range held {
		require.NoError(t, h.Unlock(ctx))
	}
	require.NoError(t, taken(t, next).Unlock(ctx))
	require.NoError(t, taken(t, after).Unlock(ctx))
}
