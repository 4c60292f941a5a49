package queue_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/queue"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

// An item that is handed out too often becomes a dead letter, by whatever its leases end.
func TestDeadLetters(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	q := texts(connect(t, srv), queue.WithMaxAttempts(3))
	_, err := q.Put(bounded(t), "poison", queue.ID("p"), queue.Priority(4))
	require.NoError(t, err)
	for attempt := 1; attempt <= 2; attempt++ {
		item := take(t, q)
		require.Equal(t, attempt, item.Attempt)
		require.NoError(t, item.Nack(bounded(t), 0))
	}
	other := connect(t, srv)
	require.Equal(t, 3, take(t, texts(other, queue.WithMaxAttempts(3))).Attempt)
	require.NoError(t, other.Close())
	_, err = q.TryTake(bounded(t)) // which would be the fourth
	require.ErrorIs(t, err, queue.ErrEmpty)
	dead := take(t, q.Dead())
	require.Equal(t, "poison", dead.Value)
	require.Equal(t, "p", dead.ID)
	require.Equal(t, 4, dead.Priority)
	require.Equal(t, 4, dead.Attempt)
	require.Equal(t, "handed out 3 times", dead.Reason)
	require.NoError(t, dead.Ack(bounded(t)))

	put(t, q, "nacked")
	for range 3 {
		require.NoError(t, take(t, q).Nack(bounded(t), 0))
	}
	dead = take(t, q.Dead())
	require.Equal(t, "given back after 3 attempts", dead.Reason)
	require.NoError(t, dead.Ack(bounded(t)))

	put(t, q, "buried")
	item := take(t, q)
	require.NoError(t, item.Bury(bounded(t), "of no use"))
	require.ErrorIs(t, item.Ack(bounded(t)), queue.ErrSettled)
	entry, err := q.Dead().Pop(bounded(t))
	require.NoError(t, err)
	require.Equal(t, "of no use", entry.Reason)
	requireLeft(t, srv, 0)
}

// What cannot be decoded does not stop the queue: it is a dead letter, and the call says so.
func TestBadItems(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	put(t, texts(cl), "no number", "no number either", "7")
	q := queue.New[int](cl, path)
	_, err := q.Take(bounded(t))
	require.ErrorIs(t, err, queue.ErrBadItem)
	_, err = q.Pop(bounded(t))
	require.ErrorIs(t, err, queue.ErrBadItem)
	item, err := q.Take(bounded(t))
	require.NoError(t, err)
	require.Equal(t, 7, item.Value)
	require.NoError(t, item.Ack(bounded(t)))
	require.Equal(t, []string{"no number", "no number either"}, drain(t, texts(cl).Dead()))

	_, err = cl.Create(bounded(t), path+"/segments/100000000/s-0000000000/rx-", []byte("no header"), client.WithMode(client.PersistentSequential))
	require.NoError(t, err)
	_, err = q.Take(bounded(t))
	require.ErrorIs(t, err, queue.ErrBadItem)
	require.Equal(t, []string{"no header"}, drain(t, texts(cl).Dead()))
}

// A lease ends with its session: the consumer is told, the item is handed out again and says so.
func TestALeaseIsLostWithTheSession(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	q := texts(connect(t, srv))
	put(t, q, "a")
	item := take(t, texts(cl))
	require.True(t, srv.ExpireSession(sessionOf(t, cl)))
	wait(t, "the end of the lease", item.Context().Done())
	require.ErrorIs(t, context.Cause(item.Context()), queue.ErrLost)
	again, err := q.Take(bounded(t))
	require.NoError(t, err)
	require.Equal(t, 2, again.Attempt)
	require.Greater(t, again.Token(), item.Token())
	require.ErrorIs(t, item.Ack(bounded(t)), queue.ErrLost)
	require.ErrorIs(t, item.Nack(bounded(t), time.Minute), queue.ErrLost)
	_, err = item.Txn().Create("/effect", nil).Commit(bounded(t))
	require.ErrorIs(t, err, recipes.ErrGrantLost)
	_, err = again.Txn().Create("/effect", nil).Commit(bounded(t))
	require.NoError(t, err)
	require.NoError(t, again.Ack(bounded(t)))
	requireLeft(t, srv, 0)
}

// Whoever deletes the node of a lease, or an item, ends the lease, and an Ack says so (Kazoo's consume says True
// and leaves its lock behind: K11).
func TestALeaseThatSomebodyEnds(t *testing.T) {
	t.Parallel()
	for _, what := range []string{"holder", "lease", "item"} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			srv := zktest.Start(t)
			q := texts(connect(t, srv))
			put(t, q, "a")
			item := take(t, q)
			node, _ := srv.Node(item.Path())
			lease, _ := srv.Node(path + "/leases")
			switch what {
			case "holder":
				require.NoError(t, srv.Delete(item.Path()+"/"+node.Children[0]))
			case "item":
				require.NoError(t, srv.Delete(item.Path()))
			case "lease":
				require.NoError(t, srv.Delete(path+"/leases/"+lease.Children[0]))
				_, err := q.TryTake(bounded(t))
				require.ErrorIs(t, err, queue.ErrEmpty, "the node below the item still says that somebody has it")
				require.NoError(t, item.Ack(bounded(t)))
				requireLeft(t, srv, 0)
				return
			}
			require.ErrorIs(t, item.Ack(bounded(t)), queue.ErrLost)
			require.ErrorIs(t, item.Ack(bounded(t)), queue.ErrLost)
		})
	}
}

