package client_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/internal/jute"
)

const holdTimeout = 10 * time.Second

// checked lists the nodes that a confirmation checks.
func checked(f frame) []string {
	var r jute.MultiRequest
	r.Decode(jute.NewDecoder(f.body))
	var out []string
	for _, op := range r.Ops {
		out = append(out, op.Body.(*jute.PathVersionRequest).Path)
	}
	return out
}

// holder opens a client with fresh holds of some nodes.
func holder(t *testing.T, p *pipes, servers string, nodes int, opts ...client.Option) (*client.Client, []*client.Hold) {
	t.Helper()
	cl := p.connect(t, servers, append([]client.Option{client.WithSessionTimeout(holdTimeout)}, opts...)...)
	s := session(t, cl)
	var holds []*client.Hold
	for i := range nodes {
		h, err := s.Hold(fmt.Sprintf("/lock/%d", i))
		require.NoError(t, err)
		holds = append(holds, h)
	}
	return cl, holds
}

// A session with holds has them confirmed by one transaction each fifth of its
// timeout, however many there are; a session without any, never.
func TestHoldConfirmations(t *testing.T) {
	for _, nodes := range []int{0, 1, 7, 400} {
		synctest.Test(t, func(t *testing.T) {
			p := newPipes(t)
			start := time.Now()
			_, holds := holder(t, p, "10.0.0.1:1,10.0.0.2:1", nodes)
			time.Sleep(61 * time.Second)
			confirmations := p.seen(jute.OpMulti)
			if nodes == 0 {
				require.Empty(t, p.seen())
				return
			}
			require.Len(t, confirmations, 30)
			for i, c := range confirmations {
				require.Equal(t, time.Duration(i+1)*holdTimeout/5, c.at.Sub(start))
				require.Len(t, checked(c), nodes)
			}
			require.Len(t, p.seen(jute.OpGetData), nodes, "each node is watched, once")
			for _, h := range holds {
				require.NoError(t, h.Context().Err())
				h.Release()
			}
			time.Sleep(time.Minute)
			require.Len(t, p.seen(jute.OpMulti), len(confirmations), "and none when there is nothing to confirm")
		})
	}
}

// Most locks are released before a confirmation is due: they cost nothing, not even
// after reconnects.
func TestHoldIsFreeAtFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl, _ := holder(t, p, "10.0.0.1:1", 0)
		st := follow(t, cl)
		p.cut()
		st.until(client.Suspended)
		st.until(client.Connected)
		for range 100 {
			_, err := cl.Set(t.Context(), "/lock", nil, client.AnyVersion)
			require.NoError(t, err)
			h, err := session(t, cl).Hold("/lock")
			require.NoError(t, err)
			time.Sleep(holdTimeout / 6)
			h.Release()
			synctest.Wait() // until nothing is kept any more
		}
		require.Len(t, p.seen(), 100, "the writes of this test")
	})
}

// More nodes than fit into one transaction are checked in turn.
func TestHoldsInTurn(t *testing.T) {
	for name, tc := range map[string]struct {
		nodes int
		opts  []client.Option
	}{
		"many":  {2500, nil},
		"large": {100, []client.Option{client.WithMaxRequest(1024)}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPipes(t)
				_, holds := holder(t, p, "10.0.0.1:1", tc.nodes, tc.opts...)
				time.Sleep(5 * time.Minute)
				seen := map[string]int{}
				for _, c := range p.seen(jute.OpMulti) {
					if tc.opts != nil {
						require.LessOrEqual(t, len(c.body)+8, 1024)
					}
					for _, path := range checked(c) {
						seen[path]++
					}
				}
				require.Len(t, seen, tc.nodes)
				for path, n := range seen {
					require.Greater(t, n, 30, path)
				}
				for _, h := range holds {
					require.NoError(t, h.Context().Err())
				}
			})
		})
	}
}

// While all is well, a hold always has a third of the timeout ahead of it.
func TestHoldHasTimeAhead(t *testing.T) {
	for name, tc := range map[string]struct {
		opts []client.Option
		want time.Duration
	}{
		"tick unknown": {nil, holdTimeout * 33 / 100},
		"tick known":   {[]client.Option{client.WithTick(2 * time.Second)}, holdTimeout * 48 / 100},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPipes(t)
				_, holds := holder(t, p, "10.0.0.1:1", 1, tc.opts...)
				least := holdTimeout
				for range 6000 {
					time.Sleep(10 * time.Millisecond)
					least = min(least, time.Until(holds[0].ValidUntil()))
				}
				require.GreaterOrEqual(t, least, tc.want)
				require.NoError(t, holds[0].Context().Err())
			})
		})
	}
}

