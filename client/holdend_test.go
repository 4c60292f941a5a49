package client_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

// ends waits for the end of a hold and checks the reason.
func ends(t *testing.T, h *client.Hold, want error) {
	t.Helper()
	wait(t, h.Context().Done(), "the hold ends")
	require.ErrorIs(t, context.Cause(h.Context()), want)
}

// noNode answers a confirmation: the node at place i does not exist.
func noNode(f frame, i int) reaction {
	results := make([]jute.MultiResult, len(checked(f)))
	for j := range results {
		results[j].Op = jute.OpError
		if j == i {
			results[j].Err = jute.NoNode
		} else if j > i {
			results[j].Err = jute.RuntimeInconsistency
		}
	}
	return reaction{body: &jute.MultiReply{Results: results}}
}

// A node that somebody deletes is noticed at once when it is watched, which it is
// from the first confirmation on.
func TestHoldOfNodeDeletedLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		_, holds := holder(t, p, "10.0.0.1:1", 3)
		time.Sleep(holdTimeout/5 + time.Millisecond)
		p.event(jute.EventNodeDeleted, "/lock/1")
		synctest.Wait()
		ends(t, holds[1], client.ErrHoldDeleted)
		time.Sleep(time.Minute)
		require.NoError(t, holds[0].Context().Err())
		require.NoError(t, holds[2].Context().Err())
		last := p.seen(jute.OpMulti)
		require.ElementsMatch(t, []string{"/lock/0", "/lock/2"}, checked(last[len(last)-1]))
	})
}

// A node that is deleted before that is found missing by the first confirmation.
func TestHoldOfNodeDeletedAtOnce(t *testing.T) {
	for _, i := range []int{0, 1, 2} {
		synctest.Test(t, func(t *testing.T) {
			p := newPipes(t)
			_, holds := holder(t, p, "10.0.0.1:1", 3)
			p.set(func(p *pipes) {
				p.answer = func(f frame) reaction {
					if f.op == jute.OpMulti && len(checked(f)) == 3 {
						return noNode(f, i)
					}
					return reaction{}
				}
			})
			start := time.Now()
			ends(t, holds[i], client.ErrHoldDeleted)
			require.Equal(t, holdTimeout/5, time.Since(start))
			time.Sleep(time.Minute)
			for j, h := range holds {
				require.Equal(t, j == i, h.Context().Err() != nil)
			}
		})
	}
}

// On a real tree, over a real connection.
func TestHoldOnServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := newTree(t, inMemory)
		cl := primed(t, srv, client.WithSessionTimeout(3*time.Second))
		s := session(t, cl)
		hold := func(path string) *client.Hold {
			_, err := s.Create(t.Context(), path, nil, client.WithMode(client.Ephemeral))
			require.NoError(t, err)
			h, err := s.Hold(path)
			require.NoError(t, err)
			return h
		}
		a, b := hold("/a"), hold("/b")
		watched := srv.HoldReply(zktest.On("/b", zktest.OpGetData)) // behind the first confirmation
		wait(t, watched.Fired(), "both are watched")
		watched.Release()
		require.NoError(t, srv.Delete("/a"))
		ends(t, a, client.ErrHoldDeleted)
		c := hold("/c")
		require.NoError(t, srv.Delete("/c"))
		ends(t, c, client.ErrHoldDeleted)
		require.NoError(t, b.Context().Err())
		require.Greater(t, time.Until(b.ValidUntil()), time.Duration(0))
		srv.Freeze()
		until := b.ValidUntil()
		ends(t, b, client.ErrUnconfirmed)
		require.False(t, b.ValidUntil().Before(until))
		require.False(t, time.Now().Before(b.ValidUntil()))
		require.True(t, exists("/b")(srv), "the servers still have it")
		srv.Thaw()
	})
}

// The data of a node may change; it is watched again.
func TestHoldOfNodeThatChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		_, holds := holder(t, p, "10.0.0.1:1", 1)
		time.Sleep(holdTimeout + time.Second) // between two confirmations
		for n := range 5 {
			require.Len(t, p.seen(jute.OpGetData), 1+n)
			p.event(jute.EventNodeDataChanged, "/lock/0")
			synctest.Wait()
			require.NoError(t, holds[0].Context().Err())
		}
		p.event(jute.EventNodeDeleted, "/lock/0")
		ends(t, holds[0], client.ErrHoldDeleted)
	})
}

// After a reconnect the session is confirmed at once and the node watched again, also
// if the connection was lost just when it was to be watched first.
func TestHoldAcrossConnections(t *testing.T) {
	for _, early := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			p := newPipes(t)
			cl, holds := holder(t, p, "10.0.0.1:1,10.0.0.2:1", 1)
			st := follow(t, cl)
			before := 1
			if early {
				p.set(func(p *pipes) {
					p.answer = func(f frame) reaction { return reaction{hangUp: f.op == jute.OpGetData && f.conn == 1} }
				})
				st.until(client.Suspended)
			} else {
				time.Sleep(holdTimeout + time.Second) // between two confirmations
				before = len(p.seen(jute.OpMulti))
				p.cut()
				st.until(client.Suspended)
			}
			st.until(client.Connected)
			synctest.Wait()
			confirmed := len(p.seen(jute.OpMulti)) - before
			require.Contains(t, []int{1, 2}, confirmed, "the loss and the new connection may each ask for it")
			last := p.seen(jute.OpGetData)
			require.Equal(t, 2, last[len(last)-1].conn)
			time.Sleep(time.Minute)
			require.NoError(t, holds[0].Context().Err())
			p.event(jute.EventNodeDeleted, "/lock/0")
			ends(t, holds[0], client.ErrHoldDeleted)
		})
	}
}

func TestHoldReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		_, holds := holder(t, p, "10.0.0.1:1", 2)
		time.Sleep(time.Minute)
		for range 3 {
			holds[0].Release()
			ends(t, holds[0], client.ErrReleased)
		}
		time.Sleep(time.Minute)
		require.NoError(t, holds[1].Context().Err())
		holds[1].Release()
		ends(t, holds[1], client.ErrReleased)
	})
}

// A hold ends with its session and with its client.
func TestHoldOfSessionThatEnds(t *testing.T) {
	for _, want := range []error{client.ErrSessionLost, client.ErrClosed} {
		synctest.Test(t, func(t *testing.T) {
			p := newPipes(t)
			cl, holds := holder(t, p, "10.0.0.1:1", 3)
			s := session(t, cl)
			time.Sleep(time.Minute)
			if errors.Is(want, client.ErrClosed) {
				require.NoError(t, cl.Close())
			} else {
				p.set(func(p *pipes) { p.expired = func(int64) bool { return true } })
				p.cut()
			}
			for _, h := range holds {
				ends(t, h, want)
				h.Release()
				require.ErrorIs(t, context.Cause(h.Context()), want)
			}
			_, err := s.Hold("/lock/0")
			require.ErrorIs(t, err, want)
			require.ErrorIs(t, s.Confirm(t.Context(), "/lock/0"), want)
		})
	}
}

// Without confirmations a hold lives by what the connected server answers, its
// deletion is noticed all the same, and nothing is committed.
func TestHoldWithoutConfirmation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl, holds := holder(t, p, "10.0.0.1:1", 3, client.WithoutConfirmation())
		s := session(t, cl)
		missing := "/lock/2" // before the first look
		p.set(func(p *pipes) {
			p.answer = func(f frame) reaction {
				if f.op == jute.OpGetData && string(f.body[4:4+len(missing)]) == missing {
					return reaction{code: jute.NoNode}
				}
				return reaction{}
			}
		})
		time.Sleep(time.Minute)
		ends(t, holds[2], client.ErrHoldDeleted)
		require.Empty(t, p.seen(jute.OpMulti))
		require.NoError(t, holds[0].Context().Err())
		require.Equal(t, s.ValidUntil().Add(-holdTimeout/50), holds[0].ValidUntil())
		p.event(jute.EventNodeDeleted, "/lock/0")
		ends(t, holds[0], client.ErrHoldDeleted)
		p.mute(true)
		until := holds[1].ValidUntil()
		<-holds[1].Context().Done()
		require.Zero(t, time.Since(until))
		ends(t, holds[1], client.ErrUnconfirmed)
	})
}

// Events do not keep the client from leaving a server that commits nothing.
func TestHoldLeavesSuspectServerAmongEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl, holds := holder(t, p, "10.0.0.1:1,10.0.0.2:1", 20)
		st := follow(t, cl)
		st.next(client.Connected)
		time.Sleep(time.Minute + time.Second)
		addr := p.seen(jute.OpConnect)[0].addr
		p.set(func(p *pipes) {
			p.answer = func(f frame) reaction { return reaction{ignore: f.addr == addr && f.op == jute.OpMulti} }
		})
		start := time.Now()
		for i := range 20 {
			time.AfterFunc(time.Duration(i)*800*time.Millisecond, func() {
				p.event(jute.EventNodeDataChanged, fmt.Sprintf("/lock/%d", i))
			})
		}
		require.ErrorContains(t, st.next(client.Suspended).Err, "does not commit")
		require.LessOrEqual(t, time.Since(start), 2*holdTimeout/5)
		time.Sleep(time.Minute)
		for _, h := range holds {
			require.NoError(t, h.Context().Err())
		}
	})
}

// What confirms a session ends with its last hold, also with a confirmation under way
// that is not answered.
func TestHoldReleasedDuringConfirmation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		_, holds := holder(t, p, "10.0.0.1:1", 1)
		p.set(func(p *pipes) { p.answer = func(frame) reaction { return reaction{after: holdTimeout / 10} } })
		time.Sleep(holdTimeout/5 + time.Millisecond)
		require.Len(t, p.seen(jute.OpMulti), 1, "a confirmation is under way")
		require.Contains(t, stacks(), "(*keeper).run")
		holds[0].Release()
		synctest.Wait()
		require.NotContains(t, stacks(), "(*keeper).run")
	})
}

func stacks() string {
	buf := make([]byte, 1<<20)
	return string(buf[:runtime.Stack(buf, true)])
}
