package recipes_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

// downgradeRequests is what a downgrade sends: a transaction and a look at the new node.
const downgradeRequests = 2

// writer is a stage with a writer's grant, and another client's writer waiting behind it.
type writer struct {
	*stage
	rd    *recipes.Line
	grant *recipes.Grant
	next  <-chan outcome
}

func newWriter(t *testing.T) *writer {
	t.Helper()
	srv := zktest.Start(t, zktest.WithTick(50*time.Millisecond))
	w := &writer{stage: &stage{srv: srv, cl: connect(t, srv)}}
	w.rd = newLine(t, w.cl, readers(0))
	w.grant = acquire(t, newLine(t, w.cl, writers(0)))
	w.session = w.grant.Session().ID()
	w.next = waiting(t.Context(), t, srv, newLine(t, connect(t, srv), writers(0)))
	return w
}

// passOn releases what is held, and sees the next writer get it.
func (w *writer) passOn(t *testing.T) {
	t.Helper()
	o := wait(t, "the next writer", w.next)
	require.NoError(t, o.err)
	require.NoError(t, o.grant.Err())
	require.Equal(t, []string{base(o.grant.Path())}, nodes(w.srv))
	release(t, o.grant)
	requireClean(t, w.srv, 0)
}

func TestDowngradeLostAtEveryAwaitPoint(t *testing.T) {
	t.Parallel()
	for i := range downgradeRequests {
		for how, lose := range map[string]func(*zktest.Server, zktest.Match) *zktest.Fault{
			"request": (*zktest.Server).DropRequest, "reply": (*zktest.Server).SwallowReply,
		} {
			t.Run(fmt.Sprintf("%s %d", how, i+1), func(t *testing.T) {
				t.Parallel()
				w := newWriter(t)
				lost := lose(w.srv, w.of(i))
				r, err := w.rd.Downgrade(t.Context(), w.grant)
				require.NoError(t, err)
				wait(t, "the loss", lost.Fired())
				require.NoError(t, r.Err())
				require.Empty(t, w.next, "no writer")
				require.Len(t, nodes(w.srv), 2)
				require.Contains(t, nodes(w.srv), base(r.Path()))
				require.NotContains(t, nodes(w.srv), base(w.grant.Path()))
				release(t, w.grant)
				require.Empty(t, w.next, "no writer")
				release(t, r)
				w.passOn(t)
			})
		}
	}
}

// Both replies that can be lost are, several times over.
func TestDowngradeLostOverAndOver(t *testing.T) {
	t.Parallel()
	w := newWriter(t)
	multi := zktest.Match{Session: w.session, Ops: []zktest.Op{zktest.OpMulti}}
	lost := []*zktest.Fault{w.srv.DropRequest(multi), w.srv.SwallowReply(multi), w.srv.DropRequest(multi), w.srv.SwallowReply(multi)}
	r, err := w.rd.Downgrade(t.Context(), w.grant)
	require.NoError(t, err)
	for _, l := range lost {
		wait(t, "each loss", l.Fired())
	}
	require.NoError(t, r.Err())
	release(t, r)
	w.passOn(t)
}

// Cancelled at each await point, with the request held, executed, dropped, or its answer
// swallowed: nothing is held then, and no node is left.
func TestDowngradeCancelledAtEveryAwaitPoint(t *testing.T) {
	for i := range downgradeRequests {
		for _, how := range disturbances {
			t.Run(fmt.Sprintf("request %d, %s", i+1, how), func(t *testing.T) {
				w := newWriter(t)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var reached <-chan struct{}
				resume := func() {}
				switch at := w.of(i); how {
				case "request held":
					there, on := make(chan struct{}), make(chan struct{})
					once := sync.OnceFunc(func() {
						close(there)
						<-on
					})
					w.srv.OnRequest(func(r zktest.Request) {
						if r.Session == w.session && r.Op != zktest.OpPing && at.Where(r) {
							once()
						}
					})
					reached, resume = there, func() { close(on) }
				case "reply held":
					h := w.srv.HoldReply(at)
					reached, resume = h.Fired(), h.Release
				case "request dropped":
					reached = w.srv.DropRequest(at).Fired()
				case "reply swallowed":
					reached = w.srv.SwallowReply(at).Fired()
				}
				got := make(chan outcome, 1)
				go func() {
					r, err := w.rd.Downgrade(ctx, w.grant)
					got <- outcome{r, err}
				}()
				wait(t, "the request", reached)
				cancel()
				o := wait(t, "the end of the call", got)
				resume()
				require.ErrorIs(t, w.grant.Err(), recipes.ErrReleased)
				if o.err == nil { // dropped or swallowed, and through again before it was cancelled
					release(t, o.grant)
				} else {
					require.ErrorIs(t, o.err, context.Canceled)
					release(t, w.grant) // waits until neither node is there
					for _, name := range nodes(w.srv) {
						n, _ := w.srv.Node(dir + "/" + name)
						require.NotEqual(t, w.session, n.Stat.EphemeralOwner, name)
					}
				}
				w.passOn(t)
			})
		}
	}
}

