package client_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

// Detach ends everything of the client and leaves the session as it is; who takes it
// up need not wait, and ends it in good order.
func TestDetach(t *testing.T) {
	t.Parallel()
	for _, opts := range [][]client.Option{nil, {client.WithoutConfirmation()}} {
		synctest.Test(t, func(t *testing.T) { detaches(t, opts...) })
	}
}

func detaches(t *testing.T, opts ...client.Option) {
	srv := newTree(t, inMemory)
	a := primed(t, srv, opts...)
	s := session(t, a)
	_, err := s.Create(t.Context(), "/mine", nil, client.WithMode(client.Ephemeral))
	require.NoError(t, err)
	hold, err := s.Hold("/mine")
	require.NoError(t, err)
	told := false
	returned := make(chan struct{})
	hold.AfterEnd(func(cause error) {
		select {
		case <-returned:
		case <-time.After(time.Second): // of the bubble's, while Detach waits
			told = errors.Is(cause, client.ErrDetached)
		}
	})

	h, err := a.Detach(t.Context())
	close(returned)
	require.NoError(t, err)
	require.True(t, told, "who follows a hold has been told")
	require.True(t, h.Detached())
	require.ErrorIs(t, context.Cause(s.Context()), client.ErrDetached)
	require.ErrorIs(t, context.Cause(hold.Context()), client.ErrDetached)
	require.Equal(t, client.Closed, a.State().State)
	require.ErrorIs(t, a.State().Err, client.ErrDetached)
	_, _, err = a.Get(t.Context(), "/n")
	require.ErrorIs(t, err, client.ErrDetached)
	require.ErrorIs(t, err, client.ErrClosed)
	require.NoError(t, a.Close(), "there is nothing to do")
	_, err = a.Detach(t.Context())
	require.ErrorIs(t, err, client.ErrClosed)
	require.Empty(t, srv.Requests(zktest.Match{Ops: []zktest.Op{zktest.OpCloseSession}}))
	require.Len(t, srv.Sessions(), 1)

	b := connect(t, srv, client.WithSession(h))
	require.Equal(t, h.ID(), session(t, b).ID())
	require.NoError(t, session(t, b).Exclusive(t.Context()))
	require.NoError(t, session(t, b).Confirm(t.Context(), "/mine"))
	_, err = session(t, b).Hold("/mine")
	require.NoError(t, err)
	require.NoError(t, b.Close())
	require.Empty(t, srv.Sessions())
}

// Detach waits for the clean-up that the client owes, and for work that is announced; what
// it waits for in vain does not harm the client, and it can be called again.
func TestDetachWaits(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]func(*client.Session) (end func()){
		"for clean-up": func(s *client.Session) func() {
			finish := make(chan struct{})
			s.Cleanup("test", func(context.Context) error { <-finish; return nil })
			return func() { close(finish) }
		},
		"for work": func(s *client.Session) func() {
			end, err := s.Begin()
			if err != nil {
				panic(err)
			}
			return end
		},
		"for clean-up after work": func(s *client.Session) func() {
			end, err := s.Begin()
			if err != nil {
				panic(err)
			}
			return func() {
				s.Cleanup("test", func(ctx context.Context) error { return s.Delete(ctx, "/mine", client.AnyVersion) })
				end()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := newTree(t)
			cl, _ := leaver(t, srv)
			s := session(t, cl)
			end := begin(s)
			ctx, cancel := context.WithCancelCause(t.Context())
			go func() {
				<-s.Detaching()
				cancel(errTest)
			}()
			_, err := cl.Detach(ctx)
			require.ErrorIs(t, err, errTest)
			_, err = s.Begin()
			require.ErrorIs(t, err, client.ErrDetached, "nothing new is begun")
			require.NoError(t, s.Confirm(t.Context(), "/mine"), "the client goes on")
			end()
			h, err := cl.Detach(t.Context())
			require.NoError(t, err)
			require.True(t, h.Detached())
			require.Equal(t, name != "for clean-up after work", exists("/mine")(srv))
		})
	}
}

// Clean-up that is begun while Detach confirms the session is waited for as well.
func TestDetachWaitsAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, detachWaitsAgain)
}

