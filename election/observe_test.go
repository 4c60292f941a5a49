package election_test

import (
	"context"
	"fmt"
	"iter"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/election"
	"github.com/zookit/zookit/zktest"
)

type sighting struct {
	leader election.Leader
	err    error
}

// observe ranges over e's leaders in the background, and hands on what it sees.
func observe(ctx context.Context, e *election.Election) <-chan sighting {
	out := make(chan sighting, 1000)
	go func() {
		defer close(out)
		for leader, err := range e.Observe(ctx) {
			out <- sighting{leader, err}
		}
	}()
	return out
}

// seen waits for the next sighting, and says whom and what: "-" for nobody.
func seen(t testing.TB, from <-chan sighting) string {
	t.Helper()
	s := wait(t, "a leader", from)
	require.NoError(t, s.err)
	switch {
	case s.leader.None():
		return "-"
	case s.leader.Data != nil:
		return s.leader.ID + " " + string(s.leader.Data)
	}
	return s.leader.ID
}

func TestObserve(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	a := election.New(connect(t, srv), dir, "a", election.WithData(dataDir))
	b := election.New(connect(t, srv), dir, "b", election.WithData(dataDir))
	cl := connect(t, srv)
	session := sessionOf(t, cl)
	ctx, cancel := context.WithCancel(t.Context())
	got := observe(ctx, election.New(cl, dir, "", election.WithData(dataDir)))
	require.Equal(t, "-", seen(t, got), "at once, before the directory exists")
	term := campaign(t, a)
	require.Equal(t, "a", seen(t, got))
	require.NoError(t, term.Publish(t.Context(), []byte("one")))
	require.Equal(t, "a one", seen(t, got))
	require.NoError(t, term.Publish(t.Context(), []byte("two")))
	require.Equal(t, "a two", seen(t, got))
	next := standing(t.Context(), t, srv, b)
	require.NoError(t, term.Resign(t.Context()))
	require.Equal(t, "b", seen(t, got))
	require.NoError(t, elected(t, next).Resign(t.Context()))
	require.Equal(t, "-", seen(t, got))
	require.NoError(t, campaign(t, a).Err())
	require.Equal(t, "a", seen(t, got), "out of nothing again")

	// Strangers are nobody; and a directory that has only such is vacant.
	require.NoError(t, srv.Delete(dir+"/"+nodes(srv, dir)[0]))
	require.Equal(t, "-", seen(t, got))
	require.NoError(t, srv.Create(dir+"/config", nil))
	require.NoError(t, campaign(t, b).Err())
	require.Equal(t, "b", seen(t, got))
	require.Empty(t, got)

	cancel()
	s := wait(t, "the end", got)
	require.ErrorIs(t, s.err, context.Canceled)
	_, more := <-got
	require.False(t, more)
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		for _, w := range srv.WatchList() {
			assert.NotEqual(c, session, w.Session, "left at %s", w.Path)
		}
	}, patience, 1e6)
}

// An observer outlives connections and sessions, and tells nothing twice.
func TestObserveSurvives(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		a, b := election.New(connect(t, srv), dir, "a"), election.New(connect(t, srv), dir, "b")
		term := campaign(t, a)
		cl := connect(t, srv, quick)
		got := observe(t.Context(), election.New(cl, dir, ""))
		require.Equal(t, "a", seen(t, got))
		for range 5 {
			s := sessionOf(t, cl)
			again := srv.HoldReply(zktest.Match{Session: s, Ops: []zktest.Op{zktest.OpGetData}})
			require.True(t, srv.DropConnection(s))
			wait(t, "another look", again.Fired())
			again.Release()
		}
		next := standing(t.Context(), t, srv, b)
		require.True(t, srv.ExpireSession(sessionOf(t, cl)))
		require.NoError(t, term.Resign(t.Context()))
		require.Equal(t, "b", seen(t, got))
		require.NoError(t, elected(t, next).Resign(t.Context()))
		require.Equal(t, "-", seen(t, got))
		require.True(t, srv.ExpireSession(sessionOf(t, cl)))
		third := campaign(t, a)
		require.Equal(t, "a", seen(t, got))
		require.NoError(t, third.Resign(t.Context()))
		require.Equal(t, "-", seen(t, got))
		require.Empty(t, got)
		require.NoError(t, cl.Close())
		require.ErrorIs(t, wait(t, "the end", got).err, client.ErrClosed)
	})
}

