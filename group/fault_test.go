package group_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/internal/testmain"
	"github.com/zookit/zookit/zktest"
)

// countdown picks one request of a client, over all its sessions.
type countdown struct {
	mu      sync.Mutex
	n       int   // which one, from 0
	seen    int   // so far
	exclude int64 // the session of somebody else
}

func (c *countdown) hit(r zktest.Request) bool {
	switch r.Op {
	case zktest.OpPing, zktest.OpConnect, zktest.OpCloseSession, zktest.OpRemoveWatches:
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.Session == c.exclude {
		return false
	}
	c.seen++
	return c.seen == c.n+1
}

func (c *countdown) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen
}

// stage is a server, a member of which one request goes wrong, and another one.
type stage struct {
	srv        *zktest.Server
	cl, steady *client.Client
	at         *countdown
	forced     bool // a session ends before its time, which no context can know
}

func newStage(t *testing.T, at int) *stage {
	st := &stage{srv: zktest.Start(t, inMemory, zktest.WithTick(50*time.Millisecond)), at: &countdown{n: at}}
	st.cl = connect(t, st.srv, client.WithSessionTimeout(10*time.Second))
	st.steady = connect(t, st.srv)
	sessionOf(t, st.cl)
	st.at.exclude = sessionOf(t, st.steady)
	return st
}

var faults = []struct {
	name string
	set  func(t *testing.T, st *stage) (fired <-chan struct{})
}{
	{"request lost", func(_ *testing.T, st *stage) <-chan struct{} {
		return st.srv.DropRequest(zktest.Match{Where: st.at.hit}).Fired()
	}},
	{"reply lost", func(_ *testing.T, st *stage) <-chan struct{} {
		return st.srv.SwallowReply(zktest.Match{Where: st.at.hit}).Fired()
	}},
	{"session ended", func(_ *testing.T, st *stage) <-chan struct{} {
		st.forced = true
		return st.before(func(session int64) { st.srv.ExpireSession(session) })
	}},
	{"reply lost, session ended", func(t *testing.T, st *stage) <-chan struct{} {
		st.forced = true
		return st.behind(t, func(session int64) { st.srv.ExpireSession(session) })
	}},
	{"silence", func(_ *testing.T, st *stage) <-chan struct{} {
		return st.before(func(session int64) { hush(st.srv, session) })
	}},
	{"reply lost, silence", func(t *testing.T, st *stage) <-chan struct{} {
		return st.behind(t, func(session int64) { hush(st.srv, session) })
	}},
}

func (st *stage) before(do func(session int64)) <-chan struct{} {
	fired := make(chan struct{})
	st.srv.OnRequest(func(r zktest.Request) {
		if st.at.hit(r) {
			do(r.Session)
			close(fired)
		}
	})
	return fired
}

func (st *stage) behind(t *testing.T, do func(session int64)) <-chan struct{} {
	h := st.srv.HoldReply(zktest.Match{Where: st.at.hit})
	fired := make(chan struct{})
	go func() {
		select {
		case <-h.Fired():
			do(h.Request().Session)
			close(fired)
		case <-t.Context().Done():
		}
	}()
	return fired
}

// requireClean requires that nothing is left, for as long as something can still be on its way.
func (st *stage) requireClean(t *testing.T) {
	t.Helper()
	for range 3 {
		time.Sleep(5 * time.Second)
		requireNothingLeft(t, st.srv)
	}
	for _, stack := range testmain.Stacks() {
		for _, ours := range []string{"zookit/group.(*", "zookit/recipes.(*", "client.(*janitor)"} {
			require.NotContains(t, stack, ours, "goroutine left")
		}
	}
}

