package counter_test

import (
	"context"
	"math"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/counter"
	"github.com/zookit/zookit/zktest"
)

func TestCounter(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	c := counter.New(connect(t, srv), node)
	require.Equal(t, node, c.Path())
	n, err := c.Value(ctx)
	require.NoError(t, err)
	require.Zero(t, n, "before there is a node")
	for i, delta := range []int64{5, -7, 0} {
		n, err = c.Add(ctx, delta)
		require.NoError(t, err)
		require.Equal(t, []int64{5, -2, -2}[i], n)
	}
	swapped, err := c.CompareAndSet(ctx, 5, 9)
	require.NoError(t, err)
	require.False(t, swapped)
	swapped, err = c.CompareAndSet(ctx, -2, 9)
	require.NoError(t, err)
	require.True(t, swapped)
	require.NoError(t, c.Set(ctx, 41))
	n, err = c.Add(ctx, 1)
	require.NoError(t, err)
	require.Equal(t, int64(42), n)
	n, err = c.Value(ctx)
	require.NoError(t, err)
	require.Equal(t, int64(42), n)
	requireData(t, srv, []byte{0, 0, 0, 0, 0, 0, 0, 42})
	requireNoReceipts(t, srv)
}

// A compare-and-set that finds no node compares with the initial value.
func TestCompareAndSetWithoutNode(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	c := counter.New(connect(t, srv), node, counter.WithInitial(3))
	swapped, err := c.CompareAndSet(bounded(t), 0, 9)
	require.NoError(t, err)
	require.False(t, swapped)
	_, there := srv.Node(node)
	require.False(t, there)
	swapped, err = c.CompareAndSet(bounded(t), 3, 9)
	require.NoError(t, err)
	require.True(t, swapped)
	requireData(t, srv, []byte{0, 0, 0, 0, 0, 0, 0, 9})
}

func TestLayouts(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		layout counter.Layout
		data   string // of 7
		bad    []string
		most   int64
		least  int64
	}{
		{counter.Long, "\x00\x00\x00\x00\x00\x00\x00\x07", []string{"7", "\x00\x00\x00\x07", "127.0.0.1", "12345678\n"}, math.MaxInt64, math.MinInt64},
		{counter.Int, "\x00\x00\x00\x07", []string{"7", "\x00\x00\x00\x00\x00\x00\x00\x07", "127.0.0.1"}, math.MaxInt32, math.MinInt32},
		{counter.Text, "7", []string{"7.0", "\x00\x00\x00\x07", "127.0.0.1", "9223372036854775808", "7 8", "-", " "}, math.MaxInt64, math.MinInt64},
	} {
		t.Run(test.layout.String(), func(t *testing.T) {
			t.Parallel()
			srv := zktest.Start(t)
			ctx := bounded(t)
			cl := connect(t, srv)
			c := counter.New(cl, node, counter.WithLayout(test.layout), counter.WithInitial(4))
			n, err := c.Add(ctx, 3)
			require.NoError(t, err)
			require.Equal(t, int64(7), n)
			requireData(t, srv, []byte(test.data))

			// Kazoo makes the node, empty, before it counts.
			require.NoError(t, srv.Set(node, nil))
			n, err = c.Value(ctx)
			require.NoError(t, err)
			require.Equal(t, int64(4), n, "the initial value")

			for _, bad := range test.bad {
				require.NoError(t, srv.Set(node, []byte(bad)))
				fresh := counter.New(cl, node, counter.WithLayout(test.layout))
				for op, call := range map[string]func() error{
					"Value": func() error { _, err := fresh.Value(ctx); return err },
					"Add":   func() error { _, err := fresh.Add(ctx, 1); return err },
					"Set":   func() error { return fresh.Set(ctx, 1) },
					"CAS":   func() error { _, err := fresh.CompareAndSet(ctx, 1, 2); return err },
				} {
					err := call()
					require.ErrorIs(t, err, counter.ErrLayoutConflict, "%s of %q", op, bad)
					require.Equal(t, client.Definite, client.Outcome(err), "%s: %v", op, err)
				}
				requireData(t, srv, []byte(bad))
			}

			require.NoError(t, srv.Set(node, []byte(test.data)))
			require.NoError(t, c.Set(ctx, test.most))
			for _, over := range []func() error{
				func() error { _, err := c.Add(ctx, 1); return err },
				func() error { _, err := c.Add(ctx, math.MaxInt64); return err },
			} {
				err := over()
				require.ErrorIs(t, err, counter.ErrOverflow)
				require.Equal(t, client.Definite, client.Outcome(err))
			}
			n, err = c.Add(ctx, 0)
			require.NoError(t, err)
			require.Equal(t, test.most, n)
			require.NoError(t, c.Set(ctx, test.least))
			_, err = c.Add(ctx, -1)
			require.ErrorIs(t, err, counter.ErrOverflow)
			if test.layout == counter.Int {
				require.ErrorIs(t, c.Set(ctx, math.MaxInt32+1), counter.ErrOverflow)
				_, err = c.CompareAndSet(ctx, math.MinInt32, math.MinInt32-1)
				require.ErrorIs(t, err, counter.ErrOverflow)
			}
		})
	}
}

