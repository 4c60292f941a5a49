package barrier_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/barrier"
	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

const gate = "/jobs/gate"

func TestBarrier(t *testing.T) {
	t.Parallel()
	for _, layout := range []recipes.Layout{recipes.Curator, recipes.Kazoo} {
		srv := zktest.Start(t)
		ctx := bounded(t)
		b := barrier.New(connect(t, srv), gate, barrier.WithLayout(layout), barrier.WithIdentifier("me"))
		other := barrier.New(connect(t, srv), gate, barrier.WithLayout(layout))
		require.NoError(t, b.Wait(ctx), "nobody has closed it")
		set, err := b.IsSet(ctx)
		require.NoError(t, err)
		require.False(t, set)
		removed, err := b.Remove(ctx)
		require.NoError(t, err)
		require.False(t, removed)

		created, err := b.Create(ctx)
		require.NoError(t, err)
		require.True(t, created)
		created, err = other.Create(ctx)
		require.NoError(t, err)
		require.False(t, created)
		set, err = other.IsSet(ctx)
		require.NoError(t, err)
		require.True(t, set)
		n, ok := srv.Node(gate)
		require.True(t, ok)
		require.Zero(t, n.Stat.EphemeralOwner, "it outlives who has closed it")
		require.Equal(t, "me", string(n.Data))

		armed := after(srv, zktest.On(gate, zktest.OpGetData))
		waits := later(func() error { return other.Wait(ctx) })
		wait(t, "the watch", armed)
		not(t, "the barrier is closed", waits)
		removed, err = b.Remove(ctx)
		require.NoError(t, err)
		require.True(t, removed)
		require.NoError(t, wait(t, "the end of Wait", waits))
		require.Eventually(t, func() bool { return srv.Watches() == 0 }, patience, time.Millisecond)
		require.Eventually(t, func() bool {
			n, _ := srv.Node("/jobs")
			return len(n.Children) == 0
		}, patience, time.Millisecond, "a marker is left")
	}
}

// What Kazoo and Curator write and delete, and what they find.
func TestBarrierOfOthers(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	b := barrier.New(connect(t, srv), gate)
	for _, data := range [][]byte{nil, []byte("127.0.0.1")} { // Kazoo's, Curator's
		require.NoError(t, srv.Create(gate, data))
		created, err := b.Create(ctx)
		require.NoError(t, err)
		require.False(t, created)
		armed := after(srv, zktest.On(gate, zktest.OpGetData))
		waits := later(func() error { return b.Wait(ctx) })
		wait(t, "the watch", armed)
		require.NoError(t, srv.Set(gate, []byte("changed")))
		require.NoError(t, srv.Delete(gate))
		require.NoError(t, wait(t, "the end of Wait", waits))
	}
}

// Whichever request or reply is lost, Create and Remove say what they have done, and do
// it once.
func TestBarrierLostReplies(t *testing.T) {
	t.Parallel()
	begin := map[string]struct {
		prepare func(*testing.T, *zktest.Server)
		call    func(*barrier.Barrier, context.Context) (bool, error)
		did     bool
		closed  bool
	}{
		"create, parent missing": {func(*testing.T, *zktest.Server) {}, (*barrier.Barrier).Create, true, true},
		"create": {func(t *testing.T, srv *zktest.Server) { require.NoError(t, srv.Create("/jobs", nil)) },
			(*barrier.Barrier).Create, true, true},
		"create, closed": {func(t *testing.T, srv *zktest.Server) { require.NoError(t, srv.Create(gate, nil)) },
			(*barrier.Barrier).Create, false, true},
		"remove": {func(t *testing.T, srv *zktest.Server) { require.NoError(t, srv.Create(gate, nil)) },
			(*barrier.Barrier).Remove, true, false},
		"remove, open": {func(t *testing.T, srv *zktest.Server) { require.NoError(t, srv.Create("/jobs", nil)) },
			(*barrier.Barrier).Remove, false, false},
	}
	for name, sc := range begin {
		run := func(t *testing.T, i int, lose func(*zktest.Server, zktest.Match) *zktest.Fault) int {
			srv := zktest.Start(t)
			cl := connect(t, srv)
			s := sessionOf(t, cl)
			sc.prepare(t, srv)
			srv.ResetRequests()
			var lost *zktest.Fault
			if lose != nil {
				lost = lose(srv, nth(s, i))
			}
			did, err := sc.call(barrier.New(cl, gate), bounded(t))
			require.NoError(t, err)
			require.Equal(t, sc.did, did)
			_, closed := srv.Node(gate)
			require.Equal(t, sc.closed, closed)
			if lost != nil {
				wait(t, "the loss", lost.Fired())
			}
			n, marker := 0, false
			for _, r := range counted(srv, s) { // the marker's own deletion is in the background
				if r.Op == zktest.OpDelete && strings.Contains(r.Path, "/txn-") {
					marker = true
				} else if !marker {
					n++
				}
			}
			return n
		}
		for i := range run(t, 0, nil) {
			for how, lose := range losses {
				t.Run(fmt.Sprintf("%s, %s %d", name, how, i+1), func(t *testing.T) {
					t.Parallel()
					run(t, i, lose)
				})
			}
		}
	}
}

