package lock_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/lock"
	"github.com/zookit/zookit/zktest"
)

// rwScene is a way through RLock or Lock: free, or behind a writer that is not ours.
type rwScene struct {
	name     string
	take     func(*lock.RWMutex, context.Context) (*lock.Held, error)
	ahead    string
	requests int
}

var rwScenes = []rwScene{
	{"RLock, free", (*lock.RWMutex).RLock, "", 2},
	{"RLock, beside a reader", (*lock.RWMutex).RLock, "x-__READ__0000000000", 2},
	{"RLock, behind a writer", (*lock.RWMutex).RLock, "x-__WRIT__0000000000", 3},
	{"Lock, free", (*lock.RWMutex).Lock, "", 2},
	{"Lock, behind a reader", (*lock.RWMutex).Lock, "x-__READ__0000000000", 3},
	{"TryRLock, free", (*lock.RWMutex).TryRLock, "", 3},
	{"TryLock, free", (*lock.RWMutex).TryLock, "", 3},
}

func (sc rwScene) start(t *testing.T) (srv *zktest.Server, rw *lock.RWMutex, session int64, free func()) {
	srv = zktest.Start(t, zktest.WithTick(50*time.Millisecond))
	require.NoError(t, srv.Create(path, nil))
	free = func() {}
	if sc.ahead != "" {
		require.NoError(t, srv.Create(path+"/"+sc.ahead, nil))
		require.NoError(t, srv.SetNextSequence(path, 1))
		free = func() { _ = srv.Delete(path + "/" + sc.ahead) }
	}
	cl := connect(t, srv)
	s, err := cl.Session(bounded(t))
	require.NoError(t, err)
	return srv, lock.NewRWMutex(cl, path), s.ID(), free
}

// nth matches the n-th request, from 0, of a session.
func nth(session int64, n int) zktest.Match {
	return zktest.Match{Session: session, Where: func(zktest.Request) bool {
		n--
		return n < 0
	}}
}

// Each request of each of them, or the answer to it, is lost: they get the lock all the same, once.
func TestReadersAndWritersLoseRequests(t *testing.T) {
	t.Parallel()
	for _, sc := range rwScenes {
		for i := range sc.requests {
			for how, lose := range map[string]func(*zktest.Server, zktest.Match) *zktest.Fault{
				"request": (*zktest.Server).DropRequest, "reply": (*zktest.Server).SwallowReply,
			} {
				t.Run(fmt.Sprintf("%s, %s %d", sc.name, how, i+1), func(t *testing.T) {
					t.Parallel()
					srv, rw, session, free := sc.start(t)
					lost := lose(srv, nth(session, i))
					got := make(chan outcome, 1)
					go func() {
						held, err := sc.take(rw, bounded(t))
						got <- outcome{held, err}
					}()
					<-lost.Fired()
					if sc.requests == 3 && sc.ahead != "" {
						require.Empty(t, got)
						free()
					}
					held := taken(t, got)
					free()
					require.Equal(t, []string{base(held.Path())}, contenders(srv))
					require.NoError(t, held.Unlock(bounded(t)))
					requireNone(t, srv, []string{path}, 0)
				})
			}
		}
	}
}

// Cancelled at each request: nothing is left.
func TestReadersAndWritersCancelledAtEveryAwaitPoint(t *testing.T) {
	t.Parallel()
	for _, sc := range rwScenes {
		for i := range sc.requests {
			for how, lose := range map[string]func(*zktest.Server, zktest.Match) (<-chan struct{}, func()){
				"reply held": func(srv *zktest.Server, on zktest.Match) (<-chan struct{}, func()) {
					h := srv.HoldReply(on)
					return h.Fired(), h.Release
				},
				"request dropped": func(srv *zktest.Server, on zktest.Match) (<-chan struct{}, func()) {
					return srv.DropRequest(on).Fired(), func() {}
				},
				"reply swallowed": func(srv *zktest.Server, on zktest.Match) (<-chan struct{}, func()) {
					return srv.SwallowReply(on).Fired(), func() {}
				},
			} {
				t.Run(fmt.Sprintf("%s, request %d, %s", sc.name, i+1, how), func(t *testing.T) {
					t.Parallel()
					srv, rw, session, free := sc.start(t)
					reached, resume := lose(srv, nth(session, i))
					ctx, cancel := context.WithCancel(bounded(t))
					defer cancel()
					got := make(chan outcome, 1)
					go func() {
						held, err := sc.take(rw, ctx)
						got <- outcome{held, err}
					}()
					<-reached
					cancel()
					o := <-got
					resume()
					if o.err == nil { // through again before it was cancelled
						require.NoError(t, o.held.Unlock(bounded(t)))
					} else {
						require.ErrorIs(t, o.err, context.Canceled)
					}
					free()
					requireNone(t, srv, []string{path}, 0)
				})
			}
		}
	}
}
