package recipes_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

func TestReleaseEndsTheContextFirst(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	g := acquire(t, newLine(t, connect(t, srv), recipes.LineConfig{}))
	require.True(t, g.ValidUntil().After(time.Now()))
	var atDelete error
	srv.OnRequest(func(r zktest.Request) {
		if r.Op == zktest.OpDelete {
			atDelete = context.Cause(g.Context())
		}
	})
	release(t, g)
	srv.OnRequest(nil)
	require.Equal(t, recipes.ErrReleased, atDelete)
	require.Equal(t, recipes.ErrReleased, g.Err())
	require.Empty(t, nodes(srv))
}

func TestReleaseManyTimesAtOnce(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	g := acquire(t, newLine(t, connect(t, srv), recipes.LineConfig{}))
	srv.ResetRequests()
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() { release(t, g) })
	}
	all.Wait()
	release(t, g)
	require.Equal(t, []string{"delete"}, requests(srv))
}

func TestReleaseWithLostMessages(t *testing.T) {
	t.Parallel()
	for _, lose := range []func(*zktest.Server, zktest.Match) *zktest.Fault{(*zktest.Server).DropRequest, (*zktest.Server).SwallowReply} {
		srv := zktest.Start(t)
		l := newLine(t, connect(t, srv), recipes.LineConfig{})
		g := acquire(t, l)
		next := waiting(t.Context(), t, srv, newLine(t, connect(t, srv), recipes.LineConfig{}))
		lost := lose(srv, zktest.On(dir+"/*", zktest.OpDelete))
		release(t, g)
		wait(t, "the loss", lost.Fired())
		o := wait(t, "the next grant", next)
		require.NoError(t, o.err)
		require.Equal(t, []string{base(o.grant.Path())}, nodes(srv), "only its own node is deleted")
		release(t, o.grant)
	}
}

func TestReleaseDoesNotNeedItsContext(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	g := acquire(t, newLine(t, connect(t, srv), recipes.LineConfig{}))
	deleted := srv.HoldReply(zktest.On(g.Path(), zktest.OpDelete))
	over, cancel := context.WithCancel(t.Context())
	cancel()
	err := g.Release(over)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "background")
	wait(t, "the delete in the background", deleted.Fired())
	deleted.Release()
	release(t, g)
	require.Empty(t, nodes(srv))
}

func TestReleaseRefused(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	g := acquire(t, newLine(t, connect(t, srv), recipes.LineConfig{}))
	srv.FailNext(zktest.On(g.Path(), zktest.OpDelete), zktest.NoAuth)
	require.ErrorIs(t, g.Release(t.Context()), client.ErrNoAuth)
	requireClean(t, srv, 0) // it is tried again
}

// A handle of yesterday does not take today's lock away.
func TestStaleReleaseLeavesLaterHoldersAlone(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	l := newLine(t, cl, recipes.LineConfig{})
	old := acquire(t, l)
	next := waiting(t.Context(), t, srv, newLine(t, connect(t, srv), recipes.LineConfig{}))
	require.True(t, srv.ExpireSession(old.Session().ID()))
	o := wait(t, "the next grant", next)
	require.NoError(t, o.err)
	wait(t, "the end of the old grant", old.Context().Done())
	require.ErrorIs(t, old.Err(), recipes.ErrGrantLost)
	require.ErrorIs(t, old.Err(), client.ErrSessionLost)
	release(t, old)
	release(t, old)
	require.Equal(t, []string{base(o.grant.Path())}, nodes(srv))
	require.NoError(t, o.grant.Err())
	require.ErrorIs(t, old.Err(), recipes.ErrGrantLost, "the first cause stands")
	release(t, o.grant)
}

func TestGrantEndsWhenItsNodeIsDeleted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, inMemory, zktest.WithTick(50*time.Millisecond))
		g := acquire(t, newLine(t, connect(t, srv, client.WithSessionTimeout(time.Second)), recipes.LineConfig{}))
		require.NoError(t, srv.Delete(g.Path()))
		wait(t, "the end of the grant", g.Context().Done())
		require.ErrorIs(t, g.Err(), recipes.ErrGrantLost)
		require.ErrorIs(t, g.Err(), client.ErrHoldDeleted)
		require.NoError(t, g.Session().Context().Err(), "the session goes on")
		release(t, g)
	})
}

