package client_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

// witness is a hook that notes what it is told of the client as a whole.
type witness struct {
	mu     sync.Mutex
	events []string
	all    []any
	closed chan struct{}
}

func newWitness() *witness { return &witness{closed: make(chan struct{})} }

func (w *witness) note(e any, format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, fmt.Sprintf(format, args...))
	w.all = append(w.all, e)
}

func (w *witness) told() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.events
}

// OnOpen implements client.HookOpen.
func (w *witness) OnOpen(c *client.Client) { w.note(c, "open %v", c.State().State) }

// OnConnect implements client.HookConnect.
func (w *witness) OnConnect(e client.ConnectEnd) {
	w.note(e, "connect %d resumed %t failed %t", e.Epoch, e.Resumed, e.Err != nil)
}

// OnDisconnect implements client.HookDisconnect.
func (w *witness) OnDisconnect(e client.Disconnect) { w.note(e, "disconnect %d", e.Epoch) }

// OnState implements client.HookState.
func (w *witness) OnState(e client.StateChange) { w.note(e, "%v %d", e.State, e.Epoch) }

// OnClose implements client.HookClose.
func (w *witness) OnClose(c *client.Client) {
	w.note(c, "close %v", c.State().State)
	close(w.closed)
}

// What happens to a client is told in the order in which it happened, and Close
// returns when all has been told.
func TestHooksAreToldInOrder(t *testing.T) {
	srv := zktest.Start(t)
	w := newWitness()
	cl := connect(t, srv, client.WithHooks(w))
	require.Contains(t, w.told(), "open connecting", "before Connect returns")
	st := follow(t, cl)
	first := st.until(client.Connected).SessionID
	cut(t, srv, st)
	st.until(client.Connected)
	require.True(t, srv.ExpireSession(first))
	second := st.until(client.Lost)
	third := st.until(client.Connected)
	require.Equal(t, first, second.SessionID)
	require.NoError(t, cl.Close())

	events := w.told()
	require.Equal(t, []string{
		"open connecting",
		"connect 1 resumed false failed false", "connected 1",
		"disconnect 1", "suspended 1",
		"connect 1 resumed true failed false", "connected 1",
		"disconnect 1", "suspended 1",
		"connect 1 resumed false failed true", "lost 1", "connecting 2",
		"connect 2 resumed false failed false", "connected 2",
	}, events[:14])
	require.ElementsMatch(t, []string{"disconnect 2", "closed 2"}, events[14:16])
	require.Equal(t, []string{"close closed"}, events[16:])

	for _, e := range w.all {
		switch e := e.(type) {
		case client.ConnectEnd:
			require.Equal(t, srv.Addr(), e.Server)
			require.Equal(t, srv.Addr(), e.Address)
			require.Positive(t, e.Duration)
			require.False(t, e.Start.IsZero())
			if e.Err != nil {
				require.ErrorContains(t, e.Err, "expired")
				require.Zero(t, e.SessionID)
			} else {
				require.Contains(t, []int64{first, third.SessionID}, e.SessionID)
			}
		case client.Disconnect:
			require.Error(t, e.Err)
			require.Equal(t, srv.Addr(), e.Server)
			require.Equal(t, srv.Addr(), e.Address)
			require.Positive(t, e.Lasted)
		}
	}
}

// A client that never connects is told of as well: each attempt, and its end.
func TestHooksOfAFailingConnect(t *testing.T) {
	w := newWitness()
	refuse := func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no way") }
	_, err := client.Connect(t.Context(), "127.0.0.1:1", client.WithHooks(w), client.WithDialer(refuse), client.WithConnectTimeout(200*time.Millisecond))
	require.ErrorIs(t, err, client.ErrNotConnected)
	events := w.told()
	require.Equal(t, []string{"open connecting", "connect 1 resumed false failed true"}, events[:2])
	require.Equal(t, "close closed", events[len(events)-1])
	failed := w.all[1].(client.ConnectEnd)
	require.ErrorContains(t, failed.Err, "no way")
	require.Equal(t, "127.0.0.1:1", failed.Server)
}

// slow is a hook that takes its time.
type slow struct {
	entered, free chan struct{}
	once          sync.Once
	last          client.State // without a lock: Close has to order it
}

// OnState implements client.HookState.
func (s *slow) OnState(change client.StateChange) {
	s.once.Do(func() { close(s.entered) })
	<-s.free
	s.last = change.State
}

// A hook that hangs holds up neither operations nor reconnects; Close waits for it.
func TestASlowHookDelaysNothing(t *testing.T) {
	srv := zktest.Start(t)
	h := &slow{entered: make(chan struct{}), free: make(chan struct{})}
	cl := connect(t, srv, client.WithHooks(h))
	wait(t, h.entered, "the hook is called")
	st := follow(t, cl)
	cut(t, srv, st)
	st.until(client.Connected)
	_, err := cl.Create(t.Context(), "/a", nil)
	require.NoError(t, err)
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		_ = cl.Close()
	}()
	st.until(client.Closed)
	select {
	case <-closed:
		require.Fail(t, "Close did not wait for the hook")
	default:
	}
	close(h.free)
	wait(t, closed, "Close returns")
	require.Equal(t, client.Closed, h.last)
}

// opHook is a hook that notes operations. It has no lock, since it is called on the
// goroutine of the one caller.
type opHook struct {
	ends    []client.OpEnd
	retries []client.Retry
}

// OnOp implements client.HookOp.
func (o *opHook) OnOp(e client.OpEnd) { o.ends = append(o.ends, e) }

// OnRetry implements client.HookRetry.
func (o *opHook) OnRetry(e client.Retry) { o.retries = append(o.retries, e) }

