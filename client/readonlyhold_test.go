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

// Servers refuse a session of the quorum while they are read-only (3.8 does): with
// its holds it goes on looking, and is still there when the quorum is back in time.
func TestReadOnlyServerRefusesSessionWithHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl, holds := holder(t, p, cutOff+","+whole, 1, client.WithReadOnly())
		st := follow(t, cl)
		first := st.next(client.Connected)
		partition(p)
		st.next(client.Suspended)
		time.Sleep(holdTimeout / 2)
		heal(p)
		back := st.next(client.Connected)
		require.Equal(t, first.SessionID, back.SessionID)
		require.Equal(t, whole, back.Server)
		time.Sleep(time.Minute)
		require.NoError(t, holds[0].Context().Err())
		require.Empty(t, p.isro())
	})
}

// If it is not, the session ends by the client's clock, and the next one reads.
func TestReadOnlyAfterTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl, holds := holder(t, p, cutOff+","+whole, 1, client.WithReadOnly())
		st := follow(t, cl)
		st.next(client.Connected)
		until := session(t, cl).ValidUntil()
		partition(p)
		st.next(client.Suspended)
		ends(t, holds[0], client.ErrUnconfirmed)
		require.True(t, time.Now().Before(until))
		st.next(client.Lost)
		require.Equal(t, until, time.Now())
		st.next(client.Connecting)
		require.EqualValues(t, 2, st.next(client.ReadOnly).Epoch)
		_, _, err := cl.Get(t.Context(), "/n")
		require.NoError(t, err)
	})
}

// Where one takes it all the same it stays the same session and is kept by what they answer,
// but nothing that it holds outlives what a quorum has confirmed; nothing is sent to
// confirm it, and the connection is not dropped for that.
func TestReadOnlyServerAdoptsSessionWithHolds(t *testing.T) {
	for name, opts := range map[string][]client.Option{
		"confirmed": nil,
		"not":       {client.WithoutConfirmation()},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPipes(t)
				p.adopting = true
				cl, holds := holder(t, p, cutOff+","+whole, 1, append(opts, client.WithReadOnly())...)
				st := follow(t, cl)
				first := st.next(client.Connected)
				s := session(t, cl)
				until := holds[0].ValidUntil()
				partition(p)
				st.next(client.Suspended)
				served := st.next(client.ReadOnly)
				require.Equal(t, first.SessionID, served.SessionID)
				ends(t, holds[0], client.ErrUnconfirmed)
				require.Equal(t, until, time.Now())
				_, err := s.Hold("/lock/1")
				require.ErrorIs(t, err, client.ErrUnconfirmed)
				time.Sleep(10 * holdTimeout)
				require.Equal(t, client.ReadOnly, cl.State().State, "and no other state between")
				require.Equal(t, until, s.ConfirmedUntil())
				require.True(t, s.ValidUntil().After(time.Now()))
				require.Empty(t, p.seen(jute.OpMulti))

				confirmed := make(chan error, 1)
				go func() { confirmed <- s.Confirm(t.Context(), "/lock/1") }()
				synctest.Wait()
				heal(p)
				require.ErrorContains(t, st.next(client.Suspended).Err, "left for a server that is not read-only")
				back := st.next(client.Connected)
				require.Equal(t, whole, back.Server)
				require.Equal(t, first.SessionID, back.SessionID)
				require.NoError(t, <-confirmed, "it waited")
				h, err := s.Hold("/lock/1")
				require.NoError(t, err)
				time.Sleep(time.Minute)
				require.NoError(t, h.Context().Err())
			})
		})
	}
}

// A hold that is still confirmed when a read-write server is found goes on.
func TestHoldOutlivesShortReadOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		p.adopting = true
		cl, holds := holder(t, p, cutOff+","+whole, 3, client.WithReadOnly())
		st := follow(t, cl)
		st.next(client.Connected)
		partition(p)
		st.until(client.ReadOnly)
		time.Sleep(holdTimeout / 3)
		heal(p)
		st.until(client.Connected)
		synctest.Wait()
		require.Len(t, p.seen(jute.OpMulti), 1, "confirmed at once")
		time.Sleep(time.Minute)
		for _, h := range holds {
			require.NoError(t, h.Context().Err())
		}
	})
}

// A write that reaches a server which has just become read-only is refused by it,
// and what a quorum would have to tell is not taken from such a server.
func TestReadOnlyIsMetUnawares(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl := p.connect(t, whole)
		p.set(func(p *pipes) {
			p.answer = func(f frame) reaction {
				switch f.op {
				case jute.OpSetData, jute.OpMulti:
					return reaction{code: jute.NotReadOnly}
				case jute.OpCreate2, jute.OpDelete:
					return reaction{hangUp: true}
				}
				return reaction{}
			}
		})
		_, err := cl.Set(t.Context(), "/n", nil, 0)
		require.ErrorIs(t, err, client.ErrReadOnly)
		require.Equal(t, client.Definite, client.Outcome(err))
		err = cl.Delete(t.Context(), "/n", 0)
		require.ErrorIs(t, err, client.ErrReadOnly)
		require.Equal(t, client.Unknown, client.Outcome(err), "the look-up failed")
		err = session(t, cl).Confirm(t.Context(), "/n")
		require.ErrorIs(t, err, client.ErrReadOnly)
	})
}

// What became of a write whose answer was lost is found out when there is a quorum.
func TestLookUpWaitsForQuorum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		p.adopting = true
		cl := p.connect(t, cutOff+","+whole, client.WithReadOnly())
		st := follow(t, cl)
		st.next(client.Connected)
		p.set(func(p *pipes) {
			p.answer = func(f frame) reaction { return reaction{hangUp: f.op == jute.OpDelete} }
			p.dial = func(context.Context, string) error { return context.DeadlineExceeded }
		})
		deleted := make(chan error, 1)
		go func() { deleted <- cl.Delete(t.Context(), "/n", 0) }()
		st.next(client.Suspended)
		partition(p)
		st.next(client.ReadOnly)
		synctest.Wait()
		require.Empty(t, deleted)
		heal(p)
		st.until(client.Connected)
		require.NoError(t, <-deleted)
		require.Len(t, p.seen(jute.OpDelete), 2, "it had not been executed")
	})
}