// The context of the grant itself, which the downgrade ends, does not end the downgrade;
// its deadline does.
func TestDowngradeUnderItsOwnContext(t *testing.T) {
	t.Parallel()
	w := newWriter(t)
	ctx, cancel := context.WithTimeout(w.grant.Context(), patience)
	defer cancel()
	r, err := w.rd.Downgrade(ctx, w.grant)
	require.NoError(t, err)
	require.ErrorIs(t, context.Cause(ctx), recipes.ErrReleased)
	release(t, r)
	w.passOn(t)

	w = newWriter(t)
	ctx, cancel = context.WithTimeout(w.grant.Context(), 100*time.Millisecond)
	defer cancel()
	held := w.srv.HoldReply(w.of(0))
	_, err = w.rd.Downgrade(ctx, w.grant)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	held.Release()
	w.passOn(t)
}

// What happens to the session, the nodes and the directory at each step is told, and
// the line goes on.
func TestDowngradeOfWhatIsLost(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		happens func(w *writer)
		want    error
	}{
		"session": {func(w *writer) { w.srv.ExpireSession(w.session) }, client.ErrSessionLost},
		"nodes": {func(w *writer) {
			for _, name := range nodes(w.srv) {
				if n, _ := w.srv.Node(dir + "/" + name); n.Stat.EphemeralOwner == w.session {
					_ = w.srv.Delete(n.Path)
				}
			}
		}, client.ErrHoldDeleted},
		"directory": {func(w *writer) { _ = w.srv.Delete(dir) }, client.ErrHoldDeleted},
	} {
		for i := range downgradeRequests {
			t.Run(fmt.Sprintf("%s at request %d", name, i+1), func(t *testing.T) {
				t.Parallel()
				w := newWriter(t)
				// Executed by the server before the request, or the connection that it came in
				// at is gone.
				once := sync.OnceFunc(func() { tc.happens(w) })
				at := w.of(i)
				w.srv.OnRequest(func(r zktest.Request) {
					if r.Session == w.session && r.Op != zktest.OpPing && at.Where(r) {
						once()
					}
				})
				_, err := w.rd.Downgrade(t.Context(), w.grant)
				require.ErrorIs(t, err, recipes.ErrGrantLost)
				require.ErrorIs(t, err, tc.want)
				w.passOn(t)
			})
		}
	}
}

// A server that refuses is told, and nothing is held.
func TestDowngradeRefusedByServer(t *testing.T) {
	t.Parallel()
	for i := range downgradeRequests {
		w := newWriter(t)
		w.srv.FailNext(w.of(i), zktest.NoAuth)
		_, err := w.rd.Downgrade(t.Context(), w.grant)
		require.ErrorIs(t, err, client.ErrNoAuth)
		w.passOn(t)
	}
}

// A downgrade that has begun is finished before the session is left to another
// process; none begins after that.
func TestDowngradeAndDetach(t *testing.T) {
	t.Parallel()
	w := newWriter(t)
	held := w.srv.HoldReply(w.of(0))
	got := make(chan outcome, 1)
	go func() {
		r, err := w.rd.Downgrade(t.Context(), w.grant)
		got <- outcome{r, err}
	}()
	wait(t, "the transaction", held.Fired())
	left := make(chan error, 1)
	go func() {
		_, err := w.cl.Detach(t.Context())
		left <- err
	}()
	wait(t, "the announcement", w.grant.Session().Detaching())
	held.Release()
	o := wait(t, "the downgrade", got)
	require.NoError(t, o.err)
	require.NoError(t, wait(t, "the end of Detach", left))
	require.ErrorIs(t, o.grant.Err(), client.ErrDetached)
	require.Contains(t, nodes(w.srv), base(o.grant.Path()))

	w = newWriter(t)
	require.NoError(t, func() error { _, err := w.cl.Detach(t.Context()); return err }())
	_, err := w.rd.Downgrade(t.Context(), w.grant)
	require.ErrorIs(t, err, client.ErrDetached)
	require.Contains(t, nodes(w.srv), base(w.grant.Path()))
}
