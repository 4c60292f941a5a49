package client_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

func TestStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, inMemory)
		cl := connect(t, srv)
		st := follow(t, cl)

		first := st.next(client.Connected)
		require.Equal(t, cl.State(), first, "the first is the current one")
		require.EqualValues(t, 1, first.Epoch)
		require.Equal(t, session(t, cl).ID(), first.SessionID)
		require.Equal(t, srv.Addr(), first.Server)
		require.NoError(t, first.Err)

		srv.DropConnections()
		suspended := st.next(client.Suspended)
		require.Equal(t, first.SessionID, suspended.SessionID)
		require.EqualValues(t, 1, suspended.Epoch)
		require.Error(t, suspended.Err)
		require.Equal(t, first, st.next(client.Connected))

		require.True(t, srv.ExpireSession(first.SessionID))
		st.next(client.Suspended)
		lost := st.next(client.Lost)
		require.ErrorIs(t, lost.Err, client.ErrSessionLost)
		require.Equal(t, first.SessionID, lost.SessionID)
		require.EqualValues(t, 1, lost.Epoch)
		connecting := st.next(client.Connecting)
		require.EqualValues(t, 2, connecting.Epoch)
		require.Zero(t, connecting.SessionID)
		second := st.next(client.Connected)
		require.EqualValues(t, 2, second.Epoch)
		require.NotEqual(t, first.SessionID, second.SessionID)

		require.NoError(t, cl.Close())
		closed := st.next(client.Closed)
		require.ErrorIs(t, closed.Err, client.ErrClosed)
		_, more := receive(t, st.c)
		require.False(t, more, "nothing follows")
		require.Equal(t, closed, cl.State())
		require.Equal(t, []client.StateChange{closed}, collect(cl.States(t.Context())), "who comes late is told the end")
	})
}

func collect(seq func(func(client.StateChange) bool)) []client.StateChange {
	var out []client.StateChange
	seq(func(c client.StateChange) bool {
		out = append(out, c)
		return true
	})
	return out
}

// A listener that does not listen delays nobody, and finds everything when it does.
func TestStatesSlowListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl := p.connect(t, "10.0.0.1:1")
		fast := follow(t, cl)
		fast.next(client.Connected)

		listening, release := make(chan struct{}), make(chan struct{})
		var seen []client.StateChange
		var wg sync.WaitGroup
		wg.Go(func() {
			for change := range cl.States(context.WithoutCancel(t.Context())) {
				if len(seen) == 0 {
					close(listening)
					<-release
				}
				seen = append(seen, change)
			}
		})
		wait(t, listening, "the slow listener has begun")
		const drops = 100
		for range drops {
			p.cut()
			fast.next(client.Suspended)
			fast.next(client.Connected)
			_, _, err := cl.Exists(t.Context(), "/")
			require.NoError(t, err)
		}
		require.NoError(t, cl.Close())
		close(release)
		wg.Wait()
		require.Len(t, seen, 2+2*drops)
		for i, change := range seen[:1+2*drops] {
			require.Equal(t, []client.State{client.Connected, client.Suspended}[i%2], change.State)
		}
		require.Equal(t, client.Closed, seen[1+2*drops].State)
	})
}

