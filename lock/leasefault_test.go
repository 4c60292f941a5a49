package lock_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/lock"
	"github.com/zookit/zookit/zktest"
)

// leaseScene is a call whose requests are disturbed.
type leaseScene struct {
	name  string
	begin func(t *testing.T, st *leaseStage)
	call  func(ctx context.Context, st *leaseStage) error
	held  bool // afterwards
}

type leaseStage struct {
	srv     *zktest.Server
	session int64
	lease   *lock.Lease
	taken   *lock.Taken
}

func (st *leaseStage) take(ctx context.Context) (err error) {
	st.taken, err = st.lease.TryTake(ctx)
	return err
}

var leaseScenes = []leaseScene{
	{name: "take", begin: func(*testing.T, *leaseStage) {}, call: func(ctx context.Context, st *leaseStage) error { return st.take(ctx) }, held: true},
	{name: "take what has ended", begin: func(t *testing.T, st *leaseStage) {
		require.NoError(t, st.srv.Create(holderPath, []byte(`{"version": 1, "holder": "other", "end": "2001-02-03T04:05:06"}`)))
	}, call: func(ctx context.Context, st *leaseStage) error { return st.take(ctx) }, held: true},
	{name: "renew", begin: func(t *testing.T, st *leaseStage) { require.NoError(t, st.take(t.Context())) },
		call: func(ctx context.Context, st *leaseStage) error { return st.taken.Renew(ctx) }, held: true},
	{name: "release", begin: func(t *testing.T, st *leaseStage) { require.NoError(t, st.take(t.Context())) },
		call: func(ctx context.Context, st *leaseStage) error { return st.taken.Release(ctx) }},
}

func (sc *leaseScene) stage(t *testing.T) *leaseStage {
	srv := zktest.Start(t)
	cl := connect(t, srv)
	s, err := cl.Session(t.Context())
	require.NoError(t, err)
	st := &leaseStage{srv: srv, session: s.ID(), lease: lock.NewLease(cl, leasePath, time.Hour, lock.WithHolder("me"))}
	sc.begin(t, st)
	srv.ResetRequests()
	return st
}

// nth matches the n-th request of a session, from 0.
func (st *leaseStage) nth(n int) zktest.Match {
	return zktest.Match{Session: st.session, Where: func(zktest.Request) bool {
		n--
		return n < 0
	}}
}

func (sc *leaseScene) requests(t *testing.T) int {
	st := sc.stage(t)
	require.NoError(t, sc.call(bounded(t), st))
	return len(st.srv.Requests(zktest.Match{Session: st.session}))
}

// check looks at what a call that succeeded has left.
func (sc *leaseScene) check(t *testing.T, st *leaseStage) {
	t.Helper()
	require.Equal(t, sc.held, strings.Contains(leaseNode(st.srv), `"me"`), leaseNode(st.srv))
	if sc.held {
		require.NoError(t, st.taken.Err())
		require.Contains(t, leaseNode(st.srv), st.taken.End().Format("2006-01-02T15:04:05"))
		require.Greater(t, time.Until(st.taken.End()), 59*time.Minute-patience)
	}
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		n, _ := st.srv.Node(leasePath)
		for _, name := range n.Children {
			assert.Equal(c, "lease_holder", name, "the lock is left")
		}
	}, patience, time.Millisecond)
}

// Each request, and the reply to each, is lost in turn, or the session with it: all the same it is
// done, once.
func TestLeaseLostAtEveryAwaitPoint(t *testing.T) {
	t.Parallel()
	for _, sc := range leaseScenes {
		for i := range sc.requests(t) {
			for how, lose := range map[string]func(*leaseStage) <-chan struct{}{
				"request": func(st *leaseStage) <-chan struct{} { return st.srv.DropRequest(st.nth(i)).Fired() },
				"reply":   func(st *leaseStage) <-chan struct{} { return st.srv.SwallowReply(st.nth(i)).Fired() },
				"session": func(st *leaseStage) <-chan struct{} {
					h, done := st.srv.HoldReply(st.nth(i)), make(chan struct{})
					go func() {
						defer close(done)
						<-h.Fired()
						st.srv.ExpireSession(st.session)
						h.Release()
					}()
					return done
				},
			} {
				t.Run(fmt.Sprintf("%s, %s %d", sc.name, how, i+1), func(t *testing.T) {
					t.Parallel()
					st := sc.stage(t)
					lost := lose(st)
					require.NoError(t, sc.call(bounded(t), st))
					<-lost
					sc.check(t, st)
				})
			}
		}
	}
}

