package client

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/internal/wire"
)

type nothing struct{ ends int }

// OnOp implements HookOp.
func (n *nothing) OnOp(OpEnd) { n.ends++ }

// OnRetry implements HookRetry.
func (*nothing) OnRetry(Retry) {}

// The places where hooks are called allocate nothing, without hooks and with them.
func TestHooksCostNoMemory(t *testing.T) {
	count := func(c *Client) float64 {
		u := &run{o: Ops{c: c}, r: &request{op: jute.OpGetData, path: "/"}, s: &Session{}, sent: wire.NewCall(jute.OpGetData, nil)}
		ctx := t.Context()
		return testing.AllocsPerRun(100, func() {
			u.repeats(ctx, 1)
			_ = u.finish(ctx, nil)
			_ = u.finish(ctx, ErrNoNode)
			c.hooks.changed(StateChange{})
			c.EmitGrant(GrantEvent{})
		})
	}
	require.Zero(t, count(&Client{}))
	n := &nothing{}
	with := &Client{}
	require.True(t, with.hooks.add(n))
	require.Zero(t, count(with))
	require.Positive(t, n.ends)
}

// A client without hooks does not ask for the time of each operation.
func TestNoHookNoClock(t *testing.T) {
	c := &Client{}
	require.True(t, Ops{c: c}.newRun(&request{}).start.IsZero())
	require.True(t, c.hooks.add(&nothing{}))
	require.False(t, Ops{c: c}.newRun(&request{}).start.IsZero())
}

// An attempt to connect is reported once: the end of a connection that stood is no
// attempt.
func TestAnAttemptIsReportedOnce(t *testing.T) {
	set := defaults()
	d := newDialer([]server{{host: "127.0.0.1", port: "1"}}, &set)
	_, _, ok := d.concluded()
	require.False(t, ok)
	chosen, err := d.next(t.Context())
	require.NoError(t, err)
	at, began, ok := d.concluded()
	require.True(t, ok)
	require.Equal(t, chosen, at)
	require.False(t, began.IsZero())
	_, _, ok = d.concluded()
	require.False(t, ok)
}