// A consumer that cannot reach the servers gives up before anybody else can have the item.
func TestALeaseEndsInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		cl := connect(t, srv, client.WithSessionTimeout(10*time.Second))
		other := texts(connect(t, srv, client.WithSessionTimeout(10*time.Minute)))
		put(t, other, "a")
		item := take(t, texts(cl))
		time.Sleep(time.Minute)
		require.NoError(t, item.Err())
		require.Less(t, time.Now(), item.ValidUntil())
		got := waiting(t.Context(), t, other)
		srv.Freeze()
		<-item.Context().Done()
		require.WithinDuration(t, time.Now(), item.ValidUntil(), 3*time.Second)
		select {
		case <-got:
			t.Fatal("somebody else had it before")
		default:
		}
		time.Sleep(20 * time.Second)
		srv.Thaw()
		end := <-got
		require.NoError(t, end.err)
		require.Equal(t, 2, end.item.Attempt)
	})
}

func TestItemsAreIterated(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	q := texts(cl)
	_, err := q.PutAll(bounded(t), numbered(50))
	require.NoError(t, err)
	n := 0
	for item, err := range q.Items(bounded(t), 10) {
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf("item %d", n), item.Value)
		require.NoError(t, item.Ack(bounded(t)))
		if n++; n == 25 {
			break
		}
	}
	left, err := q.Len(bounded(t))
	require.NoError(t, err)
	require.Equal(t, 25, left)
	for range 25 { // those that were prefetched as well
		item, err := q.Take(bounded(t))
		require.NoError(t, err)
		require.NoError(t, item.Ack(bounded(t)))
	}
	ctx, cancel := context.WithCancel(bounded(t))
	defer cancel()
	put(t, q, "last")
	for item, err := range q.Items(ctx, 1) {
		if err != nil {
			require.ErrorIs(t, err, context.Canceled)
			break
		}
		require.NoError(t, item.Ack(ctx))
		cancel()
	}
	require.ErrorIs(t, ctx.Err(), context.Canceled)
	requireLeft(t, srv, 0)
}

func TestPeekAndPop(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	q := texts(connect(t, srv))
	_, err := q.Peek(bounded(t))
	require.ErrorIs(t, err, queue.ErrEmpty)
	_, err = q.TryPop(bounded(t))
	require.ErrorIs(t, err, queue.ErrEmpty)
	put(t, q, "a", "b")
	e, err := q.Peek(bounded(t))
	require.NoError(t, err)
	require.Equal(t, "a", e.Value)
	item := take(t, texts(connect(t, srv)))
	e, err = q.Peek(bounded(t))
	require.NoError(t, err)
	require.Equal(t, "b", e.Value, "what is leased is not shown")
	require.NoError(t, item.Nack(bounded(t), 0))
	e, err = q.Pop(bounded(t))
	require.NoError(t, err)
	require.Equal(t, "a", e.Value)
	require.Equal(t, 2, e.Attempt)
	e, err = q.Pop(bounded(t))
	require.NoError(t, err)
	require.Equal(t, 1, e.Attempt)
	requireLeft(t, srv, 0)
}

// A server that does not delete an item because there is a node below it that is about to go is asked again. Where the node
// stays the lease is lost, as it says, and is nobody's: its session may live on without keeping the item from others.
func TestAckOfAnItemWithAnotherNode(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	q := texts(connect(t, srv))
	foreign := func(item string) string { return item + "/foreign" }
	put(t, q, "a")
	item := take(t, q)
	require.NoError(t, srv.Create(foreign(item.Path()), nil))
	srv.OnRequest(func(r zktest.Request) {
		if r.Op == zktest.OpGetChildren2 && r.Path == item.Path() { // between the refusal and the look
			_ = srv.Delete(foreign(item.Path()))
		}
	})
	require.NoError(t, item.Ack(bounded(t)))
	srv.OnRequest(nil)
	requireLeft(t, srv, 0)

	put(t, q, "b")
	item = take(t, q)
	require.NoError(t, srv.Create(foreign(item.Path()), nil))
	require.ErrorIs(t, item.Ack(bounded(t)), queue.ErrLost)
	require.NoError(t, srv.Delete(foreign(item.Path())))
	other := texts(connect(t, srv))
	var again *queue.Item[string]
	require.Eventually(t, func() bool { // while the session lives
		var err error
		again, err = other.TryTake(bounded(t))
		return err == nil
	}, patience, time.Millisecond)
	require.Equal(t, "b", again.Value)
	require.NoError(t, again.Ack(bounded(t)))
	requireLeft(t, srv, 0)
}
