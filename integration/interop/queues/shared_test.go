package queues

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/queue"
)

// shared: zookit and a library put and take on one path at the same time, and every item comes once.
func shared(t *testing.T, p *place) {
	const each = 40
	t.Run("Kazoo", func(t *testing.T) {
		t.Parallel()
		const path = "/shared/kazoo"
		kazoo, cl := p.kazoo(t, steady), p.client(t)
		q := texts(cl, path, queue.KazooLockingQueue)
		seen := map[string]int{}
		var mu sync.Mutex
		var all sync.WaitGroup
		all.Go(func() {
			for i := range each {
				if _, err := q.Put(within(t), fmt.Sprint("zookit", i)); err != nil {
					t.Error(err)
				}
			}
		})
		total := func() int {
			mu.Lock()
			defer mu.Unlock()
			return len(seen)
		}
		all.Go(func() {
			for total() < 2*each {
				item, err := q.TryTake(within(t))
				if err != nil {
					continue // empty for the moment
				}
				if err := item.Ack(within(t)); err != nil {
					t.Error(err)
				}
				mu.Lock()
				seen[item.Value]++
				mu.Unlock()
			}
		})
		for i := range each {
			kazoo.ask(t, "lput", path, 100, fmt.Sprint("kazoo", i))
			if got := kazoo.ask(t, "lget", path, 0.05); got != "-" {
				require.Equal(t, "True", kazoo.ask(t, "lconsume", path))
				mu.Lock()
				seen[got]++
				mu.Unlock()
			}
		}
		all.Wait()
		once(t, seen, 2*each)
	})
	t.Run("Curator", func(t *testing.T) {
		t.Parallel()
		const path, locks = "/shared/curator", "/shared/locks"
		curator, cl := p.curator(t, steady), p.client(t)
		q := texts(cl, path, queue.CuratorQueue, queue.WithLockPath(locks))
		curator.ask(t, "consume", "plain", path, locks)
		seen := map[string]int{}
		for i := range each {
			put(t, q, fmt.Sprint("zookit", i))
			curator.ask(t, "put", "plain", path, locks, "-", fmt.Sprint("curator", i))
			if item, err := q.TryTake(within(t)); err == nil {
				require.NoError(t, item.Ack(within(t)))
				seen[item.Value]++
			}
		}
		for v := range strings.FieldsSeq(curator.ask(t, "consumed", 2*each-len(seen))) {
			seen[v]++
		}
		curator.ask(t, "stop")
		once(t, seen, 2*each)
	})
}

func once(t *testing.T, seen map[string]int, n int) {
	t.Helper()
	require.Len(t, seen, n)
	for v, times := range seen {
		require.Equal(t, 1, times, v)
	}
}
