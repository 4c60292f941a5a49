package queues

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/queue"
)

func curatorSimple(t *testing.T, p *place) {
	const path = "/curator/simple"
	curator, q := p.curator(t, steady), texts(p.client(t), path, queue.CuratorSimpleQueue)
	put(t, q, "a")
	curator.ask(t, "offer", path, "b")
	put(t, q, "c")
	for _, want := range []string{"a", "b"} {
		require.Equal(t, want, curator.ask(t, "poll", path, 60_000))
	}
	curator.ask(t, "offer", path, "d")
	for _, want := range []string{"c", "d"} {
		require.Equal(t, want, pop(t, q))
	}
	empty(t, q)
	curator.begin(t, "poll", path, 60_000)
	put(t, q, "e")
	require.Equal(t, "e", curator.end(t))
	_, err := q.Take(within(t))
	require.ErrorIs(t, err, queue.ErrUnsupported)
	_, err = q.Put(within(t), "x", queue.Priority(1))
	require.ErrorIs(t, err, queue.ErrUnsupported)
}

// Without a lock path items are taken out before they are worked on.
func curatorPlain(t *testing.T, p *place) {
	const path = "/curator/plain"
	curator, q := p.curator(t, steady), texts(p.client(t), path, queue.CuratorQueue)
	put(t, q, "a")
	curator.ask(t, "put", "plain", path, "-", "-", "b")
	curator.ask(t, "put", "plain", path, "-", "-", "c", "d", "e")
	require.Equal(t, "a", pop(t, q))
	require.Equal(t, "b", pop(t, q))
	e, err := q.Pop(within(t))
	require.NoError(t, err)
	require.Equal(t, "c", e.Value)
	require.Equal(t, []string{"d", "e"}, e.More)
	_, err = q.Take(within(t))
	require.ErrorIs(t, err, queue.ErrUnsupported)
	put(t, q, "f")
	put(t, q, "g")
	curator.ask(t, "consume", "plain", path, "-")
	put(t, q, "h")
	require.Equal(t, "f g h", ordered(curator.ask(t, "consumed", 3)))
	curator.ask(t, "stop")
}

// ordered sorts what a consumer has said: its items are worked on by several threads.
func ordered(said string) string {
	words := strings.Fields(said)
	for i := range words {
		for j := range i {
			if words[i] < words[j] {
				words[i], words[j] = words[j], words[i]
			}
		}
	}
	return strings.Join(words, " ")
}

// With one, a lease of zookit's keeps Curator's consumer off, one that is given back or dies makes way for it, and
// what Curator requeues zookit can take.
func curatorLocked(t *testing.T, p *place) {
	const path, locks = "/curator/locked", "/curator/locks"
	cl := p.client(t)
	curator, q := p.curator(t, steady), texts(cl, path, queue.CuratorQueue, queue.WithLockPath(locks))
	put(t, q, "a")
	curator.ask(t, "put", "plain", path, locks, "-", "b", "b2")
	a, b := take(t, q), take(t, q)
	require.Equal(t, "a", a.Value)
	require.Equal(t, []string{"b2"}, b.More)
	require.NoError(t, b.Ack(within(t)))
	put(t, q, "c")
	curator.ask(t, "consume", "plain", path, locks)
	require.Equal(t, "c", curator.ask(t, "consumed", 1))
	require.NoError(t, a.Nack(within(t), 0))
	require.Equal(t, "a", curator.ask(t, "consumed", 1), "it was told, though it watches the items only")
	require.ErrorIs(t, a.Ack(within(t)), queue.ErrSettled)
	curator.ask(t, "refuse", "d")
	put(t, q, "d")
	require.Equal(t, "d", curator.ask(t, "consumed", 1), "requeued by itself, and consumed then")
	settled(t, q, 0)
	curator.ask(t, "stop")
	empty(t, q)

	dying := p.curator(t, brief)
	dying.ask(t, "put", "plain", path, locks, "-", "e")
	e := take(t, q)
	require.Equal(t, "e", e.Value)
	require.NoError(t, e.Ack(within(t)))
	dying.kill(t)
}