// lives are what a member does.
var lives = map[string]func(t *testing.T, st *stage){
	// It joins, changes its data, is watched, and leaves.
	"membership": func(t *testing.T, st *stage) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		seen, own := watch(ctx, st.steady), watch(ctx, st.cl)
		m := join(t, st.cl, "a", "one")
		sees(t, seen, "a=one")
		sees(t, own, "a=one")
		require.NoError(t, m.Set(t.Context(), []byte("two")))
		sees(t, seen, "a=two")
		sees(t, own, "a=two")
		other := join(t, st.steady, "b", "")
		sees(t, own, "a=two", "b=")
		leave(t, other)
		leave(t, m)
		sees(t, seen)
		sees(t, own)
		time.Sleep(30 * time.Second)
		for len(seen) > 0 { // it may have been missing for a moment before it left
			if s := <-seen; len(seen) == 0 {
				require.Empty(t, s.members, "it does not come back")
			}
		}
	},
	// It has partitions, another one comes and goes, and it leaves.
	"partitions": func(t *testing.T, st *stage) {
		l, partitions := newLedger(), names("p", 4)
		l.forced = st.forced
		a := l.run(t, st.cl, "a", partitions)
		l.divided(t, map[string]int{"a": 4})
		b := l.run(t, st.steady, "b", partitions)
		l.divided(t, map[string]int{"a": 2, "b": 2})
		b.stop(t)
		l.divided(t, map[string]int{"a": 4})
		b = l.run(t, st.steady, "b", partitions)
		l.divided(t, map[string]int{"a": 2, "b": 2})
		a.stop(t)
		l.divided(t, map[string]int{"b": 4})
		b.stop(t)
	},
}

// Each request of a member is lost, or its reply, or the session with it, in turn: it is there again, all
// partitions are somebody's again, none is two members', and nothing stays.
func TestFaultAtEveryStep(t *testing.T) {
	t.Parallel()
	for name, life := range lives {
		n := 0
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				st := newStage(t, -1)
				st.srv.OnRequest(func(r zktest.Request) { st.at.hit(r) })
				life(t, st)
				st.requireClean(t)
				n = st.at.count()
				require.Greater(t, n, 8)
			})
		})
		for _, fault := range faults {
			for i := range n {
				t.Run(fmt.Sprintf("%s, %s at %d of %d", name, fault.name, i+1, n), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						st := newStage(t, i)
						fired := fault.set(t, st)
						life(t, st)
						st.requireClean(t)
						select { // the order of what happens at once is not always the same
						case <-fired:
						default:
							require.Greater(t, i, n/2, "nothing has gone wrong")
						}
					})
				})
			}
		}
	}
}

// Run is cancelled at each of its requests, wherever that stands: it ends, and nothing is left.
func TestPartitionerCancelledAtEveryAwaitPoint(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"request lost", "reply lost", "silence", "reply lost, silence", "held", "reply held"} {
		for i := range 24 {
			t.Run(fmt.Sprintf("%s, request %d", how, i+1), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					st := newStage(t, i)
					resume := func() {}
					var fired <-chan struct{}
					switch how {
					case "held":
						on := make(chan struct{})
						there := make(chan struct{})
						st.srv.OnRequest(func(r zktest.Request) {
							if st.at.hit(r) {
								close(there)
								<-on
							}
						})
						fired, resume = there, sync.OnceFunc(func() { close(on) })
					case "reply held":
						h := st.srv.HoldReply(zktest.Match{Where: st.at.hit})
						fired, resume = h.Fired(), h.Release
					default:
						for _, f := range faults {
							if f.name == how {
								fired = f.set(t, st)
							}
						}
					}
					l, partitions := newLedger(), names("p", 4)
					b := l.run(t, st.steady, "b", partitions)
					l.divided(t, map[string]int{"b": 4})
					a := l.run(t, st.cl, "a", partitions)
					select {
					case <-fired:
					case <-time.After(time.Minute): // it has not so many
					}
					before := time.Now()
					a.stop(t)
					assert.LessOrEqual(t, time.Since(before), 11*time.Second)
					resume()
					l.divided(t, map[string]int{"b": 4})
					b.stop(t)
					st.requireClean(t)
				})
			})
		}
	}
}
