package queues

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/queue"
	"github.com/zookit/zookit/recipes"
)

func texts(cl *client.Client, path string, layout queue.Layout, opts ...queue.Option) *queue.Queue[string] {
	return queue.NewWith(cl, path, recipes.Text{}, append([]queue.Option{queue.WithLayout(layout)}, opts...)...)
}

func put(t *testing.T, q *queue.Queue[string], value string, opts ...queue.PutOption) {
	t.Helper()
	_, err := q.Put(within(t), value, opts...)
	require.NoError(t, err)
}

func pop(t *testing.T, q *queue.Queue[string]) string {
	t.Helper()
	e, err := q.Pop(within(t))
	require.NoError(t, err)
	return e.Value
}

func take(t *testing.T, q *queue.Queue[string]) *queue.Item[string] {
	t.Helper()
	item, err := q.Take(within(t))
	require.NoError(t, err)
	return item
}

func empty(t *testing.T, q *queue.Queue[string]) {
	t.Helper()
	_, err := q.TryPop(within(t))
	require.ErrorIs(t, err, queue.ErrEmpty)
}

// Items go from each to the other by priority, and then in the order in which they were put. There are no leases.
func kazooQueue(t *testing.T, p *place) {
	const path = "/kazoo/queue"
	kazoo, q := p.kazoo(t, steady), texts(p.client(t), path, queue.KazooQueue)
	put(t, q, "b")
	put(t, q, "z", queue.Priority(999))
	put(t, q, "a", queue.Priority(0))
	kazoo.ask(t, "put", path, 100, "c")
	for _, want := range []string{"a", "b", "c", "z"} {
		require.Equal(t, want, kazoo.ask(t, "get", path))
	}
	require.Equal(t, "-", kazoo.ask(t, "get", path))
	kazoo.ask(t, "put", path, 100, "d")
	kazoo.ask(t, "put", path, 7, "e")
	put(t, q, "f")
	n, err := q.Len(within(t))
	require.NoError(t, err)
	require.Equal(t, 3, n)
	for _, want := range []string{"e", "d", "f"} {
		require.Equal(t, want, pop(t, q))
	}
	empty(t, q)
	_, err = q.Take(within(t))
	require.ErrorIs(t, err, queue.ErrUnsupported)
	waits := make(chan string, 1)
	go func() {
		e, err := q.Pop(within(t))
		if err != nil {
			e.Value = err.Error()
		}
		waits <- e.Value
	}()
	kazoo.ask(t, "put", path, 100, "g")
	require.Equal(t, "g", <-waits)
}

// What one has leased the other does not get, until it is given back, consumed, or its consumer is killed.
func kazooLocking(t *testing.T, p *place) {
	const path = "/kazoo/locking"
	kazoo, q := p.kazoo(t, steady), texts(p.client(t), path, queue.KazooLockingQueue)
	kazoo.ask(t, "lput", path, 100, "a", "b")
	put(t, q, "c")
	put(t, q, "first", queue.Priority(1))
	first := take(t, q)
	require.Equal(t, "first", first.Value)
	require.Equal(t, 1, first.Attempt)
	require.Equal(t, "a", kazoo.ask(t, "lget", path, 60))
	b := take(t, q)
	require.Equal(t, "b", b.Value, "a is Kazoo's")
	require.NoError(t, first.Nack(within(t), 0))
	require.Equal(t, "True", kazoo.ask(t, "lconsume", path))
	require.Equal(t, "first", kazoo.ask(t, "lget", path, 60))
	require.Equal(t, "True", kazoo.ask(t, "lrelease", path))
	first = take(t, q)
	require.Equal(t, "first", first.Value)
	require.NoError(t, first.Ack(within(t)))
	require.NoError(t, b.Ack(within(t)))
	require.ErrorIs(t, b.Nack(within(t), 0), queue.ErrSettled)

	// Kazoo's consumer is killed while it has an item.
	dying := p.kazoo(t, brief)
	require.Equal(t, "c", dying.ask(t, "lget", path, 60))
	empty(t, q)
	dying.kill(t)
	c := take(t, q)
	require.Equal(t, "c", c.Value)

	// Kazoo waits for what zookit's consumer has, whose client ends.
	require.NoError(t, c.Nack(within(t), 0))
	other := p.client(t)
	c = take(t, texts(other, path, queue.KazooLockingQueue))
	kazoo.begin(t, "lget", path, 60)
	require.NoError(t, other.Close())
	require.Equal(t, "c", kazoo.end(t))
	require.ErrorIs(t, c.Ack(within(t)), queue.ErrLost)
	require.Equal(t, "True", kazoo.ask(t, "lconsume", path))
	empty(t, q)

	_, err := q.Put(within(t), "x", queue.Delay(time.Second))
	require.ErrorIs(t, err, queue.ErrUnsupported)
	_, err = q.Put(within(t), "x", queue.ID("x"))
	require.ErrorIs(t, err, queue.ErrUnsupported)
	_, err = q.Put(within(t), "x", queue.Priority(1000))
	require.ErrorIs(t, err, client.ErrBadArgument)
}

