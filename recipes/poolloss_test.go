package recipes_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

// The session expires at each request in turn: the permits are had in the next one, and
// nothing of the old one counts.
func TestPoolSessionLostAtEveryAwaitPoint(t *testing.T) {
	t.Parallel()
	eachPoolSite(t, func(t *testing.T, at poolSite) {
		for _, sc := range poolScenes {
			for i := range sc.count(t, at) - 1 { // the last one gives up the place, behind the grant
				runInBubble(t, fmt.Sprintf("%s, request %d", sc.name, i+1), func(t *testing.T) {
					st := sc.stage(t, at)
					h := st.srv.HoldReply(st.of(i))
					expired := make(chan bool, 1)
					go func() {
						<-h.Fired()
						expired <- st.srv.ExpireSession(st.session)
						h.Release()
					}()
					ctx, cancel := context.WithCancel(t.Context())
					freed := st.freeLater(ctx)
					got := st.ask(t.Context())
					require.True(t, wait(t, "the loss", expired))
					cancel()
					wait(t, "the helper", freed)
					st.free()
					o := wait(t, "the permits", got)
					require.NoError(t, o.err)
					require.NotEqual(t, st.session, o.grant.Session().ID())
					require.NoError(t, o.grant.Err())
					at.requireLeft(t, st.srv, sc.n, anyWatches)
					release(t, o.grant)
					at.requireLeft(t, st.srv, 0, 0)
				})
			}
		}
	})
}

// lookHeld is the answer to the first look of a call that finds room, as long as it is held.
func (at poolSite) lookHeld(t *testing.T, srv *zktest.Server, p *recipes.Pool) (*zktest.Hold, <-chan outcome) {
	t.Helper()
	for range 2 { // makes the nodes, and has a look at what was made
		release(t, take(t, p, 1))
		at.requireLeft(t, srv, 0, 0)
	}
	s := srv.HoldReply(zktest.On(at.permits, zktest.OpGetChildren2))
	placed := after(srv, zktest.On(at.line, zktest.OpGetChildren2))
	got := takeLater(t.Context(), p, 1)
	wait(t, "the look", s.Fired())
	wait(t, "the place", placed)
	return s, got
}

// #213: who has lost its place, and does not know, makes no permits: the transaction is refused.
func TestPoolPlaceLostBeforeTheTransaction(t *testing.T) {
	t.Parallel()
	eachPoolSite(t, func(t *testing.T, at poolSite) {
		srv := zktest.Start(t, zktest.WithContainerInterval(time.Hour))
		p := at.pool(t, connect(t, srv), 1)
		look, late := at.lookHeld(t, srv, p)
		place := at.inLine(srv)
		require.Len(t, place, 1)
		require.NoError(t, srv.Delete(at.line+"/"+place[0]))
		g := take(t, at.pool(t, connect(t, srv), 1), 1)
		at.requireLeft(t, srv, 1, 0)
		waiting := after(srv, watchesPool)
		srv.ResetRequests()
		look.Release()
		wait(t, "its wait, in a place of its own again", waiting)
		require.Empty(t, late)
		require.Len(t, srv.Requests(zktest.Match{Path: at.permits + "/*", Ops: []zktest.Op{zktest.OpMulti}}), 1, "it has tried")
		require.Empty(t, srv.Requests(zktest.On(at.permits+"/*", zktest.OpExists, zktest.OpDelete)), "and made nothing")
		require.Equal(t, []string{base(g.Path())}, at.held(srv))
		release(t, g)
		o := wait(t, "the permit", late)
		require.NoError(t, o.err)
		release(t, o.grant)
		at.requireLeft(t, srv, 0, 0)
	})
}

// #429: a client of one of the libraries that has lost its place, and does not look, makes a
// permit all the same. It is counted, late as it is.
func TestPoolPermitOfOneWithoutPlace(t *testing.T) {
	t.Parallel()
	eachPoolSite(t, func(t *testing.T, at poolSite) {
		srv := zktest.Start(t, zktest.WithContainerInterval(time.Hour))
		look, got := at.lookHeld(t, srv, at.pool(t, connect(t, srv), 1))
		free := at.hold(t, srv)
		waiting := after(srv, watchesPool)
		look.Release()
		wait(t, "its wait", waiting)
		require.Empty(t, got)
		require.Len(t, at.held(srv), 1)
		free()
		o := wait(t, "the permit", got)
		require.NoError(t, o.err)
		release(t, o.grant)
		at.requireLeft(t, srv, 0, 0)
	})
}

