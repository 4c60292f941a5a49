package lock_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/lock"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

// history is who was served, in that order. It is written by who holds.
type history struct {
	tokens   []int64
	sessions []int64
}

// contend has a goroutine in each of several clients take and release what take takes, many times.
func contend(t *testing.T, srv *zktest.Server, take func(*client.Client) func(context.Context) (*lock.Held, error)) history {
	t.Helper()
	const clients, rounds = 12, 12
	ctx := bounded(t)
	var h history
	var workers sync.WaitGroup
	for range clients {
		cl := connect(t, srv)
		s, err := cl.Session(ctx)
		require.NoError(t, err)
		lock := take(cl)
		workers.Go(func() {
			for range rounds {
				held, err := lock(ctx)
				if !assert.NoError(t, err) {
					return
				}
				h.tokens = append(h.tokens, held.Token())
				h.sessions = append(h.sessions, s.ID())
				if !assert.NoError(t, held.Unlock(ctx)) {
					return
				}
			}
		})
	}
	workers.Wait()
	require.Len(t, h.tokens, clients*rounds)
	return h
}

// joined is who joined a line, in the order in which the server made their nodes.
func joined(srv *zktest.Server, marker string) (sessions []int64) {
	for _, r := range srv.Requests(zktest.Match{Ops: []zktest.Op{zktest.OpCreate2}}) {
		if strings.HasSuffix(r.Path, marker) {
			sessions = append(sessions, r.Session)
		}
	}
	return sessions
}

// First come, first served: among many that contend at once, each is granted in the order in which
// the server took them into the line, and tokens grow in that order.
func TestServedInTheOrderOfJoining(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		take   func(*client.Client) func(context.Context) (*lock.Held, error)
		marker string
	}{
		"mutex": {func(cl *client.Client) func(context.Context) (*lock.Held, error) {
			return lock.NewMutex(cl, path).Lock
		}, "-lock-"},
		"mutex of kazoo": {func(cl *client.Client) func(context.Context) (*lock.Held, error) {
			return lock.NewMutex(cl, path, lock.WithLayout(recipes.Kazoo)).Lock
		}, "__lock__"},
		"writers": {func(cl *client.Client) func(context.Context) (*lock.Held, error) {
			return lock.NewRWMutex(cl, path).Lock
		}, "-__WRIT__"},
		"semaphore of one": {func(cl *client.Client) func(context.Context) (*lock.Held, error) {
			s := lock.NewSemaphore(cl, path, 1)
			return func(ctx context.Context) (*lock.Held, error) { return s.Acquire(ctx, 1) }
		}, "-lock-"},
		"semaphore of one of kazoo": {func(cl *client.Client) func(context.Context) (*lock.Held, error) {
			s := lock.NewSemaphore(cl, path, 1, lock.WithLayout(recipes.Kazoo))
			return func(ctx context.Context) (*lock.Held, error) { return s.Acquire(ctx, 1) }
		}, "__lock__"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := zktest.Start(t, zktest.WithContainerInterval(time.Hour))                     // as good as never
			require.NoError(t, must(t)(c.take(connect(t, srv))(bounded(t))).Unlock(bounded(t))) // makes the parents
			srv.ResetRequests()
			h := contend(t, srv, c.take)
			require.IsIncreasing(t, h.tokens)
			require.Equal(t, joined(srv, c.marker), h.sessions)
		})
	}
}

// Readers and writers are granted in the order in which they joined, but for readers that no writer stands
// between: those hold together, and whoever is told first is first.
func TestReadersAndWritersAreServedInTheOrderOfJoining(t *testing.T) {
	t.Parallel()
	type turn struct {
		token  int64
		writes bool
	}
	for _, layout := range layouts {
		t.Run(layout.String(), func(t *testing.T) {
			t.Parallel()
			const clients, rounds = 10, 12
			srv := zktest.Start(t)
			ctx := bounded(t)
			var (
				mu      sync.Mutex
				history []turn
				workers sync.WaitGroup
			)
			for i := range clients {
				rw := lock.NewRWMutex(connect(t, srv), path, lock.WithLayout(layout))
				workers.Go(func() {
					for round := range rounds {
						writes := (i+round)%3 == 0
						take := rw.RLock
						if writes {
							take = rw.Lock
						}
						held, err := take(ctx)
						if !assert.NoError(t, err) {
							return
						}
						mu.Lock()
						history = append(history, turn{held.Token(), writes})
						mu.Unlock()
						if !assert.NoError(t, held.Unlock(ctx)) {
							return
						}
					}
				})
			}
			workers.Wait()
			require.Len(t, history, clients*rounds)
			for i, early := range history {
				for _, late := range history[i+1:] {
					if early.token < late.token {
						continue
					}
					require.False(t, early.writes || late.writes, "%+v was served before %+v", early, late)
					require.False(t, slices.ContainsFunc(history, func(w turn) bool {
						return w.writes && w.token > late.token && w.token < early.token
					}), "reader %d was served before reader %d, with a writer between them", early.token, late.token)
				}
			}
		})
	}
}