func TestBadArguments(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	for name, c := range map[string]*counter.Counter{
		"no client":     counter.New(nil, node),
		"path":          counter.New(cl, "stats"),
		"nil option":    counter.New(cl, node, nil),
		"layout":        counter.New(cl, node, counter.WithLayout(9)),
		"receipts":      counter.New(cl, node, counter.WithReceipts("x")),
		"initial value": counter.New(cl, node, counter.WithLayout(counter.Int), counter.WithInitial(1<<40)),
	} {
		_, err := c.Add(bounded(t), 1)
		require.Error(t, err, name)
		_, err = c.Value(bounded(t))
		require.Error(t, err, name)
		for _, err := range c.Watch(bounded(t)) {
			require.Error(t, err, name)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := counter.New(cl, node).Add(ended, 1)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, client.NotSent, client.Outcome(err))
	_, err = counter.NewSharedValue(cl, "x").Value(bounded(t))
	require.ErrorIs(t, err, client.ErrBadPath)
	_, err = counter.NewSharedValue(cl, node).Update(bounded(t), nil)
	require.ErrorIs(t, err, client.ErrBadArgument)
}

// Each of many adds, of goroutines and of clients, sees a sum of its own.
func TestAddsAtOnce(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	const clients, goroutines, times = 4, 8, 10
	var mu sync.Mutex
	seen := make(map[int64]bool)
	var wg sync.WaitGroup
	for range clients {
		c := counter.New(connect(t, srv), node)
		for range goroutines {
			wg.Go(func() {
				for range times {
					n, err := c.Add(ctx, 1)
					mu.Lock()
					if err != nil || seen[n] {
						t.Errorf("sum %d, seen before: %v, error: %v", n, seen[n], err)
					}
					seen[n] = true
					mu.Unlock()
				}
			})
		}
	}
	wg.Wait()
	require.Len(t, seen, clients*goroutines*times)
	n, err := counter.New(connect(t, srv), node).Value(ctx)
	require.NoError(t, err)
	require.Equal(t, int64(clients*goroutines*times), n)
}

// An add that would overflow fails alone, also when it goes out together with others.
func TestOverflowAmongOthers(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	c := counter.New(connect(t, srv), node)
	require.NoError(t, c.Set(ctx, math.MaxInt64-5))
	held := srv.HoldReply(changes())
	first := later(func() (int64, error) { return c.Add(ctx, 1) })
	wait(t, "the first add", held.Fired())
	var wg sync.WaitGroup
	for _, delta := range []int64{math.MaxInt64, 1, 1} {
		wg.Go(func() {
			if _, err := c.Add(ctx, delta); delta == 1 && err != nil || delta != 1 && err == nil {
				t.Errorf("add %d: %v", delta, err)
			}
		})
	}
	held.Release()
	require.NoError(t, wait(t, "the first add", first).err)
	wg.Wait()
	n, err := c.Add(ctx, 0)
	require.NoError(t, err)
	require.Equal(t, int64(math.MaxInt64-2), n)
}
