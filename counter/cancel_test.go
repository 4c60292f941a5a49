package counter_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/counter"
	"github.com/zookit/zookit/zktest"
)

// An add is cancelled while each of its requests is under way: it says whether it can have been added, which
// is as it turns out, and leaves nothing.
func TestAddIsCancelled(t *testing.T) {
	t.Parallel()
	for n, unknown := range []bool{false, false, true} { // the receipt, the read, the transaction
		srv := zktest.Start(t)
		require.NoError(t, srv.Create(receipts, nil))
		require.NoError(t, srv.Create(node, []byte{0, 0, 0, 0, 0, 0, 0, 5}))
		cl := connect(t, srv)
		c := counter.New(cl, node)
		srv.ResetRequests()
		held := srv.HoldReply(nth(sessionOf(t, cl), n))
		ctx, cancel := context.WithCancel(bounded(t))
		out := later(func() (int64, error) { return c.Add(ctx, 1) })
		wait(t, "the request", held.Fired())
		cancel()
		err := wait(t, "the end of Add", out).err
		require.ErrorIs(t, err, context.Canceled)
		held.Release()
		want := int64(5)
		if unknown {
			want++
			require.Equal(t, client.Unknown, client.Outcome(err), "%d: %v", n, err)
		} else {
			require.Equal(t, client.NotSent, client.Outcome(err), "%d: %v", n, err)
		}
		sum, err := c.Add(bounded(t), 0)
		require.NoError(t, err)
		require.Equal(t, want, sum, "%d", n)
		requireNoReceipts(t, srv)
	}
}

// Of several that go out together, one is cancelled before and one while they are under way; the others
// go on.
func TestOneOfSeveralIsCancelled(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	c := counter.New(connect(t, srv), node)
	_, err := c.Add(bounded(t), 100)
	require.NoError(t, err)
	held := srv.HoldReply(changes())
	first := later(func() (int64, error) { return c.Add(bounded(t), 1) })
	wait(t, "the first", held.Fired())
	ctx, cancel := context.WithCancel(bounded(t))
	queued := later(func() (int64, error) { return c.Add(ctx, 10) })
	require.Never(t, func() bool { return len(queued) > 0 }, 10*time.Millisecond, time.Millisecond)
	cancel()
	err = wait(t, "the queued one", queued).err
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, client.NotSent, client.Outcome(err))

	// Two more wait and go out together; then one of them leaves.
	var ready sync.WaitGroup
	ready.Add(2)
	ctx, cancel = context.WithCancel(bounded(t))
	out := make([]<-chan sum, 2)
	for i, ctx := range []context.Context{ctx, bounded(t)} {
		out[i] = later(func() (int64, error) {
			ready.Done()
			return c.Add(ctx, 1)
		})
	}
	ready.Wait()
	second := srv.HoldReply(changes())
	require.Never(t, func() bool { return len(out[0])+len(out[1]) > 0 }, 10*time.Millisecond, time.Millisecond)
	held.Release()
	require.NoError(t, wait(t, "the first", first).err)
	wait(t, "the second transaction", second.Fired())
	cancel()
	err = wait(t, "who leaves", out[0]).err
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, client.Unknown, client.Outcome(err))
	second.Release()
	require.NoError(t, wait(t, "who stays", out[1]).err)
	n, err := c.Add(bounded(t), 0)
	require.NoError(t, err)
	require.Equal(t, int64(103), n)
}

// While there is no server an add waits, and can be cancelled; then it goes on.
func TestAddWaitsForAServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		cl := connect(t, srv)
		c := counter.New(cl, node)
		_, err := c.Add(bounded(t), 1)
		require.NoError(t, err)
		srv.Refuse()
		srv.DropConnections()
		for s := range cl.States(bounded(t)) { // until the client knows, so that nothing is sent in vain
			if s.State == client.Suspended {
				break
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		_, err = c.Add(ctx, 1)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, client.NotSent, client.Outcome(err))
		out := later(func() (int64, error) { return c.Add(bounded(t), 1) })
		time.Sleep(time.Second)
		srv.Accept()
		require.Equal(t, sum{n: 2}, wait(t, "the add", out))
	})
}

// The client is closed while a reply is due.
func TestClosedMeanwhile(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	c := counter.New(cl, node)
	held := srv.HoldReply(changes())
	out := later(func() (int64, error) { return c.Add(bounded(t), 1) })
	wait(t, "the transaction", held.Fired())
	closed := make(chan error, 1)
	go func() { closed <- cl.Close() }()
	err := wait(t, "the end of Add", out).err
	require.ErrorIs(t, err, client.ErrClosed)
	require.Equal(t, client.Unknown, client.Outcome(err))
	held.Release()
	_ = wait(t, "the end of Close", closed) // which could not say goodbye
	_, err = c.Add(bounded(t), 1)
	require.ErrorIs(t, err, client.ErrClosed)
	require.Equal(t, client.NotSent, client.Outcome(err))
}

// A client that is beaten again and again waits between its tries, and can be cancelled there.
func TestCancelledInPause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		require.NoError(t, srv.Create(node, make([]byte, 8)))
		c := counter.New(connect(t, srv), node)
		srv.OnRequest(func(r zktest.Request) {
			if r.Op == zktest.OpMulti {
				_ = srv.Set(node, make([]byte, 8)) // first
			}
		})
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		_, err := c.Add(ctx, 1)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, client.NotSent, client.Outcome(err))
		require.Less(t, len(srv.Requests(changes())), 200, "tries in 30 s")
		srv.OnRequest(nil)
		n, err := c.Add(bounded(t), 1)
		require.NoError(t, err)
		require.Equal(t, int64(1), n)
	})
}