// Each range over the states is its own, may use the client, and may leave.
func TestStatesListeners(t *testing.T) {
	srv := zktest.Start(t)
	cl := connect(t, srv)
	for range 3 {
		for change := range cl.States(t.Context()) {
			require.Equal(t, client.Connected, change.State)
			_, _, err := cl.Exists(t.Context(), "/")
			require.NoError(t, err)
			break
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	for range cl.States(ctx) {
		n++
		cancel()
	}
	require.Equal(t, 1, n, "it ends with its context")
}

// Connected means: the credentials have been accepted. Nobody's request is sent
// before, neither over the first connection nor over any later one.
func TestConnectedOnlyAfterAuthentication(t *testing.T) {
	srv := zktest.Start(t)
	held := srv.HoldReply(zktest.On("", zktest.OpAuth))
	type result struct {
		cl  *client.Client
		err error
	}
	done := make(chan result, 1)
	go func() {
		cl, err := client.Connect(t.Context(), srv.Addr(), client.WithAuth("digest", "u:p"), client.WithAuth("digest", "v:q"))
		done <- result{cl, err}
	}()
	wait(t, held.Fired(), "the credential was presented")
	select {
	case <-done:
		require.Fail(t, "connected without an answer to the credential")
	default:
	}
	held.Release()
	r, _ := receive(t, done)
	require.NoError(t, r.err)
	cl := r.cl
	defer cl.Close()
	st := follow(t, cl)
	st.next(client.Connected)

	held = srv.HoldReply(zktest.On("", zktest.OpAuth))
	cut(t, srv, st)
	wait(t, held.Fired(), "the credential was presented again")
	got := make(chan error, 1)
	go func() {
		_, _, err := cl.Exists(t.Context(), "/")
		got <- err
	}()
	require.Equal(t, client.Suspended, cl.State().State)
	require.Zero(t, sent(srv, "/", zktest.OpExists))
	held.Release()
	st.next(client.Connected)
	err, _ := receive(t, got)
	require.NoError(t, err)

	var ops []zktest.Op
	for _, r := range srv.Requests(zktest.Match{Ops: []zktest.Op{zktest.OpAuth, zktest.OpExists}}) {
		ops = append(ops, r.Op)
	}
	require.Equal(t, []zktest.Op{zktest.OpAuth, zktest.OpAuth, zktest.OpAuth, zktest.OpAuth, zktest.OpExists}, ops)
}

// TestB1_RequestsDuringReauthentication: requests that wait while a reconnect presents the
// credential hung for ever in go-zookeeper.
func TestB1_RequestsDuringReauthentication(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, inMemory)
		cl := connect(t, srv, client.WithAuth("digest", "u:p"))
		st := follow(t, cl)
		_, err := cl.Create(t.Context(), "/mine", nil, client.WithACL(client.AuthACL(client.PermAll)))
		require.NoError(t, err)
		for range 2 {
			fault := srv.DropRequest(zktest.On("", zktest.OpAuth))
			srv.DropConnections()
			var wg sync.WaitGroup
			errs := make([]error, 64)
			for i := range errs {
				wg.Go(func() { _, _, errs[i] = cl.Get(t.Context(), "/mine") })
			}
			wg.Wait()
			require.NoError(t, errors.Join(errs...), "as who it is allowed to (B11: each connection is authenticated)")
			wait(t, fault.Fired(), "a connection was lost while it authenticated")
			st.until(client.Connected)
		}
	})
}

// A refused credential is final: no other server, no other session, no loop.
func TestAuthFailedIsTerminal(t *testing.T) {
	t.Run("at once", func(t *testing.T) {
		srv := zktest.Start(t)
		cl, err := client.Connect(t.Context(), srv.Addr(), client.WithAuth("nosuch", "s3cret"))
		require.ErrorIs(t, err, client.ErrAuthFailed)
		require.ErrorContains(t, err, `"nosuch"`)
		require.ErrorContains(t, err, srv.Addr())
		require.NotContains(t, err.Error(), "s3cret")
		require.Nil(t, cl)
		require.Equal(t, 1, srv.Accepted())
	})
	t.Run("later", func(t *testing.T) {
		srv := zktest.Start(t)
		cl := connect(t, srv, client.WithAuth("digest", "u:p"))
		st := follow(t, cl)
		s := session(t, cl)
		st.next(client.Connected)
		srv.FailNext(zktest.On("", zktest.OpAuth), zktest.AuthFailed)
		srv.DropConnections()
		st.next(client.Suspended)
		require.ErrorIs(t, st.next(client.Closed).Err, client.ErrAuthFailed)
		require.ErrorIs(t, context.Cause(s.Context()), client.ErrAuthFailed)
		for range 2 {
			_, _, err := cl.Get(t.Context(), "/")
			require.ErrorIs(t, err, client.ErrAuthFailed)
			require.Equal(t, client.NotSent, client.Outcome(err))
			_, err = s.Create(t.Context(), "/x", nil)
			require.ErrorIs(t, err, client.ErrAuthFailed)
		}
		_, err := cl.Session(t.Context())
		require.ErrorIs(t, err, client.ErrAuthFailed)
		require.NoError(t, cl.Close())
		require.NoError(t, cl.Close())
		require.Equal(t, 2, srv.Accepted())
		require.Empty(t, paths(srv))
	})
}

func TestStateString(t *testing.T) {
	for state, want := range map[client.State]string{
		client.Connecting: "connecting", client.Connected: "connected", client.Suspended: "suspended",
		client.Lost: "lost", client.Closed: "closed",
	} {
		require.Equal(t, want, state.String())
	}
	require.NotPanics(t, func() { _ = client.State(99).String() })
	require.NotPanics(t, func() { _ = client.State(-1).String() })
}
