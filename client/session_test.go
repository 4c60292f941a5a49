package client_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/internal/jute"
)

// A session of which nothing is heard is over by the client's own clock: at
// ValidUntil, to the moment.
func TestSessionLostByOwnClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl := p.connect(t, "10.0.0.1:1,10.0.0.2:1", client.WithSessionTimeout(9*time.Second))
		st := follow(t, cl)
		st.next(client.Connected)
		s := session(t, cl)
		require.Equal(t, 9*time.Second, time.Until(s.ValidUntil()), "counted from the sending of the handshake")
		time.Sleep(time.Minute + time.Second) // between two pings
		require.Greater(t, time.Until(s.ValidUntil()), 5*time.Second, "pings move it on")
		require.LessOrEqual(t, time.Until(s.ValidUntil()), 9*time.Second)

		p.mute(true)
		until := s.ValidUntil()
		suspended := st.next(client.Suspended)
		require.Equal(t, s.ID(), suspended.SessionID)
		require.Error(t, suspended.Err)
		require.Greater(t, time.Until(until), 2*time.Second, "it is noticed early enough to try other servers")
		require.NoError(t, s.Context().Err(), "the session may live")

		lost := st.next(client.Lost)
		require.Equal(t, until, s.ValidUntil(), "nothing has moved it on")
		require.Zero(t, time.Since(until))
		require.ErrorIs(t, lost.Err, client.ErrSessionLost)
		require.ErrorContains(t, lost.Err, "no answer from any server for 9s")
		require.ErrorIs(t, context.Cause(s.Context()), client.ErrSessionLost)
		require.EqualValues(t, 1, lost.Epoch)
		require.Equal(t, s.ID(), lost.SessionID)
		require.EqualValues(t, 2, st.next(client.Connecting).Epoch)
	})
}

// A session declared lost is not taken up again, though the servers would.
func TestSessionLostIsNeverResumed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl := p.connect(t, "10.0.0.1:1,10.0.0.2:1")
		st := follow(t, cl)
		first := session(t, cl)
		p.mute(true)
		st.until(client.Lost)
		lostAt := time.Now()
		p.mute(false)
		connected := st.until(client.Connected)
		require.EqualValues(t, 2, connected.Epoch)
		second := session(t, cl)
		require.NotEqual(t, first.ID(), second.ID())
		for range 10 {
			p.cut()
			st.until(client.Suspended)
			st.until(client.Connected)
		}
		for _, hello := range p.seen(jute.OpConnect) {
			if !hello.at.Before(lostAt) {
				require.NotEqual(t, first.ID(), hello.session)
			}
		}
		_, _, err := first.Get(t.Context(), "/a")
		require.ErrorIs(t, err, client.ErrSessionLost)
	})
}

// An answer moves ValidUntil to the time when the request was sent, not to when the
// answer came.
func TestSessionValidUntilCountsFromSending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl := p.connect(t, "10.0.0.1:1", client.WithSessionTimeout(20*time.Second))
		s := session(t, cl)
		time.Sleep(time.Second)
		p.set(func(p *pipes) {
			p.answer = func(frame) reaction { return reaction{after: 2 * time.Second} }
		})
		sent := time.Now()
		_, _, err := s.Get(t.Context(), "/a")
		require.NoError(t, err)
		require.Equal(t, 2*time.Second, time.Since(sent))
		require.Equal(t, sent.Add(20*time.Second), s.ValidUntil())
	})
}

// The connection is gone, but an answer came over another one within the session's
// timeout: it is the same session.
func TestSessionSurvivesItsConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl := p.connect(t, "10.0.0.1:1,10.0.0.2:1,10.0.0.3:1")
		st := follow(t, cl)
		s := session(t, cl)
		st.next(client.Connected)
		for range 20 {
			p.cut()
			require.Equal(t, s.ID(), st.next(client.Suspended).SessionID)
			require.Equal(t, s.ID(), st.next(client.Connected).SessionID)
		}
		require.NoError(t, s.Context().Err())
		require.Same(t, s, session(t, cl))
		require.EqualValues(t, 1, s.Epoch())
	})
}