// In a new session the servers are made to catch up before they are believed.
func TestObserveSyncsInANewSession(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	term := campaign(t, election.New(connect(t, srv), dir, "a"))
	cl := connect(t, srv, quick)
	got := observe(t.Context(), election.New(cl, dir, ""))
	require.Equal(t, "a", seen(t, got))
	require.Empty(t, srv.Requests(zktest.Match{Ops: []zktest.Op{zktest.OpSync}}))
	synced := srv.HoldReply(zktest.On("*", zktest.OpSync))
	require.True(t, srv.ExpireSession(sessionOf(t, cl)))
	wait(t, "a sync in the new session", synced.Fired())
	synced.Release()
	require.NoError(t, term.Resign(t.Context()))
	require.Equal(t, "-", seen(t, got), "and a, who leads on, is not told of again")
}

// Servers that were set back to an older state are not believed, and in the end that is said.
func TestObserveTellsWhenServersForget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		to := func() *client.Client {
			cl, err := client.Connect(t.Context(), srv.Addr(), client.WithDialer(srv.Dial))
			require.NoError(t, err)
			t.Cleanup(func() { _ = cl.Close() })
			return cl
		}
		for range 50 {
			require.NoError(t, srv.Create("/history/x", nil))
			require.NoError(t, srv.Delete("/history/x"))
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		fn := newLeading()
		ran := fn.run(ctx, election.New(to(), dir, "a"))
		got := observe(ctx, election.New(to(), dir, ""))
		for {
			s := <-got
			require.NoError(t, s.err)
			if !s.leader.None() {
				break
			}
		}
		under := <-fn.ctxs
		srv.Wipe()
		<-under.Done()
		fn.finish <- nil
		began := time.Now()
		for s := range got {
			if s.err != nil {
				require.ErrorIs(t, s.err, election.ErrStale)
				break
			}
			require.True(t, s.leader.None(), "%+v is of an older history", s.leader)
		}
		require.GreaterOrEqual(t, time.Since(began), 30*time.Second)
		cancel()
		fn.finish <- nil
		require.NoError(t, <-ran)
	})
}

// Under churn an observer sees the last state, tokens that only grow, and never the same twice in
// a row.
func TestObserveUnderChurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork(), zktest.WithTick(50*time.Millisecond))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		watched := connect(t, srv, quick)
		var observers []<-chan sighting
		for range 3 {
			observers = append(observers, observe(ctx, election.New(watched, dir, "", election.WithData(dataDir))))
		}
		var last atomic.Int64
		done := make(chan error, 4)
		for i := range 4 {
			cl := connect(t, srv, quick)
			e := election.New(cl, dir, fmt.Sprint(i), election.WithData(dataDir))
			go func() {
				done <- func() error {
					for n := range 10 {
						term, err := e.Campaign(ctx)
						if err != nil {
							return err
						}
						last.Store(term.Token())
						switch n % 5 {
						case 0:
							srv.DropConnections()
						case 1:
							srv.ExpireSession(sessionOf(t, watched))
						case 2:
							if err := term.Publish(ctx, fmt.Append(nil, n)); err != nil {
								return err
							}
						case 3:
							srv.ExpireSession(sessionOf(t, cl))
						}
						if err := term.Resign(ctx); err != nil {
							return err
						}
					}
					return nil
				}()
			}()
		}
		for range 4 {
			require.NoError(t, wait(t, "a candidate's end", done))
		}
		final := campaign(t, election.New(connect(t, srv, quick), dir, "final", election.WithData(dataDir)))
		require.Greater(t, final.Token(), last.Load())
		require.NoError(t, final.Publish(t.Context(), []byte("state")))
		for _, got := range observers {
			var token int64
			before := "nothing yet"
			for now := ""; now != "final state"; before = now {
				s := wait(t, "the final state", got)
				require.NoError(t, s.err)
				now = "-"
				if !s.leader.None() {
					require.GreaterOrEqual(t, s.leader.Token, token)
					require.False(t, before == "-" && s.leader.Token == token, "seen after its end")
					token = s.leader.Token
					now = s.leader.ID + " " + string(s.leader.Data)
				}
				if now == "-" {
					require.NotEqual(t, "-", before)
				}
			}
		}
	})
}

// A consumer that leaves, wherever that is, leaves nothing behind; and each range begins anew.
func TestObserveAgain(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	e := election.New(cl, dir, "a")
	for leader, err := range e.Observe(t.Context()) {
		require.NoError(t, err)
		require.True(t, leader.None())
		break
	}
	term := campaign(t, e)
	sequence := e.Observe(t.Context())
	for range 3 {
		next, stop := iter.Pull2(sequence)
		leader, err, ok := next()
		require.True(t, ok)
		require.NoError(t, err)
		require.Equal(t, "a", leader.ID)
		stop()
	}
	require.NoError(t, term.Resign(t.Context()))
	requireGone(t, srv)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range e.Observe(cancelled) {
		require.ErrorIs(t, err, context.Canceled)
	}
	requireGone(t, srv)
}