// Attempts are counted, and what has too many is put aside.
func kazooDead(t *testing.T, p *place) {
	const path = "/kazoo/dead"
	kazoo := p.kazoo(t, steady)
	q := texts(p.client(t), path, queue.KazooLockingQueue, queue.WithMaxAttempts(2))
	kazoo.ask(t, "lput", path, 100, "poison")
	for attempt := 1; attempt <= 2; attempt++ {
		item := take(t, q)
		require.Equal(t, attempt, item.Attempt)
		require.NoError(t, item.Nack(within(t), 0))
	}
	require.Equal(t, "-", kazoo.ask(t, "lget", path, 0.2))
	require.Equal(t, "poison", pop(t, q.Dead()))
}

// What cannot be shared is refused, by name, and nothing is changed.
func refused(t *testing.T, p *place) {
	kazoo, curator, cl := p.kazoo(t, steady), p.curator(t, steady), p.client(t)
	kazoo.ask(t, "put", "/refused/kazoo", 100, "x")
	kazoo.ask(t, "lput", "/refused/locking", 100, "x")
	curator.ask(t, "offer", "/refused/simple", "x")
	curator.ask(t, "put", "plain", "/refused/plain", "-", "-", "x")
	curator.ask(t, "put", "priority", "/refused/priority", "-", 5, "x")
	curator.ask(t, "put", "delay", "/refused/delay", "-", 5, "x")
	curator.ask(t, "put", "id", "/refused/id", "-", "no-number", "x")
	put(t, texts(cl, "/refused/native", queue.Native), "x")
	owners := map[string]queue.Layout{
		"kazoo": queue.KazooQueue, "locking": queue.KazooLockingQueue, "simple": queue.CuratorSimpleQueue, "plain": queue.CuratorQueue,
		"priority": queue.CuratorPriorityQueue, "delay": queue.CuratorDelayQueue, "id": queue.CuratorIDQueue, "native": queue.Native,
	}
	for name, owner := range owners {
		for layout := queue.Native; layout <= queue.CuratorIDQueue; layout++ {
			if layout == queue.CuratorIDQueue && owner == queue.CuratorDelayQueue {
				continue // a time can be an id
			}
			q := texts(cl, "/refused/"+name, layout)
			_, putErr := q.Put(within(t), "y")
			_, popErr := q.TryPop(within(t))
			if layout != owner {
				require.ErrorIs(t, putErr, queue.ErrLayoutConflict, "%s in %s", layout, name)
				require.ErrorIs(t, popErr, queue.ErrLayoutConflict, "%s in %s", layout, name)
			}
		}
		q := texts(cl, "/refused/"+name, owner)
		_, err := q.TryPop(within(t))
		require.True(t, err == nil || errors.Is(err, queue.ErrEmpty), "%v", err)
	}
}