// Somebody deletes one of two permits before they are counted: neither is handed out.
func TestPoolPermitDeletedBeforeTheGrant(t *testing.T) {
	t.Parallel()
	eachPoolSite(t, func(t *testing.T, at poolSite) {
		srv := zktest.Start(t)
		made := srv.HoldReply(zktest.On(at.permits+"/*", zktest.OpMulti))
		got := takeLater(t.Context(), at.pool(t, connect(t, srv), 2), 2)
		for { // the first one finds no directory in Curator's layout, or has made the permits
			wait(t, "a transaction", made.Fired())
			if len(at.held(srv)) == 2 {
				break
			}
			next := srv.HoldReply(zktest.On(at.permits+"/*", zktest.OpMulti))
			made.Release()
			made = next
		}
		first := at.held(srv)
		require.NoError(t, srv.Delete(at.permits+"/"+first[0]))
		made.Release()
		o := wait(t, "permits", got)
		require.NoError(t, o.err)
		at.requireLeft(t, srv, 2, 0)
		require.NotContains(t, o.grant.Paths(), at.permits+"/"+first[1])
		release(t, o.grant)
		at.requireLeft(t, srv, 0, 0)
	})
}

// Who waits for permits loses its place: the next one gets them, and it queues again.
func TestPoolPlaceLostWhileWaiting(t *testing.T) {
	t.Parallel()
	eachPoolSite(t, func(t *testing.T, at poolSite) {
		srv := zktest.Start(t)
		free := at.hold(t, srv)
		first := takeWaiting(t.Context(), t, srv, at.pool(t, connect(t, srv), 1), 1)
		place := at.inLine(srv)
		second := at.takeQueued(t.Context(), t, srv, at.pool(t, connect(t, srv), 1), 1)
		headed := after(srv, watchesPool)
		require.NoError(t, srv.Delete(at.line+"/"+place[0]))
		wait(t, "the second at the head", headed)
		free()
		o := wait(t, "the permit", second)
		require.NoError(t, o.err)
		require.Empty(t, first)
		require.Equal(t, []string{base(o.grant.Path())}, at.held(srv))
		release(t, o.grant)
		o = wait(t, "the permit", first)
		require.NoError(t, o.err)
		release(t, o.grant)
		at.requireLeft(t, srv, 0, 0)
	})
}

func TestPoolDeletedWhileWaiting(t *testing.T) {
	t.Parallel()
	eachPoolSite(t, func(t *testing.T, at poolSite) {
		srv := zktest.Start(t)
		p := at.pool(t, connect(t, srv), 1)
		g := take(t, p, 1)
		next := takeWaiting(t.Context(), t, srv, p, 1)
		require.NoError(t, srv.Delete("/pools"))
		o := wait(t, "the permit", next)
		require.NoError(t, o.err)
		require.Greater(t, o.grant.Token(), g.Token())
		require.Equal(t, []string{base(o.grant.Path())}, at.held(srv))
		n, _ := srv.Node(pool)
		require.Equal(t, "1", string(n.Data), "the limit is written again")
		release(t, g)
		require.Len(t, at.held(srv), 1)
		release(t, o.grant)
	})
}

func TestPoolConnectionLostWhileWaiting(t *testing.T) {
	t.Parallel()
	eachPoolSite(t, func(t *testing.T, at poolSite) {
		srv := zktest.Start(t)
		free := at.hold(t, srv)
		cl := connect(t, srv)
		s, err := cl.Session(t.Context())
		require.NoError(t, err)
		next := takeWaiting(t.Context(), t, srv, at.pool(t, cl, 1), 1)
		place := at.inLine(srv)
		again := after(srv, watchesPool)
		require.True(t, srv.DropConnection(s.ID()))
		wait(t, "the watch after the reconnect", again)
		require.Equal(t, place, at.inLine(srv), "it keeps its place")
		free()
		o := wait(t, "the permit", next)
		require.NoError(t, o.err)
		release(t, o.grant)
		at.requireLeft(t, srv, 0, 0)
	})
}

