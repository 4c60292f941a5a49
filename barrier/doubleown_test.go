package barrier_test

import (
	"context"
	"path"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/barrier"
	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

// A participant's own node, and nodes that only look like it.

// The node of the session before is there still when the next one enters: it goes with that session, and so is
// not what a participant can be inside by (C2).
func TestDoubleDoesNotEnterByTheNodeOfAFormerSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const lifetime = 4 * time.Second
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		cl := connect(t, srv, client.WithSessionTimeout(lifetime))
		peers := connect(t, srv)
		enters := waiting(bounded(t), t, srv, cl, barrier.NewDouble(cl, dir, 2))
		former := sessionOf(t, cl)
		srv.SetReadOnly(true) // without a leader no session expires
		<-time.After(2 * lifetime)
		srv.SetReadOnly(false) // and a new leader gives each its whole time again
		looked := after(srv, zktest.Match{Path: dir, Ops: []zktest.Op{zktest.OpGetChildren2}, Where: func(r zktest.Request) bool { return r.Session != former }})
		wait(t, "another look, in the next session", looked)
		require.Len(t, nodes(srv), 1)
		peer(t, peers, "~")
		require.NoError(t, srv.Create(ready, nil))
		in := got(t, enters)
		<-time.After(3 * lifetime)
		require.NoError(t, in.Err())
		own, there := srv.Node(in.Path())
		require.True(t, there)
		require.Equal(t, sessionOf(t, cl), own.Stat.EphemeralOwner)
		require.NoError(t, peers.Delete(bounded(t), dir+"/~", client.AnyVersion))
		require.NoError(t, in.Leave(bounded(t)))
		requireIdle(t)
	})
}

// A deletion whose reply was lost is repeated: it must not hit the node with which the participant has entered
// again.
func TestDoubleEntersBehindItsOwnDeletion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		d := barrier.NewDouble(connect(t, srv), dir, 1)
		in, err := d.Enter(bounded(t))
		require.NoError(t, err)
		deleted := srv.SwallowReply(zktest.Match{Ops: []zktest.Op{zktest.OpMulti, zktest.OpDelete}})
		srv.Refuse()
		ctx, cancel := context.WithCancel(bounded(t))
		left := later(func() error { return in.Leave(ctx) })
		<-deleted.Fired()
		cancel()
		require.ErrorIs(t, <-left, context.Canceled)
		require.Empty(t, nodes(srv))
		again := enterLater(bounded(t), d)
		synctest.Wait()
		srv.Accept()
		in = got(t, again)
		<-time.After(time.Second)
		require.NoError(t, in.Err())
		require.Contains(t, nodes(srv), base(in.Path()))
		require.NoError(t, in.Leave(bounded(t)))
		requireIdle(t)
	})
}

// A stale ready is deleted, and no other that has taken its place meanwhile.
func TestDoubleDeletesTheStaleReadyOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		cl, peers := connect(t, srv), connect(t, srv)
		require.NoError(t, srv.Create(ready, nil))
		session := sessionOf(t, cl)
		var opened int64
		srv.OnRequest(func(r zktest.Request) {
			if opened == 0 && r.Session == session && r.Path == ready && r.Op == zktest.OpSetData {
				opened = 1
				if err := srv.Delete(ready); err != nil {
					t.Error(err)
				}
				peer(t, peers, "!")
				peer(t, peers, "~")
				if err := srv.Create(ready, nil); err != nil {
					t.Error(err)
				}
				n, _ := srv.Node(ready)
				opened = n.Stat.Czxid
			}
		})
		in := got(t, enterLater(bounded(t), barrier.NewDouble(cl, dir, 2)))
		srv.OnRequest(nil)
		n, there := srv.Node(ready)
		require.True(t, there)
		require.Equal(t, opened, n.Stat.Czxid, "the round that others have opened")
		for _, name := range []string{"!", "~"} {
			require.NoError(t, peers.Delete(bounded(t), dir+"/"+name, client.AnyVersion))
		}
		require.NoError(t, in.Leave(bounded(t)))
		requireIdle(t)
	})
}

// Who cannot prove any more that it is inside is out, and its node is deleted though its session lives: the others do not
// wait for it.
func TestDoubleLostIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork(), zktest.WithTick(50*time.Millisecond))
		cl := connect(t, srv, client.WithSessionTimeout(time.Second))
		in, err := barrier.NewDouble(cl, dir, 1).Enter(bounded(t))
		require.NoError(t, err)
		var drops []*zktest.Fault
		for range 200 {
			drops = append(drops, srv.DropRequest(zktest.Match{Ops: []zktest.Op{zktest.OpMulti}}))
		}
		wait(t, "the end of the participant", in.Context().Done())
		require.ErrorIs(t, in.Err(), client.ErrUnconfirmed)
		require.EqualValues(t, 1, cl.State().Epoch, "the session goes on")
		require.EventuallyWithT(t, absent(srv, in.Path()), patience, 2*time.Millisecond)
		for _, d := range drops {
			d.Cancel()
		}
		require.ErrorIs(t, in.Leave(bounded(t)), barrier.ErrLost)
		requireIdle(t)
	})
}