func detachWaitsAgain(t *testing.T) {
	srv := newTree(t, inMemory)
	cl, _ := leaver(t, srv)
	s := session(t, cl)
	h := srv.HoldReply(zktest.On("/", zktest.OpMulti)) // which no other confirmation asks for
	returned := make(chan struct{})
	go func() {
		<-h.Fired()
		s.Cleanup("test", func(ctx context.Context) error {
			select {
			case <-returned:
			case <-time.After(time.Second): // of the bubble's, while Detach waits
			}
			return s.Delete(ctx, "/mine", client.AnyVersion)
		})
		h.Release()
	}()
	_, err := cl.Detach(t.Context())
	close(returned)
	require.NoError(t, err)
	require.False(t, exists("/mine")(srv))
}

var errTest = errors.New("ended by the test")

// Detach ends with its context wherever it waits. The client goes on then, or has left.
func TestDetachCancelled(t *testing.T) {
	t.Parallel()
	for n := 1; ; n++ {
		srv := newTree(t)
		cl := primed(t, srv)
		s := session(t, cl)
		ctx, cancel := context.WithCancel(t.Context())
		seen := 0
		stuck := make(chan struct{})
		srv.OnRequest(func(r zktest.Request) {
			if r.Op != zktest.OpPing && r.Session == s.ID() {
				if seen++; seen == n {
					cancel()
					<-stuck
				}
			}
		})
		_, err := cl.Detach(ctx)
		close(stuck)
		reached := ctx.Err() != nil
		cancel()
		srv.OnRequest(nil)
		if err == nil {
			if !reached { // otherwise that was a confirmation, and Detach was done
				require.Greater(t, n, 4)
				return
			}
			continue
		}
		require.ErrorIs(t, err, context.Canceled)
		require.NoError(t, s.Context().Err())
		require.NoError(t, cl.Close())
		require.Empty(t, srv.Sessions())
	}
}

// A session that is lost, or a client that is closed, cannot be left to anybody.
func TestDetachOfWhatIsOver(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	s := session(t, cl)
	end, err := s.Begin()
	require.NoError(t, err)
	go func() {
		<-s.Detaching()
		srv.ExpireSession(s.ID())
	}()
	_, err = cl.Detach(t.Context())
	require.ErrorIs(t, err, client.ErrSessionLost)
	end()
	next := session(t, cl)
	end, err = next.Begin()
	require.NoError(t, err, "the next session is as good as any")
	end()
	require.NoError(t, cl.Close())
	_, err = cl.Detach(t.Context())
	require.ErrorIs(t, err, client.ErrClosed)
}

// Who has taken a session up whose former holder may be alive, and leaves it at once, says
// so: the next one has to wait in its place. The same holds for closing: nothing is ended.
func TestDetachBeforeFormerHolderIsOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := newTree(t, inMemory, zktest.WithTick(100*time.Millisecond))
		_, h := dead(t, srv, client.WithSessionTimeout(4*time.Second))
		start := time.Now()
		b := connect(t, srv, client.WithSession(h))
		h, err := b.Detach(t.Context())
		require.NoError(t, err)
		require.False(t, h.Detached())
		c := connect(t, srv, client.WithSession(h))
		require.Equal(t, h.ID(), session(t, c).ID())
		h, err = session(t, c).Handle(t.Context())
		require.NoError(t, err)
		require.ErrorContains(t, c.Close(), "could not be ended")
		d := connect(t, srv, client.WithSession(h))
		s := session(t, d)
		require.NoError(t, s.Exclusive(t.Context()))
		require.GreaterOrEqual(t, time.Since(start), s.Timeout())
		require.True(t, exists("/mine")(srv))
		h, err = d.Detach(t.Context())
		require.NoError(t, err)
		require.True(t, h.Detached())
	})
}

// Exclusive ends with its context and with the session.
func TestExclusiveEnds(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	_, h := leaver(t, srv)
	b := connect(t, srv, client.WithSession(h))
	s := session(t, b)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errTest)
	require.ErrorIs(t, s.Exclusive(ctx), errTest)
	done := make(chan error, 1)
	go func() { done <- s.Exclusive(t.Context()) }()
	srv.ExpireSession(s.ID())
	err, _ := receive(t, done)
	require.ErrorIs(t, err, client.ErrSessionLost)
}