// The session is lost with the reply: nobody can know, and that is what it says.
func TestBarrierCreateUnknown(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	require.NoError(t, srv.Create("/jobs", nil))
	cl := connect(t, srv)
	s := sessionOf(t, cl)
	h := srv.HoldReply(zktest.On(gate, zktest.OpMulti))
	go func() {
		<-h.Fired()
		srv.ExpireSession(s)
		h.Release()
	}()
	b := barrier.New(cl, gate)
	_, err := b.Create(bounded(t))
	require.Error(t, err)
	require.Equal(t, client.Unknown, client.Outcome(err))
	set, err := b.IsSet(bounded(t))
	require.NoError(t, err)
	require.True(t, set)
}

// The connection is away while the barrier is opened (K7); and while it is opened and
// closed again; and the session is lost.
func TestBarrierWaitOutlivesConnections(t *testing.T) {
	t.Parallel()
	for name, happens := range map[string]func(t *testing.T, srv *zktest.Server, session int64){
		"opened": func(t *testing.T, srv *zktest.Server, _ int64) { require.NoError(t, srv.Delete(gate)) },
		"opened and closed again": func(t *testing.T, srv *zktest.Server, _ int64) {
			require.NoError(t, srv.Delete(gate))
			require.NoError(t, srv.Create(gate, nil))
		},
		"session lost and opened": func(t *testing.T, srv *zktest.Server, s int64) {
			require.True(t, srv.ExpireSession(s))
			require.NoError(t, srv.Delete(gate))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := zktest.Start(t)
			require.NoError(t, srv.Create(gate, nil))
			cl := connect(t, srv)
			armed := after(srv, zktest.On(gate, zktest.OpGetData))
			waits := later(func() error { return barrier.New(cl, gate).Wait(bounded(t)) })
			wait(t, "the watch", armed)
			_, _, err := cl.Exists(bounded(t), gate) // behind which the first read is answered
			require.NoError(t, err)

			// A loss alone does not end it.
			armed = after(srv, zktest.On(gate, zktest.OpGetData))
			srv.DropConnections()
			wait(t, "the watch after a loss", armed)
			not(t, "the barrier is closed", waits)

			session := sessionOf(t, cl)
			srv.Refuse()
			srv.DropConnections()
			happens(t, srv, session)
			srv.Accept()
			require.NoError(t, wait(t, "the end of Wait", waits))
			require.Eventually(t, func() bool { return srv.Watches() == 0 }, patience, time.Millisecond)
		})
	}
}

