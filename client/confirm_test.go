package client_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

// quorum models what a leader knows of a session that is connected to a follower: at
// each half tick the follower reports whether it has heard of the session, and the
// leader lets it live for its timeout from then. From a moment on the follower is cut
// off: it goes on answering pings and reads, and neither reports nor commits.
type quorum struct {
	rnd     *rand.Rand
	slow    time.Duration // what a frame takes at most, each way
	timeout time.Duration

	mu      sync.Mutex
	touched bool
	cut     bool
	expiry  time.Time // when the leader gives the session's nodes away
}

func (q *quorum) delay() time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	return time.Duration(q.rnd.Int64N(int64(q.slow)))
}

func (q *quorum) answer(f frame) reaction {
	time.Sleep(q.delay())
	back := q.delay()
	q.mu.Lock()
	defer q.mu.Unlock()
	q.touched = true
	return reaction{ignore: q.cut && f.op.Commits(), after: back}
}

// report is the end of half a tick.
func (q *quorum) report() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.touched && !q.cut {
		q.expiry = time.Now().Add(q.timeout)
	}
	q.touched = false
}

// A hold never outlives the session on the servers, however the connected server is
// cut off, and whatever it goes on answering.
func TestHoldEndsBeforeSessionOfCutOffServer(t *testing.T) {
	for seed := range uint64(100) {
		synctest.Test(t, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 1))
			timeout := time.Duration(4000+rnd.IntN(6000)) * time.Millisecond
			tick := timeout/10 + time.Duration(rnd.Int64N(int64(timeout*4/10)))
			q := &quorum{rnd: rand.New(rand.NewPCG(seed, 2)), slow: time.Duration(1 + rnd.Int64N(int64(150*time.Millisecond))), timeout: timeout}
			p := newPipes(t)
			p.set(func(p *pipes) {
				p.answer = q.answer
				p.greet = func(hello *jute.ConnectRequest) bool {
					q.mu.Lock()
					defer q.mu.Unlock()
					if hello.SessionID == 0 {
						q.expiry = time.Now().Add(q.timeout)
					}
					return !q.cut
				}
			})
			opts := []client.Option{client.WithSessionTimeout(timeout)}
			if seed%2 == 0 {
				opts = append(opts, client.WithTick(tick))
			}
			cl := p.connect(t, "10.0.0.1:1", opts...)
			s := session(t, cl)
			ctx, cancel := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			defer wg.Wait()
			defer cancel()
			phase := time.Duration(rnd.Int64N(int64(tick / 2)))
			wg.Go(func() {
				time.Sleep(phase)
				ticker := time.NewTicker(tick / 2)
				defer ticker.Stop()
				for {
					q.report()
					select {
					case <-ticker.C:
					case <-ctx.Done():
						return
					}
				}
			})
			every := time.Duration(1 + rnd.Int64N(int64(timeout)))
			wg.Go(func() { // somebody reads and writes
				for n := 0; ctx.Err() == nil; n++ {
					if n%3 == 0 {
						_, _ = s.Set(ctx, "/a", nil, client.AnyVersion)
					} else {
						_, _, _ = s.Get(ctx, "/a")
					}
					time.Sleep(every)
				}
			})
			h, err := s.Hold("/lock")
			require.NoError(t, err)
			time.Sleep(time.Duration(rnd.Int64N(int64(5 * timeout))))
			require.NoError(t, h.Context().Err(), "seed %d: as long as all is well", seed)
			q.mu.Lock()
			q.cut = true
			q.mu.Unlock()
			<-h.Context().Done()
			require.Equal(t, client.ErrUnconfirmed, context.Cause(h.Context()))
			q.mu.Lock()
			defer q.mu.Unlock()
			require.False(t, time.Now().After(q.expiry), "seed %d: %v too late", seed, time.Since(q.expiry))
			require.False(t, h.ValidUntil().Add(timeout/50).After(q.expiry), "seed %d: %v too late but for the margin, which is for clocks", seed, h.ValidUntil().Add(timeout/50).Sub(q.expiry))
		})
	}
}

func TestConfirm(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	s := session(t, cl)
	require.NoError(t, s.Confirm(t.Context()))
	require.NoError(t, s.Confirm(t.Context(), "/n", "/tree/a", "/"))
	requests := srv.Requests(zktest.On("", zktest.OpMulti))
	require.Len(t, requests, 2)
	require.Len(t, requests[1].Multi, 3)
	for i, path := range []string{"/n", "/tree/a", "/"} {
		require.Equal(t, path, requests[1].Multi[i].Path)
		require.Equal(t, client.AnyVersion, requests[1].Multi[i].Version)
	}
	before := srv.Dump()
	err := s.Confirm(t.Context(), "/n", "/none", "/gone")
	require.ErrorIs(t, err, client.ErrNoNode)
	require.Equal(t, client.Definite, client.Outcome(err))
	require.EqualError(t, err, "check /none: node does not exist")
	require.Equal(t, before, srv.Dump())
	until := s.ConfirmedUntil()
	require.NoError(t, s.Confirm(t.Context(), "/n"))
	require.False(t, s.ConfirmedUntil().Before(until))
}

// A lost confirmation is repeated, and so is one that was refused for now.
func TestConfirmRepeats(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := newTree(t, inMemory)
		cl := primed(t, srv)
		s := session(t, cl)
		srv.DropRequest(zktest.On("/n", zktest.OpMulti))
		srv.SwallowReply(zktest.On("/n", zktest.OpMulti))
		srv.FailNext(zktest.On("/n", zktest.OpMulti), zktest.ThrottledOp)
		srv.FailNext(zktest.On("/n", zktest.OpMulti), zktest.SessionMoved)
		require.NoError(t, s.Confirm(t.Context(), "/n"))
		require.Equal(t, 5, sent(srv, "/n", zktest.OpMulti))
	})
}

// A server that leaves a confirmation unanswered for a fifth of the timeout is left.
func TestConfirmLeavesSuspectServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl := p.connect(t, "10.0.0.1:1,10.0.0.2:1", client.WithSessionTimeout(holdTimeout))
		s := session(t, cl)
		p.set(func(p *pipes) {
			p.answer = func(f frame) reaction { return reaction{ignore: f.conn == 1 && f.op == jute.OpMulti} }
		})
		start := time.Now()
		require.NoError(t, s.Confirm(t.Context(), "/lock"))
		require.GreaterOrEqual(t, time.Since(start), holdTimeout/5)
		require.Less(t, time.Since(start), holdTimeout/5+time.Second)
		hellos := p.seen(jute.OpConnect)
		require.Len(t, hellos, 2)
		require.NotEqual(t, hellos[0].addr, hellos[1].addr)
		require.Equal(t, s.ID(), hellos[1].session)
	})
}

// Confirm ends with its context and with the session, wherever it stands.
func TestConfirmEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl := p.connect(t, "10.0.0.1:1", client.WithSessionTimeout(holdTimeout))
		s := session(t, cl)
		p.set(func(p *pipes) {
			p.answer = func(f frame) reaction { return reaction{ignore: f.op == jute.OpMulti} }
		})
		for n := range 40 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(n)*100*time.Millisecond)
			start := time.Now()
			err := s.Confirm(ctx, "/lock")
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.Equal(t, time.Duration(n)*100*time.Millisecond, time.Since(start))
			require.NotEqual(t, client.Definite, client.Outcome(err))
			cancel()
		}
		p.set(func(p *pipes) { p.expired = func(int64) bool { return true } })
		require.ErrorIs(t, s.Confirm(t.Context(), "/lock"), client.ErrSessionLost)
	})
}
