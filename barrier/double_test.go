package barrier_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/barrier"
	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

func TestDoubleOfOne(t *testing.T) {
	t.Parallel()
	for _, layout := range []recipes.Layout{recipes.Curator, recipes.Kazoo} {
		srv := zktest.Start(t)
		cl := connect(t, srv)
		d := barrier.NewDouble(cl, dir, 1, barrier.WithLayout(layout), barrier.WithIdentifier("me"))
		for range 3 {
			in, err := d.Enter(bounded(t))
			require.NoError(t, err)
			n, ok := srv.Node(in.Path())
			require.True(t, ok)
			require.Equal(t, "me", string(n.Data))
			require.Equal(t, sessionOf(t, cl), n.Stat.EphemeralOwner)
			name := base(in.Path())
			if layout == recipes.Kazoo {
				require.Len(t, name, 32)
			} else {
				require.Len(t, name, 36)
				require.Equal(t, 4, strings.Count(name, "-"))
			}
			_, err = hex.DecodeString(strings.ReplaceAll(name, "-", ""))
			require.NoError(t, err)
			n, ok = srv.Node(ready)
			require.True(t, ok)
			require.Zero(t, n.Stat.EphemeralOwner)
			require.Empty(t, n.Data)
			_, err = d.Enter(bounded(t))
			require.ErrorIs(t, err, barrier.ErrEntered)
			require.NoError(t, in.Err())
			require.NoError(t, in.Leave(bounded(t)))
			require.Equal(t, barrier.ErrLeft, in.Err())
			require.Equal(t, barrier.ErrLeft, context.Cause(in.Context()))
			require.NoError(t, in.Leave(bounded(t)), "again, and nothing happens")
			requireLeft(t, srv, 0)
		}
	}
}

// Round after round with the same participants: nobody is ahead of another by more than a step.
func TestDoubleRounds(t *testing.T) {
	t.Parallel()
	const n, rounds = 3, 6
	srv := zktest.Start(t)
	ctx := bounded(t)
	var inside, outside [rounds]atomic.Int32
	done := make(chan error, n)
	for range n {
		d := barrier.NewDouble(connect(t, srv), dir, n)
		go func() {
			done <- func() error {
				for r := range rounds {
					if r > 0 && outside[r-1].Load() == 0 {
						return fmt.Errorf("round %d begins before anybody has left the one before", r)
					}
					inside[r].Add(1) // before it asks
					in, err := d.Enter(ctx)
					if err != nil {
						return err
					}
					if k := inside[r].Load(); k != n {
						return fmt.Errorf("round %d: let in with %d", r, k)
					}
					outside[r].Add(1)
					if err := in.Leave(ctx); err != nil {
						return err
					}
					if k := outside[r].Load(); k != n {
						return fmt.Errorf("round %d: let out with %d", r, k)
					}
				}
				return nil
			}()
		}()
	}
	for range n {
		require.NoError(t, wait(t, "a participant", done))
	}
	requireLeft(t, srv, 0)
}

// Neither a stale ready nor a child that belongs to no session counts (GH-1290, K8), and the
// stale one is deleted.
func TestDoubleCountsParticipants(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	require.NoError(t, srv.Create(ready, nil))
	require.NoError(t, srv.Create(dir+"/notes", nil))
	cl := connect(t, srv)
	first := waiting(bounded(t), t, srv, cl, barrier.NewDouble(cl, dir, 3))
	require.EventuallyWithT(t, absent(srv, ready), patience, time.Millisecond)
	two := connect(t, srv)
	second := waiting(bounded(t), t, srv, two, barrier.NewDouble(two, dir, 3))
	not(t, "there are two", first)
	not(t, "there are two", second)
	third, err := barrier.NewDouble(connect(t, srv), dir, 3).Enter(bounded(t))
	require.NoError(t, err)
	a, b := got(t, first), got(t, second)
	left := []<-chan error{}
	for _, in := range []*barrier.Inside{a, b, third} {
		left = append(left, later(func() error { return in.Leave(bounded(t)) }))
	}
	for _, l := range left {
		require.NoError(t, wait(t, "the end of Leave", l))
	}
	requireLeft(t, srv, 0, "notes")
}