// last returns the one operation that has ended since the last call.
func (o *opHook) last(t *testing.T) client.OpEnd {
	t.Helper()
	require.Len(t, o.ends, 1)
	e := o.ends[0]
	o.ends = nil
	return e
}

type ctxKey struct{}

// Each operation's end is told on the caller's goroutine before the call returns, with what
// the caller gets.
func TestHookOp(t *testing.T) {
	srv := zktest.Start(t)
	o := &opHook{}
	cl := connect(t, srv, client.WithHooks(o), client.WithMaxRequest(2000))
	s := session(t, cl)
	require.Empty(t, o.ends)
	ctx := context.WithValue(t.Context(), ctxKey{}, "caller's")

	_, err := cl.Create(ctx, "/a", []byte("12345"))
	require.NoError(t, err)
	e := o.last(t)
	require.Equal(t, "caller's", e.Ctx.Value(ctxKey{}))
	require.Equal(t, []any{"create2", "/a", 1, client.Definite, nil, s.ID(), srv.Addr(), srv.Zxid()},
		[]any{e.Op, e.Path, e.Attempts, e.Outcome, e.Err, e.SessionID, e.Server, e.Zxid})
	require.Positive(t, e.Duration)
	require.False(t, e.Start.IsZero())

	_, _, err = s.Get(ctx, "/a")
	require.NoError(t, err)
	e = o.last(t)
	require.Equal(t, "getData", e.Op)
	require.Equal(t, 8+4+2+1, e.RequestBytes, "header, path, watch")
	require.Equal(t, 16+4+5+68, e.ReplyBytes, "header, data, stat")

	_, _, err = cl.Get(ctx, "/none")
	e = o.last(t)
	require.Same(t, err, e.Err)
	require.Equal(t, client.Definite, e.Outcome)

	_, err = cl.Set(ctx, "/a", large(3000), client.AnyVersion)
	e = o.last(t)
	require.Same(t, err, e.Err)
	require.Equal(t, []any{client.NotSent, 0, int64(0), "", 0}, []any{e.Outcome, e.Attempts, e.SessionID, e.Server, e.ReplyBytes})

	srv.SwallowReply(zktest.On("/a", zktest.OpSetData))
	_, err = cl.Set(ctx, "/a", nil, client.AnyVersion)
	e = o.last(t)
	require.Same(t, err, e.Err)
	require.Equal(t, []any{client.Unknown, 1, 0, int64(0)}, []any{e.Outcome, e.Attempts, e.ReplyBytes, e.Zxid})
	require.Equal(t, srv.Addr(), e.Server)

	require.Empty(t, o.retries)
	srv.DropRequest(zktest.On("/a", zktest.OpGetData))
	_, _, err = cl.Get(ctx, "/a")
	require.NoError(t, err)
	e = o.last(t)
	require.Equal(t, 2, e.Attempts)
	require.Len(t, o.retries, 1)
	r := o.retries[0]
	require.Equal(t, []any{"getData", "/a", 1, "caller's"}, []any{r.Op, r.Path, r.Attempt, r.Ctx.Value(ctxKey{})})
	require.ErrorIs(t, r.Err, client.ErrConnectionLost)
	require.Positive(t, r.Pause)
	require.GreaterOrEqual(t, e.Duration, r.Pause)

	_, _, err = cl.Get(ctx, "a")
	require.ErrorIs(t, err, client.ErrBadPath)
	require.Empty(t, o.ends, "no operation")
}

// An operation whose context ends while the answer is awaited is told with what is known.
func TestHookOpOfAnAbandonedCall(t *testing.T) {
	srv := zktest.Start(t)
	o := &opHook{}
	cl := connect(t, srv, client.WithHooks(o))
	held := srv.HoldReply(zktest.On("/", zktest.OpGetData))
	defer held.Release()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-held.Fired()
		cancel()
	}()
	_, _, err := cl.Get(ctx, "/")
	require.ErrorIs(t, err, context.Canceled)
	e := o.last(t)
	require.Equal(t, []any{client.Unknown, 1, 0}, []any{e.Outcome, e.Attempts, e.ReplyBytes})
	require.Equal(t, srv.Addr(), e.Server)
}

func TestHooksThatCannotBe(t *testing.T) {
	for name, hook := range map[string]client.Hook{"nil": nil, "nothing": 1, "by value": opHook{}} {
		_, err := client.Connect(t.Context(), "127.0.0.1:1", client.WithHooks(&opHook{}, hook))
		require.ErrorIs(t, err, client.ErrBadArgument, name)
		require.ErrorContains(t, err, "hook 1 is a", name)
	}
}

// grants is a hook that notes grants.
type grants chan client.GrantEvent

// OnGrant implements client.HookGrant.
func (g grants) OnGrant(e client.GrantEvent) { g <- e }

// What a recipe reports is told, also when the client is closed already.
func TestEmitGrant(t *testing.T) {
	g := make(grants, 10)
	cl := connect(t, zktest.Start(t), client.WithHooks(g))
	cl.EmitGrant(client.GrantEvent{Kind: client.GrantHeld, Node: "/a"})
	e, _ := receive(t, g)
	require.Equal(t, "/a", e.Node)
	require.False(t, e.At.IsZero())
	require.NotNil(t, e.Ctx)
	require.NoError(t, cl.Close())
	cl.EmitGrant(client.GrantEvent{Kind: client.GrantLost, Node: "/a"})
	require.Len(t, g, 1, "told before EmitGrant has returned")
	require.Equal(t, "lost", (<-g).Kind.String())
}
