package config_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/config"
	"github.com/zookit/zookit/zktest"
)

// atRequest has do called before the server executes the nth request of a client, from 0. It
// reports through the function that it returns whether there was one.
func atRequest(srv *zktest.Server, n int, do func(zktest.Request)) func() bool {
	var mu sync.Mutex
	seen := 0
	srv.OnRequest(func(r zktest.Request) {
		if r.Op == zktest.OpPing || r.Op == zktest.OpConnect {
			return
		}
		mu.Lock()
		seen++
		now := seen == n+1
		mu.Unlock()
		if now {
			do(r)
		}
	})
	return func() bool {
		mu.Lock()
		defer mu.Unlock()
		return seen > n
	}
}

// Watch is cancelled while each of its requests is under way: nothing is left.
func TestWatchIsCancelledAtEachRequest(t *testing.T) {
	for at := 0; ; at++ {
		reached := false
		inBubble(t, fmt.Sprint(at), func(t *testing.T) {
			srv := zktest.Start(t, inMemory, zktest.WithFixture(`{"/config/limits": "1"}`))
			cl := connect(t, srv)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			got := atRequest(srv, at, func(zktest.Request) { cancel() })
			v, err := config.Watch[int](ctx, cl, path)
			if reached = got(); err == nil {
				v.Close()
			} else {
				require.ErrorIs(t, err, context.Canceled)
			}
			pass(time.Second)
			require.Zero(t, srv.Watches())
		})
		if !reached {
			require.GreaterOrEqual(t, at, 3)
			return
		}
	}
}

// Each request of a watch that begins, or comes back, meets a fault, while the document changes: the newest value arrives.
func TestWatchWhateverIsLost(t *testing.T) {
	for fault := range faults(nil) {
		for _, later := range []bool{false, true} {
			for at := 0; ; at++ {
				reached := false
				inBubble(t, fmt.Sprintf("%s, later %v, %d", fault, later, at), func(t *testing.T) {
					srv := zktest.Start(t, inMemory, zktest.WithFixture(`{"/config/limits": "1"}`))
					cl := connect(t, srv)
					var v *config.Value[int]
					if later {
						v = watch[int](t, cl)
					}
					got := atRequest(srv, at, func(r zktest.Request) {
						faults(srv)[fault](zktest.Match{Ops: []zktest.Op{r.Op}})
						_ = srv.Set(path, []byte("2"))
					})
					if later {
						srv.DropConnections()
					} else {
						v = watch[int](t, cl)
					}
					pass(10 * time.Second)
					if reached = got(); reached {
						require.Equal(t, 2, v.Load())
						require.NoError(t, srv.Set(path, []byte("3")))
						comesInBubble(t, 3, v.Load)
					}
					require.NoError(t, v.Err())
				})
				if !reached {
					break
				}
			}
		}
	}
}

// A server in read-only mode, or one that lags behind, brings no older value back, and
// what it does not know is not gone.
func TestNoServerBringsAnOlderValueBack(t *testing.T) {
	inBubble(t, "lag", func(t *testing.T) {
		srv := zktest.Start(t, inMemory, zktest.WithServers(2), zktest.WithFixture(`{"/config/limits": "1"}`))
		v := watch[int](t, connect(t, srv))
		seen := ascending(t, v)
		at := doorOf(srv)
		other := srv.Doors()[1-at]
		other.Lag()
		require.NoError(t, srv.Set(path, []byte("2")))
		comesInBubble(t, 2, v.Load)
		srv.Doors()[at].Kill()
		pass(20 * time.Second) // the session cannot be taken up there
		require.Equal(t, 2, v.Load())
		for _, s := range srv.Sessions() {
			srv.ExpireSession(s.ID)
		}
		pass(20 * time.Second) // nor a new one be opened
		require.Equal(t, 2, v.Load())
		require.NoError(t, srv.Set(path, []byte("3")))
		other.CatchUp()
		comesInBubble(t, 3, v.Load)
		seen()
	})
	inBubble(t, "read-only", func(t *testing.T) {
		srv := zktest.Start(t, inMemory, zktest.WithServers(2), zktest.WithFixture(`{"/config/limits": "1"}`))
		cl := connect(t, srv, client.WithReadOnly(), client.WithSessionTimeout(4*time.Second))
		v := watch[int](t, cl)
		seen := ascending(t, v)
		at := doorOf(srv)
		other := srv.Doors()[1-at]
		other.Lag()
		other.SetReadOnly(true)
		require.NoError(t, srv.Set(path, []byte("2")))
		comesInBubble(t, 2, v.Load)
		srv.Doors()[at].Kill()
		comesInBubble(t, client.ReadOnly, func() client.State { return cl.State().State })
		pass(time.Second)
		require.Equal(t, 2, v.Load())
		other.CatchUp()
		other.SetReadOnly(false)
		require.NoError(t, srv.Set(path, []byte("3")))
		comesInBubble(t, 3, v.Load)
		seen()
	})
}

// ascending follows a value that only grows, until the function is called that it returns.
func ascending(t *testing.T, v *config.Value[int]) func() {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		last := -1
		for n, err := range v.Updates(ctx) {
			if err == nil && n < last {
				t.Errorf("%d comes after %d", n, last)
			}
			last = n
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// Servers that have lost their data, and were restored from a copy, are believed.
func TestServersThatLostTheirData(t *testing.T) {
	inBubble(t, "wiped", func(t *testing.T) {
		srv := zktest.Start(t, inMemory, zktest.WithFixture(`{"/config/limits": "1"}`))
		cl := connect(t, srv)
		v := watch[int](t, cl)
		for n := range 50 {
			require.NoError(t, srv.Set(path, []byte(fmt.Sprint(n+2))))
		}
		comesInBubble(t, 51, v.Load)
		srv.Wipe()
		require.NoError(t, srv.Create(path, []byte("7")))
		comesInBubble(t, 7, v.Load)
		require.NoError(t, srv.Set(path, []byte("8")))
		comesInBubble(t, 8, v.Load)
	})
}

// A storm of changes, losses and expired sessions.
func TestValueUnderAStorm(t *testing.T) {
	for seed := range uint64(5) {
		inBubble(t, fmt.Sprint(seed), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 3))
			srv := zktest.Start(t, inMemory, zktest.WithFixture(`{"/config/limits": "0"}`))
			cl := connect(t, srv)
			v := watch(t, cl, config.WithDefault(0))
			for round := range 5 {
				seen := ascending(t, v)
				for n := range 100 {
					require.NoError(t, srv.Set(path, []byte(fmt.Sprint(100*round+n+1))))
					switch rnd.IntN(12) {
					case 0:
						srv.DropConnections()
					case 1:
						lost := srv.SwallowReply(zktest.Match{Ops: []zktest.Op{zktest.OpGetData}})
						pass(time.Second)
						lost.Cancel()
					case 2:
						srv.ExpireSession(cl.State().SessionID)
					case 3:
						pass(time.Duration(rnd.IntN(3000)) * time.Millisecond)
					}
				}
				comesInBubble(t, 100*round+100, v.Load)
				seen()
			}
		})
	}
}