// A session that is left to another process takes no places and no permits along but those
// that were granted.
func TestPoolDetachedAtEveryAwaitPoint(t *testing.T) {
	t.Parallel()
	eachPoolSite(t, func(t *testing.T, at poolSite) {
		for _, sc := range poolScenes {
			for i := range sc.count(t, at) - 1 {
				runInBubble(t, fmt.Sprintf("%s, request %d", sc.name, i+1), func(t *testing.T) {
					st := sc.stage(t, at)
					s, err := st.cl.Session(t.Context())
					require.NoError(t, err)
					h := st.srv.HoldReply(st.of(i))
					ctx, cancel := context.WithCancel(t.Context())
					freed := st.freeLater(ctx)
					got := st.ask(t.Context())
					wait(t, "the request", h.Fired())
					cancel()
					wait(t, "the helper", freed)
					left := make(chan error, 1)
					go func() {
						ctx, cancel := context.WithTimeout(t.Context(), patience)
						defer cancel()
						_, err := st.cl.Detach(ctx)
						left <- err
					}()
					wait(t, "the announcement", s.Detaching())
					h.Release()
					o := wait(t, "the end of the call", got)
					require.NoError(t, wait(t, "the end of Detach", left))
					var own []string
					for path, n := range st.srv.Dump() {
						if n.Stat.EphemeralOwner == st.session && strings.HasPrefix(path, pool) {
							own = append(own, path)
						}
					}
					if o.err == nil {
						assert.ElementsMatch(t, o.grant.Paths(), own)
						return
					}
					require.ErrorIs(t, o.err, client.ErrDetached)
					require.Empty(t, own)
				})
			}
		}
	})
}

// Who has lost its place while it waits for permits takes another one, whether or not anything changes there.
func TestPoolWaiterJoinsAgain(t *testing.T) {
	for _, at := range poolSites {
		runInBubble(t, at.layout.String(), func(t *testing.T) {
			srv := zktest.Start(t, inMemory)
			free := at.hold(t, srv)
			first := takeWaiting(t.Context(), t, srv, at.pool(t, connect(t, srv), 1), 1)
			place := at.inLine(srv)
			require.NoError(t, srv.Delete(at.line+"/"+place[0]))
			time.Sleep(time.Minute / 2) // of the bubble: it hears of that when it confirms what it holds
			require.Len(t, at.inLine(srv), 1)
			require.NotEqual(t, place, at.inLine(srv))
			free()
			o := wait(t, "the permit", first)
			require.NoError(t, o.err)
			release(t, o.grant)
			at.requireLeft(t, srv, 0, 0)
		})
	}
}

// What has become of a transaction whose reply was lost is looked up behind a commit of the quorum: a server that
// has not heard of it yet would be wrong.
func TestPoolLooksBehindACommit(t *testing.T) {
	t.Parallel()
	eachPoolSite(t, func(t *testing.T, at poolSite) {
		srv := zktest.Start(t, zktest.WithContainerInterval(time.Hour))
		p := at.pool(t, connect(t, srv), 1)
		release(t, take(t, p, 1))
		at.requireLeft(t, srv, 0, 0)
		srv.ResetRequests()
		creates := func(op zktest.Request) bool { return op.Op != zktest.OpCheck }
		lost := srv.SwallowReply(zktest.Match{Ops: []zktest.Op{zktest.OpMulti}, Where: func(r zktest.Request) bool {
			return slices.ContainsFunc(r.Multi, creates)
		}})
		got := takeLater(t.Context(), p, 1)
		wait(t, "the loss", lost.Fired())
		o := wait(t, "the permit", got)
		require.NoError(t, o.err)
		all := srv.Requests(zktest.Match{Session: o.grant.Session().ID()})
		behind := all[1+slices.IndexFunc(all, func(r zktest.Request) bool { return slices.ContainsFunc(r.Multi, creates) }):]
		commit := slices.IndexFunc(behind, func(r zktest.Request) bool { // not that of what is held, which may come later
			return r.Op == zktest.OpMulti && !strings.HasPrefix(r.Multi[0].Path, at.line)
		})
		look := slices.IndexFunc(behind, func(r zktest.Request) bool { return r.Op == zktest.OpGetChildren2 && r.Path == at.permits })
		require.GreaterOrEqual(t, commit, 0)
		require.Less(t, commit, look)
		release(t, o.grant)
		at.requireLeft(t, srv, 0, 0)
	})
}