func curatorPriority(t *testing.T, p *place) {
	const path, locks = "/curator/priority", "/curator/prioritylocks"
	curator, q := p.curator(t, steady), texts(p.client(t), path, queue.CuratorPriorityQueue, queue.WithLockPath(locks))
	put(t, q, "ten", queue.Priority(10))
	put(t, q, "negative", queue.Priority(-10))
	curator.ask(t, "put", "priority", path, locks, 0, "zero")
	curator.ask(t, "put", "priority", path, locks, -2147483648, "least")
	put(t, q, "most", queue.Priority(1<<31-1))
	for _, want := range []string{"least", "negative", "zero"} {
		item := take(t, q)
		require.Equal(t, want, item.Value)
		require.NoError(t, item.Ack(within(t)))
	}
	curator.ask(t, "consume", "priority", path, locks)
	require.Equal(t, "most ten", ordered(curator.ask(t, "consumed", 2)))
	curator.ask(t, "stop")
}

func curatorDelay(t *testing.T, p *place) {
	const path, locks = "/curator/delay", "/curator/delaylocks"
	curator, q := p.curator(t, steady), texts(p.client(t), path, queue.CuratorDelayQueue, queue.WithLockPath(locks))
	hour := time.Now().Add(time.Hour)
	curator.ask(t, "put", "delay", path, locks, hour.UnixMilli(), "inanhour")
	put(t, q, "inanhourtoo", queue.NotBefore(hour))
	curator.ask(t, "put", "delay", path, locks, 1, "now")
	put(t, q, "nowtoo")
	begin := time.Now()
	put(t, q, "soon", queue.Delay(3*time.Second))
	for _, want := range []string{"now", "nowtoo", "soon"} {
		item := take(t, q)
		require.Equal(t, want, item.Value)
		if want == "soon" {
			require.GreaterOrEqual(t, time.Since(begin), 3*time.Second-time.Millisecond)
			require.NoError(t, item.Nack(within(t), time.Second))
			break
		}
		require.NoError(t, item.Ack(within(t)))
	}
	curator.ask(t, "consume", "delay", path, locks)
	require.Equal(t, "soon", curator.ask(t, "consumed", 1))
	put(t, q, "later", queue.Delay(time.Second))
	require.Equal(t, "later", curator.ask(t, "consumed", 1))
	settled(t, q, 2)
	curator.ask(t, "stop")
	_, err := q.TryTake(within(t))
	require.ErrorIs(t, err, queue.ErrEmpty)
}

// settled waits until a queue has so many items: Curator deletes an item when its consumer has returned, and leaves it there
// when it is stopped before.
func settled(t *testing.T, q *queue.Queue[string], want int) {
	t.Helper()
	for ctx := within(t); ; {
		n, err := q.Len(ctx)
		require.NoError(t, err)
		require.GreaterOrEqual(t, n, want)
		if n == want {
			return
		}
	}
}

func curatorID(t *testing.T, p *place) {
	const path, locks = "/curator/id", "/curator/idlocks"
	curator, q := p.curator(t, steady), texts(p.client(t), path, queue.CuratorIDQueue, queue.WithLockPath(locks))
	put(t, q, "a", queue.ID("zz"))
	curator.ask(t, "put", "id", path, locks, "a/b|c", "b")
	put(t, q, "c", queue.ID("a/b|c")) // ids name items there, and keep none out
	a, b := take(t, q), take(t, q)
	require.Equal(t, "a", a.Value)
	require.Equal(t, "zz", a.ID)
	require.Equal(t, "b", b.Value)
	require.Equal(t, "a_b_c", b.ID)
	require.NoError(t, q.AckAll(within(t), []*queue.Item[string]{a, b}))
	curator.ask(t, "consume", "id", path, locks)
	require.Equal(t, "c", curator.ask(t, "consumed", 1))
	curator.ask(t, "stop")
}
