package queue_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/queue"
	"github.com/zookit/zookit/zktest"
)

// What cannot be is an error of every call, and nothing is sent.
func TestOptionsThatCannotBe(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	for what, q := range map[string]*queue.Queue[string]{
		"no client":    queue.New[string](nil, path),
		"the root":     queue.New[string](cl, "/"),
		"a path":       queue.New[string](cl, "jobs"),
		"no option":    texts(cl, nil),
		"no codec":     queue.NewWith[string](cl, path, nil),
		"a layout":     texts(cl, queue.WithLayout(200)),
		"a lock path":  texts(cl, queue.WithLockPath("/locks")),
		"its path":     texts(cl, queue.WithLayout(queue.CuratorQueue), queue.WithLockPath("locks")),
		"a capacity":   texts(cl, queue.WithCapacity(0)),
		"the attempts": texts(cl, queue.WithMaxAttempts(-1)),
		"the memory":   texts(cl, queue.WithMemory(-1)),
		"a segment":    texts(cl, queue.WithSegment(5001)),
		"an owner":     texts(cl, queue.WithOwner(strings.Repeat("x", 257))),
	} {
		_, err := q.Put(bounded(t), "x")
		require.True(t, errors.Is(err, client.ErrBadArgument) || errors.Is(err, client.ErrBadPath), "%s: %v", what, err)
		_, err2 := q.Take(bounded(t))
		_, err3 := q.Pop(bounded(t))
		_, err4 := q.Len(bounded(t))
		_, err5 := q.Peek(bounded(t))
		_, err6 := q.Dead().TryTake(bounded(t))
		err7 := q.AckAll(bounded(t), nil)
		for _, other := range []error{err2, err3, err4, err5, err6, err7} {
			require.Equal(t, err, other, what)
		}
		for _, err8 := range q.Items(bounded(t), 1) {
			require.Equal(t, err, err8, what)
		}
	}
	q := texts(cl)
	for what, opt := range map[string]queue.PutOption{
		"nil": nil, "a delay": queue.Delay(-1), "a time": queue.NotBefore(time.UnixMilli(1e13)), "an id": queue.ID(""),
		"a long id": queue.ID(strings.Repeat("x", queue.MaxID+1)), "ids": queue.IDs("a", "b"),
	} {
		_, err := q.Put(bounded(t), "x", opt)
		require.ErrorIs(t, err, client.ErrBadArgument, what)
	}
	_, err := q.PutAll(bounded(t), []string{"a", "b"}, queue.ID("a"))
	require.ErrorIs(t, err, client.ErrBadArgument)
	_, err = q.TakeAll(bounded(t), 0)
	require.ErrorIs(t, err, client.ErrBadArgument)
	_, err = queue.New[func()](cl, path).Put(bounded(t), nil)
	require.ErrorContains(t, err, "encode the item: json")
	require.Empty(t, srv.Dump())
	for _, q := range []*queue.Queue[string]{
		texts(cl, queue.WithLayout(queue.KazooQueue)), texts(cl, queue.WithLayout(queue.CuratorSimpleQueue)), texts(cl, queue.WithLayout(queue.CuratorQueue)),
	} {
		_, err := q.Take(bounded(t))
		require.ErrorIs(t, err, queue.ErrUnsupported)
		_, err = q.Put(bounded(t), "x", queue.Delay(time.Second))
		require.ErrorIs(t, err, queue.ErrUnsupported)
	}
}

// In a chroot everything is as elsewhere.
func TestChroot(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl, err := client.Connect(t.Context(), srv.Addr()+"/some/where", client.WithCreateChroot())
	require.NoError(t, err)
	t.Cleanup(func() { _ = cl.Close() })
	q := texts(cl, queue.WithMaxAttempts(1), queue.WithCapacity(3))
	_, err = q.Put(bounded(t), "a", queue.ID("a"))
	require.NoError(t, err)
	_, err = q.Put(bounded(t), "b", queue.Delay(time.Millisecond))
	require.NoError(t, err)
	for range 2 {
		item, err := q.Take(bounded(t))
		require.NoError(t, err)
		require.NoError(t, item.Nack(bounded(t), 0))
	}
	require.ElementsMatch(t, []string{"a", "b"}, drain(t, q.Dead()))
	for p := range srv.Dump() {
		require.True(t, strings.HasPrefix(p, "/some"), p)
	}
}

// A queue that somebody takes down is made again by the next call.
func TestAQueueThatIsTakenDown(t *testing.T) {
	t.Parallel()
	for _, layout := range []queue.Layout{queue.Native, queue.KazooLockingQueue, queue.KazooQueue} {
		srv := zktest.Start(t)
		cl := connect(t, srv)
		q := texts(cl, queue.WithLayout(layout))
		put(t, q, "a")
		for range 2 {
			for p := range srv.Dump() {
				if strings.Count(p, "/") == 1 {
					require.NoError(t, srv.Delete(p))
				}
			}
			_, err := q.TryPop(bounded(t))
			require.ErrorIs(t, err, queue.ErrEmpty, layout)
			put(t, q, "b")
			e, err := q.Pop(bounded(t))
			require.NoError(t, err)
			require.Equal(t, "b", e.Value)
			for p := range srv.Dump() {
				if strings.Count(p, "/") == 1 {
					require.NoError(t, srv.Delete(p))
				}
			}
			put(t, q, "c")
			e, err = q.Pop(bounded(t))
			require.NoError(t, err)
			require.Equal(t, "c", e.Value)
		}
	}
}