// When nothing is answered any more, a hold ends at ValidUntil: not later, and before
// the session does.
func TestHoldEndsAtValidUntil(t *testing.T) {
	for after := range 40 {
		synctest.Test(t, func(t *testing.T) {
			p := newPipes(t)
			cl, holds := holder(t, p, "10.0.0.1:1,10.0.0.2:1", 3)
			s := session(t, cl)
			time.Sleep(time.Duration(after) * 333 * time.Millisecond)
			if after%2 == 0 {
				p.mute(true)
			} else {
				p.set(func(p *pipes) {
					p.dial = func(context.Context, string) error { return errors.New("connection refused") }
				})
				p.cut()
			}
			until := holds[0].ValidUntil()
			for _, h := range holds {
				<-h.Context().Done()
				require.Zero(t, time.Since(until))
				require.Equal(t, until, h.ValidUntil())
				require.ErrorIs(t, context.Cause(h.Context()), client.ErrUnconfirmed)
				h.Release()
				require.ErrorIs(t, context.Cause(h.Context()), client.ErrUnconfirmed)
			}
			require.NoError(t, s.Context().Err(), "the session may live on")
			require.Greater(t, time.Until(s.ValidUntil()), time.Duration(0))
		})
	}
}

// A server that answers pings and reads but commits nothing may be cut off from its
// quorum. It is left for another, early enough for the hold.
func TestHoldLeavesSuspectServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl, holds := holder(t, p, "10.0.0.1:1,10.0.0.2:1,10.0.0.3:1", 1)
		st := follow(t, cl)
		cutOff := st.next(client.Connected)
		time.Sleep(time.Minute)
		addr := p.seen(jute.OpConnect)[0].addr
		p.set(func(p *pipes) {
			p.answer = func(f frame) reaction { return reaction{ignore: f.addr == addr && f.op == jute.OpMulti} }
		})
		start := time.Now()
		suspended := st.next(client.Suspended)
		require.ErrorContains(t, suspended.Err, "does not commit")
		require.LessOrEqual(t, time.Since(start), 2*holdTimeout/5)
		require.Equal(t, cutOff.SessionID, st.next(client.Connected).SessionID)
		time.Sleep(time.Minute)
		require.NoError(t, holds[0].Context().Err(), "lock and session are kept")
		hellos := p.seen(jute.OpConnect)
		require.Len(t, hellos, 2)
		require.NotEqual(t, addr, hellos[1].addr)
		require.Equal(t, 2, hellos[1].conn)
	})
}

// If there is no other server the hold ends in time; the session lives on.
func TestHoldWithSuspectServerOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl, holds := holder(t, p, "10.0.0.1:1", 1)
		s := session(t, cl)
		time.Sleep(time.Minute + time.Second) // between two confirmations
		p.set(func(p *pipes) {
			p.answer = func(f frame) reaction { return reaction{ignore: f.op == jute.OpMulti} }
		})
		until := holds[0].ValidUntil()
		<-holds[0].Context().Done()
		require.Zero(t, time.Since(until))
		require.ErrorIs(t, context.Cause(holds[0].Context()), client.ErrUnconfirmed)
		require.Greater(t, len(p.seen(jute.OpConnect)), 1, "it has looked for another")
		_, err := s.Hold("/lock/0")
		require.ErrorIs(t, err, client.ErrUnconfirmed)
		_, _, err = s.Get(t.Context(), "/lock/0")
		require.NoError(t, err)

		p.set(func(p *pipes) { p.answer = nil })
		require.NoError(t, s.Confirm(t.Context(), "/lock/0"))
		h, err := s.Hold("/lock/0")
		require.NoError(t, err)
		time.Sleep(time.Minute)
		require.NoError(t, h.Context().Err())
	})
}

// Who holds nothing is not confirmed; what was committed long ago proves nothing now.
func TestHoldNeedsRecentProof(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl, _ := holder(t, p, "10.0.0.1:1", 0)
		s := session(t, cl)
		require.Equal(t, holdTimeout*49/50, time.Until(s.ConfirmedUntil()), "making the session was a commit")
		time.Sleep(time.Minute)
		_, err := s.Hold("/lock")
		require.ErrorIs(t, err, client.ErrUnconfirmed)
		require.Less(t, time.Until(s.ConfirmedUntil()), time.Duration(0))
		_, err = s.Set(t.Context(), "/lock", nil, 0)
		require.NoError(t, err)
		require.Greater(t, time.Until(s.ConfirmedUntil()), holdTimeout*33/100, "any write is a confirmation")
		h, err := s.Hold("/lock")
		require.NoError(t, err)
		require.Equal(t, s.ConfirmedUntil(), h.ValidUntil())
	})
}

// Holds come and go from many goroutines, while connections do.
func TestHoldsConcurrently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl, lasting := holder(t, p, "10.0.0.1:1,10.0.0.2:1", 1)
		s := session(t, cl)
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				for n := range 50 {
					h, err := s.Hold(fmt.Sprintf("/%d/%d", i, n))
					require.NoError(t, err)
					time.Sleep(time.Duration(n*i) * 10 * time.Millisecond)
					wg.Go(h.Release)
					h.Release()
					require.ErrorIs(t, context.Cause(h.Context()), client.ErrReleased)
				}
			})
		}
		for range 10 {
			time.Sleep(7 * time.Second)
			p.cut()
		}
		wg.Wait()
		require.NoError(t, lasting[0].Context().Err())
		require.Same(t, s, session(t, cl))
	})
}