// Cancelled, a Wait leaves no watch (C10); nor does one that finds the barrier open, or that may not
// read the node, which it says.
func TestBarrierWaitLeavesNoWatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		cl := connect(t, srv)
		b := barrier.New(cl, gate)
		require.NoError(t, b.Wait(bounded(t)))
		require.Zero(t, srv.Watches())

		require.NoError(t, srv.Create(gate, nil))
		ctx, cancel := context.WithCancel(t.Context())
		waits := later(func() error { return b.Wait(ctx) })
		synctest.Wait() // until it waits for the event
		require.Equal(t, 1, srv.Watches())
		cancel()
		require.ErrorIs(t, wait(t, "the end of Wait", waits), context.Canceled)
		synctest.Wait()
		require.Zero(t, srv.Watches())

		require.NoError(t, srv.Delete(gate))
		_, err := cl.Create(bounded(t), gate, nil, client.WithACL(client.WorldACL(client.PermAll&^client.PermRead)))
		require.NoError(t, err)
		require.ErrorIs(t, b.Wait(bounded(t)), client.ErrNoAuth)
		require.Zero(t, srv.Watches())
	})
}

// Each request of each call is left without a reply, and the call is cancelled.
func TestBarrierCancelledAtEveryAwaitPoint(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]func(*barrier.Barrier, context.Context) error{
		"create": func(b *barrier.Barrier, ctx context.Context) error { _, err := b.Create(ctx); return err },
		"remove": func(b *barrier.Barrier, ctx context.Context) error { _, err := b.Remove(ctx); return err },
		"is set": func(b *barrier.Barrier, ctx context.Context) error { _, err := b.IsSet(ctx); return err },
		"wait":   (*barrier.Barrier).Wait,
	} {
		for i := range map[string]int{"create": 3, "remove": 1, "is set": 1, "wait": 1}[name] {
			t.Run(fmt.Sprint(name, i), func(t *testing.T) {
				t.Parallel()
				srv := zktest.Start(t)
				cl := connect(t, srv)
				h := srv.HoldReply(nth(sessionOf(t, cl), i))
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				ends := later(func() error { return call(barrier.New(cl, gate), ctx) })
				wait(t, "the request", h.Fired())
				cancel()
				require.ErrorIs(t, wait(t, "the end", ends), context.Canceled)
				h.Release()
				require.Eventually(t, func() bool { return srv.Watches() == 0 }, patience, time.Millisecond)
			})
		}
	}
}

func TestBarrierWaitEndsWithTheClient(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	require.NoError(t, srv.Create(gate, nil))
	cl := connect(t, srv)
	armed := after(srv, zktest.On(gate, zktest.OpGetData))
	waits := later(func() error { return barrier.New(cl, gate).Wait(bounded(t)) })
	wait(t, "the watch", armed)
	require.NoError(t, cl.Close())
	require.ErrorIs(t, wait(t, "the end of Wait", waits), client.ErrClosed)
}

func TestWhatCannotBeIsReportedByTheFirstCall(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	for name, c := range map[string]struct {
		cl   *client.Client
		path string
		opt  barrier.Option
		want error
	}{
		"no client":  {nil, gate, barrier.WithIdentifier(""), client.ErrBadArgument},
		"bad path":   {cl, "jobs", barrier.WithIdentifier(""), client.ErrBadPath},
		"root":       {cl, "/", barrier.WithIdentifier(""), client.ErrBadArgument},
		"nil option": {cl, gate, nil, client.ErrBadArgument},
		"layout":     {cl, gate, barrier.WithLayout(7), client.ErrBadArgument},
		"identifier": {cl, gate, barrier.WithIdentifier(strings.Repeat("x", 1<<17)), client.ErrBadArgument},
	} {
		b := barrier.New(c.cl, c.path, c.opt)
		_, err := b.Create(t.Context())
		require.ErrorIs(t, err, c.want, name)
		_, err = b.Remove(t.Context())
		require.ErrorIs(t, err, c.want, name)
		_, err = b.IsSet(t.Context())
		require.ErrorIs(t, err, c.want, name)
		require.ErrorIs(t, b.Wait(t.Context()), c.want, name)
		_, err = barrier.NewDouble(c.cl, c.path, 2, c.opt).Enter(t.Context())
		require.ErrorIs(t, err, c.want, name)
	}
	_, err := barrier.NewDouble(cl, gate, 0).Enter(t.Context())
	require.ErrorIs(t, err, client.ErrBadArgument)
	require.Empty(t, srv.Requests())
}
