package client_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

// The context of each operation ends at each point at which it can: when its first
// request arrives, its second, and so on, reconnects and look-ups after a loss
// included; once with servers that go on, once with servers that are silent until
// the operation has returned. It returns, what it says is true, and nothing is left:
// no node that nobody knows of, no watch, no goroutine.
func TestCancelAtEachPoint(t *testing.T) {
	for _, op := range operations() {
		for _, l := range []*loss{nil, {}, {executed: true}} {
			for _, silent := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%v/silent %v", op.name, l, silent), func(t *testing.T) {
					t.Parallel()
					points := cancelAtEach(t, &op, l, silent)
					require.GreaterOrEqual(t, points, 1)
					if l != nil && op.fate != unknown && !(op.fate == resolved && l.executed) {
						require.GreaterOrEqual(t, points, 3, "the request, the handshake, the request again")
					}
				})
			}
		}
	}
}

// cancelAtEach counts the points at which the operation was cancelled.
func cancelAtEach(t *testing.T, op *operation, l *loss, silent bool) (points int) {
	for reached := true; reached; {
		synctest.Test(t, func(t *testing.T) { reached = cancelAt(t, op, l, points+1, silent) })
		if reached {
			points++
		}
	}
	return points
}

// cancelAt reports whether the operation came to its nth point.
func cancelAt(t *testing.T, op *operation, l *loss, n int, silent bool) bool {
	srv := newTree(t, inMemory)
	cl := primed(t, srv)
	observer := connect(t, srv)
	mine := cl.State().SessionID
	if l != nil {
		l.inflict(srv, op.on)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	returned := make(chan struct{})
	var seen atomic.Int64
	srv.OnRequest(func(r zktest.Request) {
		if r.Op != zktest.OpPing && r.Session == mine && seen.Add(1) == int64(n) {
			cancel()
			if silent {
				<-returned
			}
		}
	})
	done := make(chan error, 1)
	s := session(t, cl)
	go func() {
		if op.onSession != nil {
			done <- op.onSession(ctx, s)
		} else {
			done <- op.do(ctx, cl.Ops)
		}
	}()
	err, _ := receive(t, done)
	reached := ctx.Err() != nil
	close(returned)
	srv.OnRequest(nil)

	if err != nil && ctx.Err() == nil {
		require.NotNil(t, l)
		require.Equal(t, client.Unknown, client.Outcome(err))
	} else if err != nil {
		require.NotEqual(t, client.Definite, client.Outcome(err), "%v", err)
		if client.Outcome(err) == client.NotSent && op.done != nil {
			require.NoError(t, cl.Sync(t.Context(), "/"))
			require.False(t, op.done(srv), "%v", err)
		}
	}
	if op.fate == found && err != nil {
		children(t, observer, "/n", none)
	}
	// The answer to a read that was given up comes before that to the first sync, and
	// the removal of its watch before that to the second.
	for range 2 {
		require.NoError(t, cl.Sync(t.Context(), "/"))
		require.NoError(t, observer.Sync(t.Context(), "/"))
	}
	require.Zero(t, srv.Watches())
	require.NoError(t, cl.Close())
	require.NoError(t, observer.Close())
	return reached
}

// The same for the operations that only a session has.
func TestCancelAtEachPointOfSession(t *testing.T) {
	for _, op := range onlyOnSession() {
		for _, l := range []*loss{nil, {}, {executed: true}} {
			for _, silent := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%v/silent %v", op.name, l, silent), func(t *testing.T) {
					t.Parallel()
					points := cancelAtEach(t, &op, l, silent)
					require.GreaterOrEqual(t, points, 1)
				})
			}
		}
	}
}
