package recipes_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

// long has no line taken for a short one: who leaves tells the next.
var long = recipes.LineConfig{ShortLine: -1}

// row is a holder and waiters behind it, each with a client of its own.
type row struct {
	srv     *zktest.Server
	holder  *recipes.Grant
	waiters []<-chan outcome
	leave   []context.CancelFunc
}

func newRow(t *testing.T, waiters int) *row {
	r := &row{srv: zktest.Start(t)}
	r.holder = acquire(t, newLine(t, connect(t, r.srv), long))
	for range waiters {
		ctx, cancel := context.WithCancel(t.Context())
		t.Cleanup(cancel)
		r.waiters = append(r.waiters, waiting(ctx, t, r.srv, newLine(t, connect(t, r.srv), long)))
		r.leave = append(r.leave, cancel)
	}
	return r
}

// next returns the grant of a waiter.
func (r *row) next(t *testing.T, i int) *recipes.Grant {
	t.Helper()
	o := wait(t, "the next grant", r.waiters[i])
	require.NoError(t, o.err)
	return o.grant
}

// Who only waited leaves no word: the one behind looks, and goes on waiting.
func TestWaiterThatGivesUpLeavesNoWord(t *testing.T) {
	t.Parallel()
	r := newRow(t, 3)
	looked := after(r.srv, zktest.Match{Path: dir + "/*", Ops: []zktest.Op{zktest.OpGetData}})
	r.leave[1]()
	require.ErrorIs(t, wait(t, "the end of the wait", r.waiters[1]).err, context.Canceled)
	wait(t, "the one behind to watch another", looked)
	require.Empty(t, r.waiters[2])
	release(t, r.holder)
	g := r.next(t, 0)
	require.Empty(t, r.waiters[2])
	release(t, g)
	release(t, r.next(t, 2))
	requireClean(t, r.srv, 0)
}

// Nothing that others do to a waiter's node is taken for its word.
func TestWordIsNotForged(t *testing.T) {
	t.Parallel()
	r := newRow(t, 2)
	all, err := newLine(t, connect(t, r.srv), long).Details(t.Context())
	require.NoError(t, err)
	middle := all[1].Path
	looked := after(r.srv, zktest.Match{Path: dir + "/*", Ops: []zktest.Op{zktest.OpGetData}, Where: func(q zktest.Request) bool { return q.Path == r.holder.Path() }})
	_, err = connect(t, r.srv).Txn().Set(middle, []byte("__REVOKE__"), client.AnyVersion).Delete(middle, client.AnyVersion).Commit(t.Context())
	require.NoError(t, err)
	// The middle one joins again, behind the last, which watches the holder now.
	wait(t, "the last to watch the holder", looked)
	require.Empty(t, r.waiters[1])
	release(t, r.holder)
	release(t, r.next(t, 1))
	release(t, r.next(t, 0))
	requireClean(t, r.srv, 0)
}

// A word that the servers refuse is left out, and those behind list the line.
func TestWordRefused(t *testing.T) {
	t.Parallel()
	r := newRow(t, 2)
	release(t, r.holder)
	g := r.next(t, 0)
	r.srv.FailNext(zktest.Match{Ops: []zktest.Op{zktest.OpMulti}}, zktest.NoAuth)
	release(t, g)
	release(t, r.next(t, 1))
	requireClean(t, r.srv, 0)
}

// Servers before 3.6 have no lasting watches.
func TestLineWithoutLastingWatches(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	holder := acquire(t, newLine(t, connect(t, srv), long))
	second := newLine(t, connect(t, srv), long)
	next := waiting(t.Context(), t, srv, second)
	old := srv.FailNext(zktest.Match{Ops: []zktest.Op{zktest.OpAddWatch}}, zktest.Unimplemented)
	third := newLine(t, connect(t, srv), long)
	last := waiting(t.Context(), t, srv, third)
	wait(t, "the refusal", old.Fired())
	srv.ResetRequests()
	release(t, holder)
	o := wait(t, "the second grant", next)
	require.NoError(t, o.err)
	release(t, o.grant)
	o = wait(t, "the third grant", last)
	require.NoError(t, o.err)
	require.Len(t, srv.Requests(zktest.Match{Ops: []zktest.Op{zktest.OpGetChildren2}}), 1, "it has to look")
	release(t, o.grant)
	requireClean(t, srv, 0)
}

// A watch that stands anew, after a reconnect, says nothing about who is ahead.
func TestReconnectIsNotTakenForWord(t *testing.T) {
	t.Parallel()
	r := newRow(t, 3)
	all, err := newLine(t, connect(t, r.srv), long).Details(t.Context())
	require.NoError(t, err)
	last := all[3].Session
	checking := r.srv.HoldReply(zktest.Match{Session: last, Ops: []zktest.Op{zktest.OpExists}})
	r.leave[1]()
	require.ErrorIs(t, wait(t, "the end of the wait", r.waiters[1]).err, context.Canceled)
	wait(t, "the last to look at its node", checking.Fired())
	looked := after(r.srv, zktest.Match{Session: last, Path: dir + "/*", Ops: []zktest.Op{zktest.OpGetData}})
	require.True(t, r.srv.DropConnection(last))
	checking.Release()
	wait(t, "the last to watch another", looked)
	require.Empty(t, r.waiters[2])
	release(t, r.holder)
	release(t, r.next(t, 0))
	release(t, r.next(t, 2))
	requireClean(t, r.srv, 0)
}

// A reader that was let in together with one before it is not the first of the line, and leaves no word:
// whoever waits behind it would take the other one for gone.
func TestReaderBehindReadersLeavesNoWord(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	first := acquire(t, newLine(t, connect(t, srv), writers(0)))
	var line []<-chan outcome
	for _, side := range []recipes.LineConfig{writers(0), readers(0), readers(0), writers(0)} {
		line = append(line, waiting(t.Context(), t, srv, newLine(t, connect(t, srv), side)))
	}
	next := func(i int) *recipes.Grant {
		o := wait(t, "the next grant", line[i])
		require.NoError(t, o.err)
		return o.grant
	}
	release(t, first)
	release(t, next(0)) // with a word, which both readers hear
	reading, second := next(1), next(2)
	again := after(srv, zktest.On(reading.Path(), zktest.OpGetData))
	release(t, second)
	wait(t, "the writer watching the reader that is left", again)
	require.Empty(t, line[3], "a reader holds")
	release(t, reading)
	release(t, next(3))
	requireClean(t, srv, 0)
}
