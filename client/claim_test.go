package client_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/internal/jute"
)

const claimDir = "/zookit/sessions/0x1"

// claimed opens a client whose session has a claim, over pipes that know the node.
func claimed(t *testing.T, p *pipes, opts ...client.Option) (*client.Client, *claimNode) {
	t.Helper()
	n := &claimNode{}
	p.set(func(p *pipes) { p.answer = n.answer })
	cl := p.connect(t, "10.0.0.1:1,10.0.0.2:1", append([]client.Option{client.WithSessionTimeout(holdTimeout)}, opts...)...)
	_, err := session(t, cl).Handle(t.Context())
	require.NoError(t, err)
	return cl, n
}

// claimNode is the claim on the servers.
type claimNode struct {
	mu    sync.Mutex
	owner []byte
	sets  int32
	taken bool                                     // the version is another one
	then  func(f frame, checks []string) *reaction // for what is not about the data
}

func (n *claimNode) answer(f frame) reaction {
	n.mu.Lock()
	defer n.mu.Unlock()
	d := jute.NewDecoder(f.body)
	var checks []string
	switch f.op {
	case jute.OpCreate2:
		var r jute.CreateRequest
		if r.Decode(d); r.Path == claimDir {
			n.owner = r.Data
		}
	case jute.OpSetData:
		var r jute.SetDataRequest
		if r.Decode(d); r.Path == claimDir {
			n.owner = r.Data
			n.sets++
		}
	case jute.OpGetData:
		var r jute.PathWatchRequest
		if r.Decode(d); r.Path == claimDir {
			return reaction{body: &jute.DataReply{Data: n.owner, Stat: jute.Stat{Version: n.sets, EphemeralOwner: f.session}}}
		}
	case jute.OpMulti:
		checks = checked(f)
		if n.taken && len(checks) > 0 && checks[0] == claimDir {
			results := make([]jute.MultiResult, len(checks))
			for i := range results {
				results[i] = jute.MultiResult{Op: jute.OpError, Err: jute.RuntimeInconsistency}
			}
			results[0].Err = jute.BadVersion
			return reaction{body: &jute.MultiReply{Results: results}}
		}
	}
	if n.then != nil {
		if r := n.then(f, checks); r != nil {
			return *r
		}
	}
	return reaction{}
}

func (n *claimNode) set(change func(n *claimNode)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change(n)
}

// A claimed session is confirmed each fifth of its timeout whether it holds something or
// not, and every confirmation checks the claim first.
func TestClaimIsConfirmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl, _ := claimed(t, p)
		synctest.Wait()
		before := len(p.seen(jute.OpMulti))
		time.Sleep(61 * time.Second)
		require.Len(t, p.seen(jute.OpMulti), before+30)
		s := session(t, cl)
		_, err := s.Hold("/lock")
		require.NoError(t, err)
		require.NoError(t, s.Confirm(t.Context(), "/lock"))
		time.Sleep(holdTimeout)
		for _, f := range p.seen(jute.OpMulti)[before:] {
			require.Equal(t, claimDir, checked(f)[0])
		}
		last := p.seen(jute.OpMulti)
		require.Equal(t, []string{claimDir, "/lock"}, checked(last[len(last)-1]))
	})
}

// Once a session can be shared, its bound moves on by what has checked the claim, and not
// by any other write.
func TestClaimBoundsTheHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl, n := claimed(t, p)
		s := session(t, cl)
		hold, err := s.Hold("/lock")
		require.NoError(t, err)
		time.Sleep(time.Minute + time.Second) // between two confirmations
		n.set(func(n *claimNode) {
			n.then = func(f frame, _ []string) *reaction {
				if f.op == jute.OpMulti {
					return &reaction{code: jute.ThrottledOp}
				}
				return nil
			}
		})
		until := hold.ValidUntil()
		for hold.Context().Err() == nil {
			_, err := s.Create(t.Context(), "/x", nil)
			require.NoError(t, err)
			require.False(t, hold.ValidUntil().After(until))
			time.Sleep(100 * time.Millisecond)
		}
		ends(t, hold, client.ErrUnconfirmed)
		require.NoError(t, s.Context().Err())
	})
}

// Nobody's request is sent over a new connection before the claim has been found
// untouched; if it has not, none is sent at all, and the session is not ended.
func TestClaimIsCheckedFirst(t *testing.T) {
	for _, taken := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			p := newPipes(t)
			cl, n := claimed(t, p)
			s, st := session(t, cl), follow(t, cl)
			st.next(client.Connected)
			n.set(func(n *claimNode) {
				n.taken = taken
				n.then = func(f frame, _ []string) *reaction {
					if f.op == jute.OpMulti {
						return &reaction{after: 100 * time.Millisecond}
					}
					return nil
				}
			})
			p.cut()
			st.next(client.Suspended)
			start := time.Now()
			_, err := s.Create(t.Context(), "/x", nil)
			if taken {
				require.ErrorIs(t, err, client.ErrSessionTaken)
				require.ErrorIs(t, st.next(client.Lost).Err, client.ErrSessionTaken)
				for _, f := range p.seen() {
					require.False(t, f.conn == 2 && f.op == jute.OpCreate2)
				}
				require.Empty(t, p.seen(jute.OpCloseSession))
				return
			}
			require.NoError(t, err)
			require.GreaterOrEqual(t, time.Since(start), 100*time.Millisecond)
			st.next(client.Connected)
		})
	}
}

