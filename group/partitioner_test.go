package group_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/group"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

const work = "/work"

// ledger is what partitions go through: who works on each.
type ledger struct {
	mu      sync.Mutex
	at      map[string]string // by partition
	tokens  map[string]int64
	clashes []string
	moves   int
	forced  bool // sessions end before their time: only tokens keep owners apart then
}

func newLedger() *ledger { return &ledger{at: map[string]string{}, tokens: map[string]int64{}} }

func (l *ledger) begin(who string, part *group.Partition) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if other := l.at[part.Name()]; other != "" && !l.forced {
		l.clashes = append(l.clashes, fmt.Sprintf("%s: %s beside %s", part.Name(), who, other))
	}
	if part.Token() <= l.tokens[part.Name()] {
		l.clashes = append(l.clashes, fmt.Sprintf("%s: token %d after %d", part.Name(), part.Token(), l.tokens[part.Name()]))
	}
	l.at[part.Name()], l.tokens[part.Name()] = who, part.Token()
	l.moves++
}

func (l *ledger) end(who string, part *group.Partition) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.at[part.Name()] == who {
		delete(l.at, part.Name())
	}
}

func (l *ledger) moved() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.moves
}

// share is how many partitions each has.
func (l *ledger) share() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := map[string]int{}
	for _, who := range l.at {
		n[who]++
	}
	return n
}

func (l *ledger) requireNoClash(t testing.TB) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	require.Empty(t, l.clashes)
}

// member is a partitioner that runs.
type member struct {
	id     string
	p      *group.Partitioner
	cancel context.CancelFunc
	done   chan error
}

// run starts a member that works on its partitions until it is stopped.
func (l *ledger) run(t testing.TB, cl *client.Client, id string, partitions []string, opts ...group.Option) *member {
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	m := &member{id: id, p: group.NewPartitioner(cl, work, id, partitions, opts...), cancel: cancel, done: make(chan error, 1)}
	go func() {
		m.done <- m.p.Run(ctx, func(ctx context.Context, part *group.Partition) error {
			l.begin(id, part)
			defer l.end(id, part)
			<-ctx.Done()
			if part.Err() == nil && !errors.Is(context.Cause(ctx), group.ErrMoved) && !errors.Is(context.Cause(ctx), context.Canceled) {
				return fmt.Errorf("unexpected end: %w", context.Cause(ctx))
			}
			return context.Cause(ctx)
		})
	}()
	t.Cleanup(cancel)
	return m
}

func (m *member) stop(t testing.TB) {
	t.Helper()
	m.cancel()
	require.ErrorIs(t, wait(t, "the end of Run", m.done), context.Canceled)
	require.Empty(t, m.p.Owned())
}

// divided waits until all partitions are divided so.
func (l *ledger) divided(t testing.TB, share map[string]int) {
	t.Helper()
	require.Eventually(t, func() bool {
		now := l.share()
		if len(now) != len(share) {
			return false
		}
		for id, n := range share {
			if now[id] != n {
				return false
			}
		}
		return true
	}, patience, 5*time.Millisecond, "wanted %v", share)
	l.requireNoClash(t)
}

func TestPartitioner(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]group.Option{"curator": nil, "kazoo": {group.WithLayout(recipes.Kazoo)}, "rendezvous": {group.WithAssignment(group.Balanced)}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := zktest.Start(t)
			l, partitions := newLedger(), names("p", 12)
			a := l.run(t, connect(t, srv), "a", partitions, opts...)
			l.divided(t, map[string]int{"a": 12})
			b := l.run(t, connect(t, srv), "b", partitions, opts...)
			l.divided(t, map[string]int{"a": 6, "b": 6})
			owned := b.p.Owned()
			require.Len(t, owned, 6)
			require.True(t, slices.IsSortedFunc(owned, func(x, y *group.Partition) int { return cmpNames(x.Name(), y.Name()) }))
			require.NoError(t, owned[0].Err())
			require.True(t, owned[0].ValidUntil().After(time.Now()))
			_, err := owned[0].Txn().Create("/fenced", nil).Commit(t.Context())
			require.NoError(t, err)
			c := l.run(t, connect(t, srv), "c", partitions, opts...)
			l.divided(t, map[string]int{"a": 4, "b": 4, "c": 4})
			members, err := c.p.Members(t.Context())
			require.NoError(t, err)
			require.Len(t, members, 3)
			b.stop(t)
			require.ErrorIs(t, owned[0].Err(), recipes.ErrReleased)
			l.divided(t, map[string]int{"a": 6, "c": 6})
			a.stop(t)
			l.divided(t, map[string]int{"c": 12})
			c.stop(t)
			requireNothingLeft(t, srv)
		})
	}
}