// The server answers everything but commits: pings and reads say nothing about
// whether the grant is still ours.
func TestGrantEndsUnconfirmedAndLeavesItsNodeToOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, inMemory, zktest.WithTick(50*time.Millisecond))
		l := newLine(t, connect(t, srv, client.WithSessionTimeout(time.Second)), recipes.LineConfig{})
		g := acquire(t, l)
		var drops []*zktest.Fault
		for range 200 {
			drops = append(drops, srv.DropRequest(zktest.Match{Ops: []zktest.Op{zktest.OpMulti}}))
		}
		wait(t, "the end of the grant", g.Context().Done())
		require.False(t, time.Now().Before(g.ValidUntil()))
		require.ErrorIs(t, g.Err(), recipes.ErrGrantLost)
		require.ErrorIs(t, g.Err(), client.ErrUnconfirmed)
		require.NoError(t, g.Session().Context().Err(), "the session goes on")
		requireClean(t, srv, 0)
		for _, d := range drops {
			d.Cancel()
		}
		require.Equal(t, g.Session().ID(), func() int64 { g := acquire(t, l); defer release(t, g); return g.Session().ID() }())
	})
}

func TestGrantEndsWhileTheServerIsSilent(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t, zktest.WithTick(50*time.Millisecond))
	g := acquire(t, newLine(t, connect(t, srv, client.WithSessionTimeout(time.Second)), recipes.LineConfig{}))
	srv.Freeze()
	timer := time.NewTimer(time.Until(g.ValidUntil()) - 20*time.Millisecond)
	defer timer.Stop()
	<-timer.C
	for time.Now().Before(g.ValidUntil()) { // no timer is to be quicker than this
		runtime.Gosched()
	}
	require.ErrorIs(t, g.Err(), recipes.ErrGrantLost, "whether or not the context has ended yet")
	require.ErrorIs(t, context.Cause(g.Context()), recipes.ErrGrantLost)
	wait(t, "the end of the grant", g.Context().Done())
	srv.Thaw()
	release(t, g)
}

func TestTxn(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	require.NoError(t, srv.Create("/data", []byte("old")))
	l := newLine(t, connect(t, srv), recipes.LineConfig{})
	g := acquire(t, l)

	results, err := g.Txn().Set("/data", []byte("new"), client.AnyVersion).Create("/data/a", nil).Commit(t.Context())
	require.NoError(t, err)
	require.Len(t, results, 2, "the guard is not shown")
	n, _ := srv.Node("/data")
	require.Equal(t, "new", string(n.Data))

	_, err = g.Txn().Check("/data", client.AnyVersion).Create("/data/a", nil).Commit(t.Context())
	failed, ok := errors.AsType[*client.TxnError](err)
	require.True(t, ok)
	require.Equal(t, 1, failed.Index, "counted without the guard")
	require.Equal(t, "/data/a", failed.Path)
	require.ErrorIs(t, err, client.ErrNodeExists)
	require.NoError(t, g.Err())

	_, err = g.Txn().Delete("/data/a", client.AnyVersion).Commit(t.Context())
	require.NoError(t, err)

	late := g.Txn().Set("/data", []byte("too late"), client.AnyVersion)
	require.NoError(t, srv.Delete(g.Path()))
	_, err = late.Commit(t.Context())
	require.ErrorIs(t, err, recipes.ErrGrantLost)
	require.Equal(t, client.Definite, client.Outcome(err))
	require.ErrorIs(t, g.Err(), client.ErrHoldDeleted, "and the grant knows")
	n, _ = srv.Node("/data")
	require.Equal(t, "new", string(n.Data))

	srv.ResetRequests()
	_, err = g.Txn().Set("/data", []byte("later still"), client.AnyVersion).Commit(t.Context())
	require.ErrorIs(t, err, recipes.ErrGrantLost)
	require.Equal(t, client.NotSent, client.Outcome(err))
	require.Empty(t, srv.Requests(zktest.Match{Ops: []zktest.Op{zktest.OpMulti}}))

	g = acquire(t, l)
	srv.SwallowReply(zktest.On("/data", zktest.OpMulti))
	_, err = g.Txn().Set("/data", []byte("applied"), client.AnyVersion).Commit(t.Context())
	require.Equal(t, client.Unknown, client.Outcome(err), "%v", err)
	require.NotErrorIs(t, err, recipes.ErrGrantLost)
	n, _ = srv.Node("/data")
	require.Equal(t, "applied", string(n.Data))
	release(t, g)
	_, err = g.Txn().Set("/data", nil, client.AnyVersion).Commit(t.Context())
	require.ErrorIs(t, err, recipes.ErrReleased)
	require.NotErrorIs(t, err, recipes.ErrGrantLost)
}

