package protocol

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/trial"
	"github.com/zookit/zookit/lock"
)

// diary is a hook that notes what it is told.
type diary struct {
	mu       sync.Mutex
	connects []client.ConnectEnd
	states   []client.StateChange
	ops      []client.OpEnd
	grants   []client.GrantEvent
}

// OnConnect implements client.HookConnect.
func (d *diary) OnConnect(e client.ConnectEnd) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.connects = append(d.connects, e)
}

// OnState implements client.HookState.
func (d *diary) OnState(e client.StateChange) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.states = append(d.states, e)
}

// OnOp implements client.HookOp.
func (d *diary) OnOp(e client.OpEnd) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ops = append(d.ops, e)
}

// OnGrant implements client.HookGrant.
func (d *diary) OnGrant(e client.GrantEvent) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.grants = append(d.grants, e)
}

// TestSeeingInside: a client that holds a lock loses its server. Hooks and Stats tell
// what happened: the connection, the server that is gone, the session that moved, the
// lock that stayed.
func TestSeeingInside(t *testing.T) {
	t.Parallel()
	ctx := trial.Within(t, time.Minute)
	e := ensemble.Start(t, 3)
	d := &diary{}
	cl := trial.Connect(t, e.Connect(), client.WithSessionTimeout(8*time.Second), client.WithHooks(d))
	held, err := lock.NewMutex(cl, "/inside/lock").Lock(ctx)
	require.NoError(t, err)
	first := cl.Stats()
	require.Equal(t, client.Connected, first.State)
	require.Equal(t, 1, first.Holds)

	for _, s := range e.Servers() {
		if s.Addr() == first.Server {
			require.NoError(t, s.Kill(ctx))
		}
	}
	for change := range cl.States(ctx) {
		if change.State == client.Connected && change.Server != first.Server {
			break
		}
	}
	require.NoError(t, ctx.Err())
	require.NoError(t, held.Err())
	require.Eventually(t, func() bool { return cl.Stats().Confirmations > first.Confirmations }, 30*time.Second, 10*time.Millisecond)
	_, _, err = cl.Exists(ctx, held.Path())
	require.NoError(t, err)
	require.NoError(t, held.Unlock(ctx))
	require.NoError(t, cl.Close())

	last := cl.Stats()
	require.Equal(t, []uint64{1, 0}, []uint64{last.SessionsOpened, last.SessionsLost})
	require.GreaterOrEqual(t, last.Connections, uint64(2))
	require.Equal(t, last.Connections, last.Disconnections)
	require.Equal(t, last.ConnectAttempts, uint64(len(d.connects)))
	require.GreaterOrEqual(t, last.Requests, last.Replies)
	require.Greater(t, last.Replies, first.Replies)
	require.Greater(t, last.BytesSent, first.BytesSent)
	require.Positive(t, last.RoundTrip)
	require.Less(t, last.RoundTrip, 8*time.Second)

	moved := d.connects[len(d.connects)-1]
	require.NoError(t, moved.Err)
	require.True(t, moved.Resumed)
	require.Equal(t, first.SessionID, moved.SessionID)
	require.NotEqual(t, first.Server, moved.Address)
	require.Equal(t, client.Closed, d.states[len(d.states)-1].State)
	require.Equal(t, []client.GrantKind{client.GrantHeld, client.GrantReleased}, []client.GrantKind{d.grants[0].Kind, d.grants[1].Kind})
	require.Equal(t, held.Token(), d.grants[0].Token)
	for _, op := range d.ops {
		if op.Op == "exists" && op.Path == held.Path() {
			require.Equal(t, moved.Address, op.Server)
			require.GreaterOrEqual(t, op.Zxid, held.Token())
			return
		}
	}
	require.Fail(t, "the read was not told")
}