func cmpNames(a, b string) int {
	if a < b {
		return -1
	}
	return min(1, len(a))
}

// The partitions of who is killed, or loses its session, move; and whoever has lost it works again.
func TestPartitionerSessions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, inMemory, zktest.WithTick(50*time.Millisecond))
		l, partitions := newLedger(), names("p", 12)
		one, two := connect(t, srv, quick), connect(t, srv, quick)
		a, b := l.run(t, one, "a", partitions), l.run(t, two, "b", partitions)
		l.divided(t, map[string]int{"a": 6, "b": 6})
		for range 5 {
			before := sessionOf(t, one)
			hush(srv, before)
			time.Sleep(time.Minute)
			require.NotEqual(t, before, sessionOf(t, one))
			l.divided(t, map[string]int{"a": 6, "b": 6})
		}
		var off atomic.Bool
		cl := connect(t, srv, quick, client.WithDialer(func(ctx context.Context, network, addr string) (net.Conn, error) {
			if off.Load() {
				return nil, errors.New("cut off")
			}
			return srv.Dial(ctx, network, addr)
		}))
		cut := l.run(t, cl, "cut off", partitions)
		l.divided(t, map[string]int{"a": 4, "b": 4, "cut off": 4})
		off.Store(true)
		require.True(t, srv.DropConnection(sessionOf(t, cl)))
		l.divided(t, map[string]int{"a": 6, "b": 6})
		off.Store(false)
		l.divided(t, map[string]int{"a": 4, "b": 4, "cut off": 4})
		cut.stop(t)
		a.stop(t)
		b.stop(t)
		requireNothingLeft(t, srv)
	})
}

// A function that does not return keeps its partition, and nothing else.
func TestPartitionerWaitsForFunctions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, inMemory)
		partitions := names("p", 4)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		let := make(chan struct{})
		stubborn := group.NewPartitioner(connect(t, srv), work, "a", partitions)
		done := make(chan error, 1)
		var causes []error
		var mu sync.Mutex
		go func() {
			done <- stubborn.Run(ctx, func(ctx context.Context, _ *group.Partition) error {
				<-ctx.Done()
				mu.Lock()
				causes = append(causes, context.Cause(ctx))
				mu.Unlock()
				<-let
				return nil
			})
		}()
		synctest.Wait()
		require.Len(t, stubborn.Owned(), 4)
		l := newLedger()
		b := l.run(t, connect(t, srv), "b", partitions)
		time.Sleep(time.Hour)
		require.Len(t, stubborn.Owned(), 4)
		require.Empty(t, l.share())
		mu.Lock()
		require.Len(t, causes, 2)
		require.ErrorIs(t, causes[0], group.ErrMoved)
		mu.Unlock()
		close(let)
		l.divided(t, map[string]int{"b": 2})
		require.Len(t, stubborn.Owned(), 2)
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
		l.divided(t, map[string]int{"b": 4})
		b.stop(t)
	})
}