// More than n are let in if they come in time, or while n are inside.
func TestDoubleLate(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	a, b := peer(t, cl, "0-a"), peer(t, cl, "0-b")
	late, err := barrier.NewDouble(connect(t, srv), dir, 2).Enter(bounded(t))
	require.NoError(t, err, "two are there")
	later2, err := barrier.NewDouble(connect(t, srv), dir, 2).Enter(bounded(t))
	require.NoError(t, err, "and ready stands")

	// From now on the round comes to its end: one of four, then two.
	require.NoError(t, cl.Delete(bounded(t), a, client.AnyVersion))
	require.NoError(t, cl.Delete(bounded(t), b, client.AnyVersion))
	out := later(func() error { return late.Leave(bounded(t)) })
	out2 := later(func() error { return later2.Leave(bounded(t)) })
	require.NoError(t, wait(t, "the end of Leave", out))
	require.NoError(t, wait(t, "the end of Leave", out2))
	requireLeft(t, srv, 0)
}

// Who comes while a round is coming to its end waits without a node, so that nobody waits for it;
// then it is of the next one.
func TestDoubleLateWhenLeaving(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	a, b := peer(t, cl, "0-a"), peer(t, cl, "0-b")
	require.NoError(t, srv.Create(ready, nil))
	require.NoError(t, cl.Delete(bounded(t), b, client.AnyVersion))

	mine := connect(t, srv)
	armed := after(srv, watching(sessionOf(t, mine)))
	enters := enterLater(bounded(t), barrier.NewDouble(mine, dir, 2))
	wait(t, "the watch on who is inside", armed)
	not(t, "one is inside", enters)
	require.Equal(t, []string{"0-a", "ready"}, nodes(srv))

	looked := after(srv, listed(sessionOf(t, mine)))
	require.NoError(t, cl.Delete(bounded(t), a, client.AnyVersion)) // and forgets ready
	wait(t, "another look", looked)
	require.Eventually(t, func() bool {
		all := nodes(srv)
		return len(all) == 1 && all[0] != "ready"
	}, patience, time.Millisecond, "the own node, and no ready")
	not(t, "nobody else is there", enters)
	peer(t, cl, "0-a")
	_ = srv.Create(ready, nil) // unless the other has been quicker
	got(t, enters)
}

// Leave returns when all have left and not before, however often it wakes up (K9), and the last takes
// ready away.
func TestDoubleLeaveWaitsForAll(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"!", "~"} { // before and after any other
		srv := zktest.Start(t)
		cl, mine := connect(t, srv), connect(t, srv)
		one, two := peer(t, cl, name+"1"), peer(t, cl, name+"2")
		d := barrier.NewDouble(mine, dir, 3)
		in, err := d.Enter(bounded(t))
		require.NoError(t, err)
		armed := after(srv, watching(sessionOf(t, mine)))
		leaves := later(func() error { return in.Leave(bounded(t)) })
		wait(t, "the watch", armed)
		armed = after(srv, watching(sessionOf(t, mine)))
		srv.DropConnections()
		wait(t, "the watch after a loss", armed)
		not(t, "two are inside", leaves)
		_, err = d.Enter(bounded(t))
		require.ErrorIs(t, err, barrier.ErrEntered)

		armed = after(srv, watching(sessionOf(t, mine)))
		if name == "!" { // the lowest leaves, the other is the lowest then
			require.NoError(t, cl.Delete(bounded(t), one, client.AnyVersion))
		} else { // the highest leaves
			require.NoError(t, cl.Delete(bounded(t), two, client.AnyVersion))
		}
		wait(t, "the next watch", armed)
		not(t, "one is inside", leaves)
		require.Equal(t, name == "~", len(nodes(srv)) == 3, "the lowest is the last, with one other and ready: %v", nodes(srv))
		if name == "!" {
			require.NoError(t, cl.Delete(bounded(t), two, client.AnyVersion))
		} else {
			require.NoError(t, cl.Delete(bounded(t), one, client.AnyVersion))
		}
		require.NoError(t, wait(t, "the end of Leave", leaves))
		keep := []string{}
		if name == "!" {
			keep = []string{"ready"} // which the lowest takes away, had it been ours
		}
		requireLeft(t, srv, 0, keep...)
	}
}

// Who enters while others are leaving is not waited for, even by its old name.
func TestDoubleLeaveDoesNotWaitForTheNextRound(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl, mine := connect(t, srv), connect(t, srv)
	first := peer(t, cl, "!")
	in, err := barrier.NewDouble(mine, dir, 2).Enter(bounded(t))
	require.NoError(t, err)
	armed := after(srv, watching(sessionOf(t, mine)))
	leaves := later(func() error { return in.Leave(bounded(t)) })
	wait(t, "the watch", armed)
	h := srv.HoldReply(listed(sessionOf(t, mine))) // and with it the event
	require.NoError(t, cl.Delete(bounded(t), first, client.AnyVersion))
	peer(t, cl, "!")
	peer(t, cl, "~")
	wait(t, "a look", h.Fired())
	h.Release()
	require.NoError(t, wait(t, "the end of Leave", leaves))
}
