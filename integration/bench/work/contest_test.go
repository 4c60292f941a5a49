package work

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// queueLock grants in the order of asking.
type queueLock struct {
	turn    chan struct{}
	inLine  atomic.Int64
	grants  atomic.Int64
	mu      sync.Mutex
	holders map[int]int
}

func newQueueLock() *queueLock {
	return &queueLock{turn: make(chan struct{}, 1), holders: map[int]int{}}
}

func (l *queueLock) acquire(ctx context.Context, i int) (func(context.Context) error, error) {
	l.inLine.Add(1)
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		l.inLine.Add(-1)
		return nil, ctx.Err()
	}
	l.grants.Add(1)
	l.mu.Lock()
	l.holders[i]++
	l.mu.Unlock()
	return func(context.Context) error {
		l.inLine.Add(-1)
		<-l.turn
		return nil
	}, nil
}

func (l *queueLock) length(context.Context) (int, error) { return int(l.inLine.Load()), nil }

func TestContendCountsGrantsSinceTheLineStood(t *testing.T) {
	t.Parallel()
	l := newQueueLock()
	var begun, ended int64
	c := NewCourse(Spec{Work: "w", Path: "/p", Clients: 10, Ops: 100, Marks: true}, func(name string) error {
		if name == "begin" {
			begun = l.inLine.Load()
			require.Equal(t, int64(1), l.grants.Load(), "only the first has been granted")
		} else {
			ended = l.grants.Load()
		}
		return nil
	})
	require.NoError(t, c.Contend(t.Context(), Contest{Acquire: l.acquire, InLine: l.length}))
	s, err := c.Sample()
	require.NoError(t, err)
	require.Equal(t, int64(10), begun)
	require.Equal(t, int64(101), ended, "at the end the hundredth is held, and nobody else was granted")
	require.Equal(t, 100, s.Ops)
	require.Zero(t, l.inLine.Load(), "nobody is left behind")
}

func TestAContestOfOneTurnEach(t *testing.T) {
	t.Parallel()
	l := newQueueLock()
	c := NewCourse(Spec{Work: "w", Path: "/p", Clients: 10}, nil)
	require.NoError(t, c.Contend(t.Context(), Contest{Acquire: l.acquire, InLine: l.length, Once: true}))
	s, err := c.Sample()
	require.NoError(t, err)
	require.Equal(t, 9, s.Ops, "the first one's turn was before")
	for i := range 10 {
		require.Equal(t, 1, l.holders[i])
	}
}

func TestAContestWithoutALine(t *testing.T) {
	t.Parallel()
	l := newQueueLock()
	c := NewCourse(Spec{Work: "w", Path: "/p", Clients: 3, Ops: 50}, nil)
	require.NoError(t, c.Contend(t.Context(), Contest{Acquire: l.acquire}))
	s, err := c.Sample()
	require.NoError(t, err)
	require.Equal(t, 50, s.Ops)
	require.Zero(t, l.inLine.Load())
}

func TestAContenderThatFailsEndsTheContest(t *testing.T) {
	t.Parallel()
	l, broken := newQueueLock(), errors.New("broken")
	c := NewCourse(Spec{Work: "w", Path: "/p", Clients: 5}, nil)
	err := c.Contend(t.Context(), Contest{
		InLine: l.length,
		Acquire: func(ctx context.Context, i int) (func(context.Context) error, error) {
			release, err := l.acquire(ctx, i)
			if i == 3 && err == nil {
				return nil, broken
			}
			return release, err
		},
	})
	require.ErrorIs(t, err, broken)
	require.ErrorContains(t, err, "contender 3")
}

func TestAudience(t *testing.T) {
	t.Parallel()
	a := NewAudience(2)
	c := NewCourse(Spec{Work: "w", Path: "/p", Ops: 5}, nil)
	var all sync.WaitGroup
	require.NoError(t, c.Broadcast(t.Context(), a, func(_ context.Context, n uint64) error {
		for range 2 {
			all.Go(func() { a.Saw(NumberOf(Numbered(n, 0))) })
		}
		return nil
	}))
	all.Wait()
	s, err := c.Sample()
	require.NoError(t, err)
	require.Equal(t, 5, s.Ops)

	ctx, cancel := context.WithCancel(t.Context())
	a.Saw(9)
	cancel()
	require.ErrorIs(t, a.Await(ctx, 9), context.Canceled, "one of two has seen it")
}
