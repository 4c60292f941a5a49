package recipes_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

func (sc *scene) persist(ctx context.Context, st *stage) <-chan persistentOutcome {
	out := make(chan persistentOutcome, 1)
	go func() {
		enter := st.line.AcquirePersistent
		if sc.try {
			enter = st.line.TryAcquirePersistent
		}
		p, err := enter(ctx)
		out <- persistentOutcome{p, err}
	}()
	return out
}

// freeWhenWatched frees the line when somebody watches the holder; the returned function ends that.
func (st *stage) freeWhenWatched() (end func()) {
	watching := st.srv.HoldReply(zktest.Match{Session: st.session, Path: dir + "/*", Ops: []zktest.Op{zktest.OpGetData}})
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-watching.Fired():
			watching.Release()
			st.free()
		case <-over:
		}
	}()
	return sync.OnceFunc(func() {
		close(over)
		<-done
		watching.Release()
	})
}

func (sc *scene) persistRequests(t *testing.T) (n int) {
	synctest.Test(t, func(t *testing.T) { n = sc.persistUndisturbed(t) })
	return n
}

func (sc *scene) persistUndisturbed(t *testing.T) int {
	st := sc.stage(t)
	end := st.freeWhenWatched()
	o := wait(t, "the holding", sc.persist(t.Context(), st))
	end()
	require.NoError(t, o.err)
	n := len(st.srv.Requests(zktest.Match{Session: st.session}))
	require.NoError(t, o.p.Release(t.Context()))
	return n
}

// orphans are persistent nodes in the line, but for the holder's.
func (st *stage) orphans() (out []string) {
	st.free()
	for path, n := range st.srv.Dump() {
		if len(path) > len(dir) && path[:len(dir)] == dir && n.Stat.EphemeralOwner == 0 {
			out = append(out, path)
		}
	}
	return out
}

// requireLeft waits until there are only these nodes, and no watch: the client may have to be connected
// again first, and pauses between its tries.
func requireLeft(t testing.TB, srv *zktest.Server, keep ...string) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		assert.ElementsMatch(c, keep, nodes(srv), "nodes left")
		assert.Zero(c, srv.Watches(), "watches left")
	}, patience, 2*time.Millisecond)
}

// Cancelled at every await point it leaves nothing, and no persistent node already when the call returns.
func TestPersistentCancelledAtEveryAwaitPoint(t *testing.T) {
	for _, sc := range scenes {
		n := sc.persistRequests(t)
		for i := range n {
			for _, how := range disturbances {
				runInBubble(t, fmt.Sprintf("%s, request %d of %d, %s", sc.name, i+1, n, how), func(t *testing.T) {
					st := sc.stage(t)
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					reached, resume := st.disturb(how, st.of(i))
					end := st.freeWhenWatched()
					defer end()
					got := sc.persist(ctx, st)
					wait(t, "the request", reached)
					cancel()
					resume()
					o := wait(t, "the end of the call", got)
					end()
					if o.err == nil { // it was through already
						require.NoError(t, o.p.Release(t.Context()))
					} else {
						require.ErrorIs(t, o.err, context.Canceled)
						require.NotContains(t, o.err.Error(), "may be left")
					}
					require.Empty(t, st.orphans())
					requireNothingLeft(t, st, patience)
					requireLeft(t, st.srv)
				})
			}
		}
	}
}

// disturb has something happen to the next request that matches: reached is closed when it has.
func (st *stage) disturb(how string, at zktest.Match) (reached <-chan struct{}, resume func()) {
	resume = func() {}
	switch how {
	case "request held":
		there, on := make(chan struct{}), make(chan struct{})
		once := sync.OnceFunc(func() {
			close(there)
			<-on
		})
		st.srv.OnRequest(func(r zktest.Request) {
			if r.Session == at.Session && r.Op != zktest.OpPing && r.Op != zktest.OpConnect && at.Where(r) {
				once()
			}
		})
		return there, func() { close(on) }
	case "reply held":
		h := st.srv.HoldReply(at)
		return h.Fired(), h.Release
	case "request dropped":
		return st.srv.DropRequest(at).Fired(), resume
	default:
		return st.srv.SwallowReply(at).Fired(), resume
	}
}

// Each request and each answer is lost in turn, alone or with the whole session: it is held all the
// same, with one node, and what was lost cannot make another one later.
func TestPersistentLostAtEveryAwaitPoint(t *testing.T) {
	t.Parallel()
	for _, sc := range scenes {
		n := sc.persistRequests(t)
		for i := range n {
			for _, how := range []string{"request dropped", "reply swallowed"} {
				for _, expire := range []bool{false, true} {
					runInBubble(t, fmt.Sprintf("%s, request %d of %d, %s, session lost %v", sc.name, i+1, n, how, expire), func(t *testing.T) {
						st := sc.stage(t)
						reached, _ := st.disturb(how, st.of(i))
						end := st.freeWhenWatched()
						defer end()
						got := sc.persist(t.Context(), st)
						wait(t, "the loss", reached)
						if expire {
							end()
							st.srv.ExpireSession(st.session)
							st.free()
						}
						o := wait(t, "the holding", got)
						if sc.try && errors.Is(o.err, recipes.ErrBusy) {
							require.Empty(t, st.orphans())
							return
						}
						require.NoError(t, o.err)
						require.NoError(t, o.p.Check(t.Context()))
						requireLeft(t, st.srv, base(o.p.Path()))
						st.repeatAll(t)
						require.Equal(t, []string{base(o.p.Path())}, nodes(st.srv))
						require.NoError(t, o.p.Release(t.Context()))
						requireLeft(t, st.srv)
					})
				}
			}
		}
	}
}

