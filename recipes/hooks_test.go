package recipes_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

// grantEvents is a hook that passes on what it is told of grants.
type grantEvents chan client.GrantEvent

// OnGrant implements client.HookGrant.
func (g grantEvents) OnGrant(e client.GrantEvent) { g <- e }

// next returns the next event, which has to be of that kind.
func (g grantEvents) next(t *testing.T, kind client.GrantKind) client.GrantEvent {
	t.Helper()
	e := wait(t, "an event "+kind.String(), g)
	require.Equal(t, kind.String(), e.Kind.String(), "%+v", e)
	require.Equal(t, dir, e.Path)
	require.False(t, e.At.IsZero())
	return e
}

type ctxKey struct{}

// Each call that asks is told with what it got, and each grant with its end: once.
func TestGrantsAreTold(t *testing.T) {
	srv := zktest.Start(t)
	events := make(grantEvents, 100)
	cl := connect(t, srv, client.WithHooks(events))
	l := newLine(t, cl, recipes.LineConfig{})
	ctx := context.WithValue(t.Context(), ctxKey{}, "caller's")

	// Held, then released.
	g, err := l.Acquire(ctx)
	require.NoError(t, err)
	e := events.next(t, client.GrantHeld)
	require.Equal(t, []any{g.Path(), g.Token(), g.Session().ID(), "caller's"}, []any{e.Node, e.Token, e.SessionID, e.Ctx.Value(ctxKey{})})
	require.Positive(t, e.Waited)
	require.NoError(t, e.Err)
	// Meanwhile others miss.
	_, err = l.TryAcquire(t.Context())
	require.ErrorIs(t, err, recipes.ErrBusy)
	e = events.next(t, client.GrantMissed)
	require.Same(t, err, e.Err)
	require.Empty(t, e.Node)
	tired, tire := context.WithCancel(ctx)
	waiter := waiting(tired, t, srv, l)
	tire()
	got := wait(t, "the end of the wait", waiter)
	require.ErrorIs(t, got.err, context.Canceled)
	e = events.next(t, client.GrantMissed)
	require.Same(t, got.err, e.Err)
	require.Positive(t, e.Waited)
	require.Equal(t, "caller's", e.Ctx.Value(ctxKey{}))
	release(t, g)
	release(t, g)
	e = events.next(t, client.GrantReleased)
	require.Equal(t, []any{g.Path(), g.Token()}, []any{e.Node, e.Token})
	require.Positive(t, e.HeldFor)
	require.NoError(t, e.Err)

	// Lost with its session; the release that follows is no second end.
	g = acquire(t, l)
	events.next(t, client.GrantHeld)
	require.True(t, srv.ExpireSession(g.Session().ID()))
	e = events.next(t, client.GrantLost)
	require.ErrorIs(t, e.Err, recipes.ErrGrantLost)
	require.ErrorIs(t, e.Err, client.ErrSessionLost)
	require.Equal(t, g.Path(), e.Node)
	release(t, g)

	// Lost by Close.
	acquire(t, l)
	events.next(t, client.GrantHeld)
	require.NoError(t, cl.Close())
	e = events.next(t, client.GrantLost)
	require.ErrorIs(t, e.Err, client.ErrClosed)
	require.Empty(t, events)
}