// What a function returns: nil keeps the partition, an error ends Run.
func TestPartitionerResults(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, inMemory)
		cl := connect(t, srv)
		p := group.NewPartitioner(cl, work, "a", []string{"x", "y", "x"})
		require.Equal(t, work, p.Path())
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			done <- p.Run(ctx, func(context.Context, *group.Partition) error { return nil })
		}()
		time.Sleep(time.Minute)
		require.Len(t, p.Owned(), 2)
		require.ErrorIs(t, p.Run(t.Context(), func(context.Context, *group.Partition) error { return nil }), group.ErrRunning)
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
		requireNothingLeft(t, srv)

		broken := errors.New("broken")
		err := p.Run(t.Context(), func(ctx context.Context, part *group.Partition) error {
			if part.Name() == "x" {
				return broken
			}
			<-ctx.Done()
			return nil
		})
		require.ErrorIs(t, err, broken)
		requireNothingLeft(t, srv)
		go func() {
			done <- p.Run(context.WithoutCancel(t.Context()), func(ctx context.Context, _ *group.Partition) error {
				<-ctx.Done()
				return nil
			})
		}()
		time.Sleep(time.Minute)
		require.NoError(t, cl.Close())
		require.ErrorIs(t, wait(t, "the end", done), client.ErrClosed)
	})
}

// Members that come and go in quick succession are divided over once.
func TestPartitionerSettles(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, inMemory)
		l, partitions := newLedger(), names("p", 8)
		settling := group.WithSettling(10 * time.Second)
		a, b := l.run(t, connect(t, srv), "a", partitions, settling), l.run(t, connect(t, srv), "b", partitions, settling)
		time.Sleep(9 * time.Second)
		require.Empty(t, l.share())
		l.divided(t, map[string]int{"a": 4, "b": 4})
		moves := l.moved()
		b.stop(t)
		time.Sleep(5 * time.Second)
		b = l.run(t, connect(t, srv), "b", partitions, settling)
		time.Sleep(time.Minute)
		l.divided(t, map[string]int{"a": 4, "b": 4})
		require.Equal(t, moves+4, l.moved(), "a has kept what it had")

		// Changes without end are followed all the same.
		cl := connect(t, srv)
		for i := range 60 {
			m, err := group.Join(t.Context(), cl, work+"/party", fmt.Sprint("flapping", i), nil)
			require.NoError(t, err)
			time.Sleep(2 * time.Second) // and so when ten times ten seconds are over
			require.NoError(t, m.Leave(t.Context()))
			time.Sleep(time.Second)
		}
		require.Greater(t, l.moved(), moves+4)
		time.Sleep(time.Minute)
		l.divided(t, map[string]int{"a": 4, "b": 4})
		a.stop(t)
		b.stop(t)
	})
}

func TestPartitionerBadArguments(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	fn := func(context.Context, *group.Partition) error { return nil }
	for _, p := range []*group.Partitioner{
		group.NewPartitioner(nil, work, "a", nil), group.NewPartitioner(cl, "work", "a", nil), group.NewPartitioner(cl, work, "", nil),
		group.NewPartitioner(cl, work, "a/b", nil), group.NewPartitioner(cl, work, "a", []string{"x/y"}), group.NewPartitioner(cl, work, "a", []string{""}),
		group.NewPartitioner(cl, work, "a", nil, nil), group.NewPartitioner(cl, work, "a", nil, group.WithSettling(-1)),
	} {
		err := p.Run(t.Context(), fn)
		require.True(t, errors.Is(err, client.ErrBadArgument) || errors.Is(err, client.ErrBadPath), "%v", err)
		_, err = p.Members(t.Context())
		require.Error(t, err)
	}
	require.ErrorIs(t, group.NewPartitioner(cl, work, "a", nil).Run(t.Context(), nil), client.ErrBadArgument)
	for _, wrong := range [][]int{{0}, {0, 1}, {0, -1}} {
		p := group.NewPartitioner(cl, work, "a", []string{"x", "y"}, group.WithAssignment(func([]string, []string) []int { return wrong }))
		require.ErrorIs(t, p.Run(t.Context(), fn), client.ErrBadArgument)
	}
	requireNothingLeft(t, srv)
}