// After a wait longer than the bound that its create gave, a contender is granted only once a
// quorum has committed that its node is still there.
func TestLongWaitIsConfirmedBeforeTheGrant(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, inMemory, zktest.WithTick(50*time.Millisecond))
		g := acquire(t, newLine(t, connect(t, srv), recipes.LineConfig{}))
		cl := connect(t, srv, client.WithSessionTimeout(time.Second))
		s, err := cl.Session(t.Context())
		require.NoError(t, err)
		next := waiting(t.Context(), t, srv, newLine(t, cl, recipes.LineConfig{}))
		for time.Now().Before(s.ConfirmedUntil()) { // nothing but pings until the bound has passed
			wait(t, "a ping", after(srv, zktest.Match{Ops: []zktest.Op{zktest.OpPing}, Session: s.ID()}))
		}
		srv.ResetRequests()
		check := srv.HoldReply(zktest.Match{Ops: []zktest.Op{zktest.OpMulti}, Session: s.ID()})
		release(t, g)
		wait(t, "the check", check.Fired())
		require.Empty(t, next)
		check.Release()
		o := wait(t, "the grant", next)
		require.NoError(t, o.err)
		require.True(t, o.grant.ValidUntil().After(time.Now()))
		release(t, o.grant)
	})
}

// Passed the context under which the work was done, Release waits all the same.
func TestReleaseUnderItsOwnContext(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	g := acquire(t, newLine(t, connect(t, srv), recipes.LineConfig{}))
	require.NoError(t, g.Release(g.Context()))
	require.Empty(t, nodes(srv))

	// A context that had ended before is another matter.
	l := newLine(t, connect(t, srv), recipes.LineConfig{})
	other := acquire(t, l)
	hold := srv.HoldReply(zktest.On(other.Path(), zktest.OpDelete))
	require.ErrorIs(t, other.Release(g.Context()), context.Canceled)
	hold.Release()
	release(t, other)
}

func TestOwnNodeDeletedBeforeItIsConfirmed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, inMemory, zktest.WithTick(50*time.Millisecond))
		g := acquire(t, newLine(t, connect(t, srv), recipes.LineConfig{}))
		cl := connect(t, srv, client.WithSessionTimeout(time.Second))
		s, err := cl.Session(t.Context())
		require.NoError(t, err)
		next := waiting(t.Context(), t, srv, newLine(t, cl, recipes.LineConfig{}))
		for time.Now().Before(s.ConfirmedUntil()) {
			wait(t, "a ping", after(srv, zktest.Match{Ops: []zktest.Op{zktest.OpPing}, Session: s.ID()}))
		}
		deleted := make(chan string, 1)
		srv.OnRequest(func(r zktest.Request) {
			if r.Op == zktest.OpMulti && r.Session == s.ID() {
				srv.OnRequest(nil)
				own := r.Multi[0].Path
				if err := srv.Delete(own); err != nil {
					t.Error(err)
				}
				deleted <- own
			}
		})
		release(t, g)
		own := wait(t, "the deletion", deleted)
		o := wait(t, "the grant", next)
		require.NoError(t, o.err)
		require.NotEqual(t, own, o.grant.Path(), "never granted by a node that is gone")
		require.Equal(t, []string{base(o.grant.Path())}, nodes(srv))
		release(t, o.grant)
	})
}

func TestTxnWithoutItsSession(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	require.NoError(t, srv.Create("/data", nil))
	g := acquire(t, newLine(t, connect(t, srv), recipes.LineConfig{}))
	txn := g.Txn().Set("/data", []byte("x"), client.AnyVersion)
	held := srv.HoldReply(zktest.On("/data", zktest.OpMulti))
	done := make(chan error, 1)
	go func() {
		_, err := txn.Commit(t.Context())
		done <- err
	}()
	wait(t, "the transaction", held.Fired())
	require.True(t, srv.ExpireSession(g.Session().ID()))
	err := wait(t, "its end", done)
	require.Equal(t, client.Unknown, client.Outcome(err), "it was executed, and its client cannot know: %v", err)
	wait(t, "the end of the grant", g.Context().Done())
	_, err = g.Txn().Set("/data", nil, client.AnyVersion).Commit(t.Context())
	require.ErrorIs(t, err, recipes.ErrGrantLost)
	require.Equal(t, client.NotSent, client.Outcome(err))
	release(t, g)
}