// Who is refused counts for nobody any more when it is told so.
func TestDoubleRefusedIsGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		srv.FailNext(zktest.On(ready, zktest.OpCreate2), zktest.NoAuth)
		_, err := barrier.NewDouble(connect(t, srv), dir, 1).Enter(bounded(t))
		require.ErrorIs(t, err, client.ErrNoAuth)
		require.Empty(t, nodes(srv))
	})
}

// In Kazoo's layout the first that leaves deletes ready, and one that came later would keep it waiting.
func TestDoubleLeavesNoSecondReadyToKazoo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		cl, peers := connect(t, srv), connect(t, srv)
		peer(t, peers, "!")
		once, session := false, sessionOf(t, cl)
		srv.OnRequest(func(r zktest.Request) {
			if !once && r.Session == session && r.Path == ready && r.Op == zktest.OpCreate2 {
				once = true
				for _, err := range []error{srv.Create(ready, nil), srv.Delete(ready)} {
					if err != nil {
						t.Error(err)
					}
				}
			}
		})
		in := got(t, enterLater(bounded(t), barrier.NewDouble(cl, dir, 2, barrier.WithLayout(recipes.Kazoo))))
		srv.OnRequest(nil)
		require.True(t, once)
		require.EventuallyWithT(t, absent(srv, ready), patience, 2*time.Millisecond)
		require.NoError(t, peers.Delete(bounded(t), dir+"/!", client.AnyVersion))
		require.NoError(t, in.Leave(bounded(t)))
		requireIdle(t)
	})
}

// In Kazoo's layout a round may have passed before the first look, if the connection was lost by then.
func TestDoubleMissedBeforeTheFirstLook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		cl := connect(t, srv)
		srv.DropRequest(listed(sessionOf(t, cl)))
		_, err := barrier.NewDouble(cl, dir, 2, barrier.WithLayout(recipes.Kazoo)).Enter(bounded(t))
		require.ErrorIs(t, err, barrier.ErrMissed)
		requireLeft(t, srv, 0)
	})
}

// The round opens just before the own node is made, and some of it leave before they are counted: too few are
// left to be let in with.
func TestDoubleIsNotLetInToARoundThatEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		cl, peers := connect(t, srv), connect(t, srv)
		session := sessionOf(t, cl)
		steps := 0
		srv.OnRequest(func(r zktest.Request) {
			switch {
			case r.Session != session:
			case steps == 0 && r.Op == zktest.OpCreate2 && r.Path != dir && path.Dir(r.Path) == dir:
				steps++
				for _, name := range []string{"a", "b", "c"} {
					peer(t, peers, name)
				}
				if err := srv.Create(ready, nil); err != nil {
					t.Error(err)
				}
			case steps == 1 && r.Op == zktest.OpGetChildren2:
				steps++
				for _, name := range []string{"a", "b"} {
					if err := srv.Delete(dir + "/" + name); err != nil {
						t.Error(err)
					}
				}
			}
		})
		enters := enterLater(bounded(t), barrier.NewDouble(cl, dir, 3))
		synctest.Wait()
		require.Equal(t, 2, steps)
		not(t, "one is left of that round", enters)
		require.NoError(t, srv.Delete(dir+"/c"))
		require.NoError(t, srv.Delete(ready))
		synctest.Wait()
		not(t, "it is alone in the next", enters)
		for _, name := range []string{"!", "~"} {
			peer(t, peers, name)
		}
		require.NoError(t, srv.Create(ready, nil)) // by the last
		in := got(t, enters)
		for _, name := range []string{"!", "~"} {
			require.NoError(t, peers.Delete(bounded(t), dir+"/"+name, client.AnyVersion))
		}
		require.NoError(t, in.Leave(bounded(t)))
		requireIdle(t)
	})
}

// Other children of the directory are no participants.
func TestDoubleDoesNotCountStrangers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		require.NoError(t, srv.Create(dir+"/notes", nil))
		ctx, cancel := context.WithCancel(t.Context())
		enters := enterLater(ctx, barrier.NewDouble(connect(t, srv), dir, 2))
		synctest.Wait()
		not(t, "nobody else is there", enters)
		cancel()
		require.ErrorIs(t, wait(t, "the end of Enter", enters).err, context.Canceled)
		requireLeft(t, srv, 0, "notes")
	})
}