// A connection that ends before the claim has been checked opens nothing; the next one does.
func TestClaimCheckIsLost(t *testing.T) {
	for _, r := range []reaction{{hangUp: true}, {code: jute.SessionMoved}, {code: jute.ThrottledOp}, {ignore: true}} {
		synctest.Test(t, func(t *testing.T) {
			p := newPipes(t)
			cl, n := claimed(t, p)
			st := follow(t, cl)
			st.next(client.Connected)
			n.set(func(n *claimNode) {
				n.then = func(f frame, _ []string) *reaction {
					if f.op == jute.OpMulti && f.conn == 2 {
						return &r
					}
					return nil
				}
			})
			p.cut()
			st.next(client.Suspended)
			_, err := session(t, cl).Create(t.Context(), "/x", nil)
			require.NoError(t, err)
			st.next(client.Connected)
			last := p.seen(jute.OpCreate2)
			require.GreaterOrEqual(t, last[len(last)-1].conn, 3)
		})
	}
}

// What cannot be checked for good ends the session.
func TestClaimThatCannotBeChecked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl, n := claimed(t, p)
		st := follow(t, cl)
		st.next(client.Connected)
		n.set(func(n *claimNode) {
			n.then = func(f frame, _ []string) *reaction {
				if f.op == jute.OpMulti && f.session == 1 {
					return &reaction{code: jute.NoAuth}
				}
				return nil
			}
		})
		p.cut()
		st.next(client.Suspended)
		lost := st.next(client.Lost).Err
		require.ErrorIs(t, lost, client.ErrNoAuth)
		require.NotErrorIs(t, lost, client.ErrSessionTaken)
		st.until(client.Connected)
	})
}

// A change of the claim is noticed at once, and what it means is asked.
func TestClaimIsWatched(t *testing.T) {
	for _, kind := range []int32{jute.EventNodeDataChanged, jute.EventNodeDeleted} {
		synctest.Test(t, func(t *testing.T) {
			p := newPipes(t)
			cl, n := claimed(t, p)
			s := session(t, cl)
			synctest.Wait()
			p.event(kind, claimDir)
			synctest.Wait()
			require.NoError(t, s.Context().Err(), "the event alone says nothing")
			n.set(func(n *claimNode) { n.taken = true })
			start := time.Now()
			p.event(kind, claimDir)
			<-s.Context().Done()
			require.Zero(t, time.Since(start))
			require.ErrorIs(t, context.Cause(s.Context()), client.ErrSessionTaken)
			session(t, cl)
			require.Empty(t, p.seen(jute.OpCloseSession), "the session is the other's")
		})
	}
}

// A server that says that the session has moved is left, and the claim looked at.
func TestClaimOfMovedSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl, n := claimed(t, p)
		hold, err := session(t, cl).Hold("/lock")
		require.NoError(t, err)
		n.set(func(n *claimNode) {
			n.then = func(f frame, _ []string) *reaction {
				if f.op == jute.OpMulti && f.conn == 1 {
					n.taken = true
					return &reaction{code: jute.SessionMoved}
				}
				return nil
			}
		})
		start := time.Now()
		ends(t, hold, client.ErrSessionTaken)
		require.Less(t, time.Since(start), holdTimeout/4)
	})
}

// The first handshake presents what the handle tells, and asks for the timeout that the
// session had; later sessions are one's own.
func TestTakeUpHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl, _ := claimed(t, p)
		require.NoError(t, cl.Sync(t.Context(), "/"))
		h, err := cl.Detach(t.Context())
		require.NoError(t, err)
		var hellos []jute.ConnectRequest
		p.set(func(p *pipes) {
			p.greet = func(r *jute.ConnectRequest) bool { hellos = append(hellos, *r); return true }
		})
		next := p.connect(t, "10.0.0.1:1", client.WithSession(h), client.WithSessionTimeout(3*time.Second))
		require.Equal(t, int64(1), session(t, next).ID())
		p.set(func(p *pipes) { p.expired = func(id int64) bool { return id == 1 } })
		st := follow(t, next)
		p.cut()
		st.until(client.Lost)
		st.until(client.Connected)
		require.Len(t, hellos, 3)
		require.Equal(t, int64(1), hellos[0].SessionID)
		require.Len(t, hellos[0].Password, 16)
		require.Greater(t, hellos[0].LastZxidSeen, int64(1)<<32)
		require.Equal(t, int32(holdTimeout.Milliseconds()), hellos[0].TimeoutMillis)
		require.Zero(t, hellos[2].SessionID)
		require.Zero(t, hellos[2].LastZxidSeen)
		require.Equal(t, int32(3000), hellos[2].TimeoutMillis)
	})
}

// Close ends a claimed session on the servers only if its claim could be deleted before.
func TestCloseOfClaimedSession(t *testing.T) {
	for name, tc := range map[string]struct {
		answer reaction
		ended  bool
	}{
		"the claim is there":       {reaction{}, true},
		"it is another's by now":   {reaction{code: jute.BadVersion}, false},
		"it is gone":               {reaction{code: jute.NoNode}, false},
		"the server is silent":     {reaction{ignore: true}, false},
		"the server hangs up":      {reaction{hangUp: true}, false},
		"the connection is others": {reaction{code: jute.SessionMoved}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPipes(t)
				cl, n := claimed(t, p)
				n.set(func(n *claimNode) {
					n.then = func(f frame, _ []string) *reaction {
						if f.op == jute.OpDelete {
							return &tc.answer
						}
						return nil
					}
				})
				start := time.Now()
				err := cl.Close()
				require.LessOrEqual(t, time.Since(start), closeTime)
				require.Equal(t, tc.ended, err == nil, "%v", err)
				require.Equal(t, tc.ended, len(p.seen(jute.OpCloseSession)) == 1)
			})
		})
	}
}