// repeatAll executes all transactions that would make a node once more, as if they had been on their way until now.
func (st *stage) repeatAll(t *testing.T) {
	late := connect(t, st.srv)
	for _, r := range st.srv.Requests(zktest.Match{Ops: []zktest.Op{zktest.OpMulti}}) {
		if len(r.Multi) != 2 {
			continue
		}
		_, err := late.Txn().Delete(r.Multi[0].Path, client.AnyVersion).
			Create(r.Multi[1].Path, nil, client.WithMode(client.PersistentSequential)).Commit(t.Context())
		require.ErrorIs(t, err, client.ErrNoNode)
	}
}

// A wait goes on over sessions, in its place.
func TestPersistentWaitKeepsItsPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, inMemory)
		a, b := connect(t, srv), connect(t, srv)
		first := acquire(t, newLine(t, b, recipes.LineConfig{}))
		watched := after(srv, blocked)
		later := persistentLater(t.Context(), newLine(t, a, recipes.LineConfig{}))
		wait(t, "a watch", watched)
		all, err := newLine(t, b, recipes.LineConfig{}).Details(t.Context())
		require.NoError(t, err)
		require.Len(t, all, 2)
		last := waiting(t.Context(), t, srv, newLine(t, b, recipes.LineConfig{}))
		for range 3 {
			s, err := a.Session(t.Context())
			require.NoError(t, err)
			watched := after(srv, blocked)
			srv.ExpireSession(s.ID())
			wait(t, "a watch in the next session", watched)
		}
		release(t, first)
		o := wait(t, "the holding", later)
		require.NoError(t, o.err)
		require.Equal(t, all[1].Token, o.p.Token())
		require.Equal(t, all[1].Path, o.p.Path())
		require.Empty(t, last)
		require.NoError(t, o.p.Release(t.Context()))
		got := wait(t, "the last", last)
		require.NoError(t, got.err)
		release(t, got.grant)
		requireLeft(t, srv)
	})
}

// Broken while it waits it joins again, at the end.
func TestPersistentWaiterIsBroken(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	l := newLine(t, connect(t, srv), recipes.LineConfig{})
	first := acquire(t, newLine(t, connect(t, srv), recipes.LineConfig{}))
	watched := after(srv, blocked)
	later := persistentLater(t.Context(), newLine(t, connect(t, srv), recipes.LineConfig{}))
	wait(t, "a watch", watched)
	all, err := l.Details(t.Context())
	require.NoError(t, err)
	require.NoError(t, l.Break(t.Context(), all[1]))
	require.NoError(t, l.Break(t.Context(), all[1]), "gone is gone")
	release(t, first)
	o := wait(t, "the holding", later)
	require.NoError(t, o.err)
	require.Greater(t, o.p.Token(), all[1].Token)
	require.Equal(t, []string{base(o.p.Path())}, nodes(srv))
}

// Detach ends the wait, and its node is gone before the session is left.
func TestPersistentWaitIsDetached(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	first := acquire(t, newLine(t, connect(t, srv), recipes.LineConfig{}))
	a := connect(t, srv)
	watched := after(srv, blocked)
	later := persistentLater(t.Context(), newLine(t, a, recipes.LineConfig{}))
	wait(t, "a watch", watched)
	detach(t, a)
	require.Equal(t, []string{base(first.Path())}, nodes(srv))
	require.ErrorIs(t, wait(t, "the end of the wait", later).err, client.ErrDetached)
}

// With no server in reach the call returns all the same, and says what may be left; the client goes on.
func TestPersistentCancelledWithoutServers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, inMemory)
		first := acquire(t, newLine(t, connect(t, srv), recipes.LineConfig{}))
		ctx, cancel := context.WithCancel(t.Context())
		watched := after(srv, blocked)
		later := persistentLater(ctx, newLine(t, connect(t, srv), recipes.LineConfig{}))
		wait(t, "a watch", watched)
		srv.Refuse()
		srv.DropConnections()
		cancel()
		o := wait(t, "the end of the wait", later)
		require.ErrorIs(t, o.err, context.Canceled)
		require.ErrorContains(t, o.err, "may be left")
		srv.Accept()
		// Whether the holder has a watch on its own node by now is another matter.
		require.Eventually(t, func() bool { return len(nodes(srv)) == 1 }, patience, 2*time.Millisecond)
		require.Equal(t, []string{base(first.Path())}, nodes(srv))
	})
}

// A client that is closed under a wait cannot delete its node any more, and says so.
func TestPersistentWaitIsClosed(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	first := acquire(t, newLine(t, connect(t, srv), recipes.LineConfig{}))
	a := connect(t, srv)
	watched := after(srv, blocked)
	later := persistentLater(t.Context(), newLine(t, a, recipes.LineConfig{}))
	wait(t, "a watch", watched)
	require.NoError(t, a.Close())
	err := wait(t, "the end of the wait", later).err
	require.ErrorIs(t, err, client.ErrClosed)
	require.ErrorContains(t, err, "may be left")
	require.Len(t, nodes(srv), 2)
	l := newLine(t, connect(t, srv), recipes.LineConfig{})
	all, err := l.Details(t.Context())
	require.NoError(t, err)
	require.Equal(t, base(first.Path()), all[0].Name)
	require.Zero(t, all[1].Session)
	require.NoError(t, l.Break(t.Context(), all[1]))
	require.Len(t, nodes(srv), 1)
}