// Each reply is kept back, and the call cancelled: it returns at once, and says so if it cannot
// know; what it may have taken is given back, what it was to release is released, and what it
// held before it still holds.
func TestLeaseCancelledAtEveryAwaitPoint(t *testing.T) {
	t.Parallel()
	for _, sc := range leaseScenes {
		for i := range sc.requests(t) {
			t.Run(fmt.Sprintf("%s, %d", sc.name, i+1), func(t *testing.T) {
				t.Parallel()
				st := sc.stage(t)
				h := st.srv.HoldReply(st.nth(i))
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				ends := make(chan error, 1)
				go func() { ends <- sc.call(ctx, st) }()
				<-h.Fired()
				before := leaseNode(st.srv)
				cancel()
				err := <-ends
				h.Release()
				if err == nil { // it was done but for the release of the lock
					sc.check(t, st)
					return
				}
				require.ErrorIs(t, err, context.Canceled)
				switch {
				case st.taken == nil && strings.Contains(before, `"me"`):
					require.Equal(t, client.Unknown, client.Outcome(err))
					fallthrough
				case sc.name == "release":
					require.EventuallyWithT(t, func(c *assert.CollectT) {
						assert.NotContains(c, leaseNode(st.srv), `"me"`)
					}, patience, time.Millisecond)
				case st.taken != nil:
					require.NoError(t, st.taken.Err())
					require.NoError(t, st.taken.Release(bounded(t)), "whichever was written")
					require.Empty(t, leaseNode(st.srv))
				}
				require.EventuallyWithT(t, func(c *assert.CollectT) {
					n, _ := st.srv.Node(leasePath)
					for _, name := range n.Children {
						assert.Equal(c, "lease_holder", name, "the lock is left")
					}
				}, patience, time.Millisecond)
			})
		}
	}
}

// Of many who ask at once one has it, and then the next.
func TestLeaseExclusive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		ctx := bounded(t)
		holders := make(chan struct{}, 1)
		done := make(chan error, 4)
		for i := range 4 {
			l := lock.NewLease(connect(t, srv), leasePath, time.Hour, lock.WithHolder(fmt.Sprint(i)))
			go func() {
				done <- func() error {
					for range 3 {
						taken, err := l.Take(ctx)
						if err != nil {
							return err
						}
						select {
						case holders <- struct{}{}:
						default:
							return fmt.Errorf("%d: somebody else has it", i)
						}
						<-holders
						if err := taken.Release(ctx); err != nil {
							return err
						}
					}
					return nil
				}()
			}()
		}
		for range 4 {
			require.NoError(t, <-done)
		}
		require.Empty(t, leaseNode(srv))
	})
}

// Somebody writes without the lock, as a process of Kazoo's that does not know that it has lost it: that is seen,
// and not written over.
func TestLeaseWrittenWithoutTheLock(t *testing.T) {
	t.Parallel()
	for _, before := range []string{"", `{"version": 1, "holder": "other", "end": "2001-02-03T04:05:06"}`} {
		srv := zktest.Start(t)
		cl := connect(t, srv)
		require.NoError(t, srv.Create(leasePath, nil))
		if before != "" {
			require.NoError(t, srv.Create(holderPath, []byte(before)))
		}
		theirs := fmt.Appendf(nil, `{"version": 1, "holder": "other", "end": %q}`, time.Now().Add(time.Hour).UTC().Format("2006-01-02T15:04:05"))
		once := false
		srv.OnRequest(func(r zktest.Request) {
			if once || r.Op != zktest.OpMulti || len(r.Multi) < 2 {
				return
			}
			once = true
			write := srv.Set
			if before == "" {
				write = srv.Create
			}
			if err := write(holderPath, theirs); err != nil {
				t.Error(err)
			}
		})
		_, err := lock.NewLease(cl, leasePath, time.Hour, lock.WithHolder("me")).TryTake(bounded(t))
		srv.OnRequest(nil)
		require.True(t, once)
		require.ErrorIs(t, err, lock.ErrBusy)
		require.Equal(t, string(theirs), leaseNode(srv))
	}
}