// TestB8_ServersWithoutTheirData: servers that were started again without data
// refuse a client that has seen more than they have. It tries them, and with a new
// session, which asks for nothing, all is well.
func TestB8_ServersWithoutTheirData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl := p.connect(t, "10.0.0.1:1,10.0.0.2:1,10.0.0.3:1", client.WithSessionTimeout(6*time.Second))
		st := follow(t, cl)
		_, err := cl.Set(t.Context(), "/a", nil, client.AnyVersion)
		require.NoError(t, err)
		p.set(func(p *pipes) {
			p.greet = func(hello *jute.ConnectRequest) bool { return hello.LastZxidSeen == 0 }
		})
		p.cut()
		start := time.Now()
		st.until(client.Suspended)
		require.Equal(t, client.Lost, st.next(client.Lost).State)
		st.until(client.Connected)
		require.LessOrEqual(t, time.Since(start), 7*time.Second)
		_, err = cl.Set(t.Context(), "/a", nil, client.AnyVersion)
		require.NoError(t, err)
		require.Less(t, len(p.seen(jute.OpConnect)), 60, "no hot loop: three servers a round, a pause between rounds")
	})
}

// TestB6_ServersThatDropSessions is TestB6_DialsOfServersThatDropSessions for the
// whole client.
func TestB6_ServersThatDropSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl := p.connect(t, "10.0.0.1:1,10.0.0.2:1,10.0.0.3:1")
		session(t, cl)
		p.set(func(p *pipes) {
			p.dial = func(context.Context, string) error {
				time.AfterFunc(time.Millisecond, p.cut) // the handshake takes no time
				return nil
			}
		})
		p.cut()
		before := len(p.seen(jute.OpConnect))
		time.Sleep(time.Minute)
		attempts := len(p.seen(jute.OpConnect)) - before
		require.Less(t, attempts, 120)
		require.Greater(t, attempts, 20)
		p.set(func(p *pipes) { p.dial = nil })
		_, _, err := cl.Get(t.Context(), "/a")
		require.NoError(t, err, "and it comes back")
	})
}

// TestB8_WipedServer is the same on a server with a tree.
func TestB8_WipedServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := newTree(t, inMemory)
		cl := primed(t, srv, client.WithSessionTimeout(time.Second))
		st := follow(t, cl)
		first := session(t, cl)
		connections := srv.Accepted()
		srv.Wipe()
		st.until(client.Lost)
		st.until(client.Connected)
		require.Less(t, srv.Accepted()-connections, 40)
		require.ErrorIs(t, context.Cause(first.Context()), client.ErrSessionLost)
		require.EqualValues(t, 2, session(t, cl).Epoch())
		_, err := cl.Create(t.Context(), "/again", nil)
		require.NoError(t, err)
		require.Equal(t, []string{"/again"}, paths(srv))
	})
}

// A session expired by the servers is replaced by the next epoch, and its socket
// is closed (B9).
func TestSessionExpired(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := newTree(t, inMemory)
		cl := primed(t, srv)
		st := follow(t, cl)
		for epoch := range uint64(2) {
			s := session(t, cl)
			require.Equal(t, epoch+1, s.Epoch())
			require.Same(t, cl, s.Client())
			_, err := s.Create(t.Context(), "/mine", nil, client.WithMode(client.Ephemeral))
			require.NoError(t, err)
			require.True(t, srv.ExpireSession(s.ID()))
			lost := st.until(client.Lost)
			require.Equal(t, epoch+1, lost.Epoch)
			require.ErrorContains(t, lost.Err, "expired")
			wait(t, s.Context().Done(), "the session's context ends")
			require.ErrorIs(t, context.Cause(s.Context()), client.ErrSessionLost)
			st.until(client.Connected)
			require.False(t, exists("/mine")(srv))
			require.Len(t, srv.Sessions(), 1)
		}
		require.Eventually(t, func() bool { return srv.Connections() == 1 }, patience, time.Millisecond)
	})
}
