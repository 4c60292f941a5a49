package group_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/group"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

func TestMembers(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	a, b, cl := connect(t, srv), connect(t, srv), connect(t, srv)
	require.Empty(t, listed(t, cl), "before there is a group")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	got := watch(ctx, cl)
	sees(t, got)
	worker7 := join(t, a, "worker-7", "seven")
	sees(t, got, "worker-7=seven")
	require.Equal(t, "worker-7", worker7.ID())
	require.Equal(t, "/workers/worker-7", worker7.Path())
	worker8 := join(t, b, "worker-8", "eight")
	sees(t, got, "worker-7=seven", "worker-8=eight")
	require.NoError(t, worker7.Set(t.Context(), []byte("busy")))
	require.Equal(t, "busy", string(worker7.Data()))
	sees(t, got, "worker-7=busy", "worker-8=eight")
	require.Equal(t, []string{"worker-7=busy", "worker-8=eight"}, listed(t, cl))

	// Across sessions.
	old := sessionOf(t, a)
	require.True(t, srv.ExpireSession(old))
	sees(t, got, "worker-8=eight")
	sees(t, got, "worker-7=busy", "worker-8=eight")
	members, err := group.Members(t.Context(), cl, dir)
	require.NoError(t, err)
	require.Equal(t, sessionOf(t, a), members[0].Session)
	require.NotEqual(t, old, members[0].Session)
	require.Equal(t, worker7.State().Czxid, members[0].Czxid)

	// A stranger is no member.
	require.NoError(t, srv.Create("/workers/config", nil))
	require.Equal(t, []string{"worker-7=busy", "worker-8=eight"}, listed(t, cl))

	leave(t, worker7)
	leave(t, worker7)
	sees(t, got, "worker-8=eight")
	require.ErrorIs(t, worker7.Set(t.Context(), nil), group.ErrLeft)
	require.NoError(t, b.Close())
	sees(t, got)
	leave(t, worker8)
	cancel()
	s := wait(t, "the end", got)
	require.ErrorIs(t, s.err, context.Canceled)
	requireNothingLeft(t, srv)
}

// Kazoo's parties: two members of one id, data where there can be any.
func TestParties(t *testing.T) {
	t.Parallel()
	for name, party := range map[string]group.Option{"Party": group.WithLayout(recipes.Kazoo), "ShallowParty": group.WithShallowParty()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := zktest.Start(t)
			cl := connect(t, srv)
			a, b := join(t, cl, "a-1", "", party), join(t, cl, "a-1", "", party)
			require.Equal(t, []string{"a-1=a-1", "a-1=a-1"}, listed(t, cl, party))
			require.NotEqual(t, a.Path(), b.Path())
			unique := strings.TrimPrefix(a.Path(), dir+"/")
			if name == "Party" {
				require.Regexp(t, `^[0-9a-f]{32}__party__$`, unique)
				_, err := group.Join(t.Context(), cl, dir, "x", []byte("data"), party)
				require.ErrorIs(t, err, client.ErrBadArgument)
			} else {
				require.Regexp(t, `^[0-9a-f]{32}-a-1$`, unique)
				c := join(t, cl, "c", "data", party)
				require.Equal(t, []string{"a-1=a-1", "a-1=a-1", "c=data"}, listed(t, cl, party))
				leave(t, c)
			}
			v, err := group.Observe(t.Context(), cl, dir, party)
			require.NoError(t, err)
			defer v.Close()
			info, ok := v.Get("a-1")
			require.True(t, ok)
			require.Equal(t, "a-1", info.ID)
			_, ok = v.Get("a")
			require.False(t, ok)
			require.Len(t, v.Members(), 2)
			leave(t, a)
			leave(t, b)
		})
	}
}

// An id is one member's: who was killed is one until its session is over.
func TestJoinTaken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, inMemory)
		killed, cl := connect(t, srv, quick), connect(t, srv)
		join(t, killed, "a", "former")
		_, err := group.Join(t.Context(), killed, dir, "a", nil)
		require.ErrorIs(t, err, group.ErrTaken)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = group.Join(ctx, cl, dir, "a", nil)
		require.ErrorIs(t, err, group.ErrTaken)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		joined := make(chan *group.Member, 1)
		go func() { joined <- join(t, cl, "a", "latter") }()
		time.Sleep(time.Second)
		require.True(t, srv.ExpireSession(sessionOf(t, killed)))
		// Of the two that want it now one gets it; the other one waits.
		synctest.Wait()
		if len(joined) == 0 {
			require.NoError(t, killed.Close())
		}
		m := wait(t, "the id", joined)
		require.Equal(t, []string{"a=latter"}, listed(t, cl))
		leave(t, m)
	})
}

func TestBadArguments(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	for _, id := range []string{"", "a/b", ".", "..", "\x00", strings.Repeat("x", 100_000)} {
		_, err := group.Join(t.Context(), cl, dir, id, nil)
		require.ErrorIs(t, err, client.ErrBadArgument, id)
	}
	for _, opt := range []group.Option{nil, group.WithLayout(9), group.WithACL(), group.WithSettling(time.Second), group.WithSettling(-1), group.WithAssignment(nil), group.WithAssignment(group.Strided)} {
		_, err := group.Join(t.Context(), cl, dir, "a", nil, opt)
		require.ErrorIs(t, err, client.ErrBadArgument)
		_, err = group.Members(t.Context(), cl, dir, opt)
		require.ErrorIs(t, err, client.ErrBadArgument)
		_, err = group.Observe(t.Context(), cl, dir, opt)
		require.ErrorIs(t, err, client.ErrBadArgument)
		for _, err := range group.Watch(t.Context(), cl, dir, opt) {
			require.ErrorIs(t, err, client.ErrBadArgument)
		}
	}
	_, err := group.Join(t.Context(), nil, dir, "a", nil)
	require.ErrorIs(t, err, client.ErrBadArgument)
	_, err = group.Join(t.Context(), cl, "workers", "a", nil)
	require.ErrorIs(t, err, client.ErrBadPath)
	require.NoError(t, srv.Create(dir, nil))
	m := join(t, cl, "a", "", group.WithACL(client.WorldACL(client.PermRead|client.PermDelete|client.PermWrite)))
	acl, _, err := cl.GetACL(t.Context(), m.Path())
	require.NoError(t, err)
	require.Equal(t, client.PermRead|client.PermDelete|client.PermWrite, acl[0].Perms)
	require.Empty(t, srv.Requests(zktest.On("/workers/b*")))
}

// A change of the members costs each watcher one read, or none if somebody has left; however many
// look at its view.
func TestWatchCost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, inMemory)
		changer, cl := connect(t, srv), connect(t, srv)
		require.NoError(t, srv.Create(dir, nil)) // or it would go with the last member, and come back with a read
		for _, id := range []string{"a", "b", "c", "d", "e"} {
			join(t, changer, id, "")
		}
		v, err := group.Observe(t.Context(), cl, dir)
		require.NoError(t, err)
		defer v.Close()
		for range 1000 {
			go func() {
				for members, err := range v.Updates(t.Context()) {
					if err == nil && len(members) != len(v.Members()) {
						continue // it has changed since
					}
				}
			}()
		}
		synctest.Wait()
		require.Equal(t, 1, len(srv.WatchList())-len(ownWatches(srv, sessionOf(t, changer))))
		reads := func() int {
			synctest.Wait()
			n := len(srv.Requests(zktest.Match{Session: sessionOf(t, cl)}))
			srv.ResetRequests()
			return n
		}
		reads()
		m := join(t, changer, "f", "")
		require.Equal(t, 1, reads(), "joined")
		require.NoError(t, m.Set(t.Context(), []byte("busy")))
		require.Equal(t, 1, reads(), "changed")
		leave(t, m)
		require.Equal(t, 0, reads(), "left")
		require.True(t, srv.ExpireSession(sessionOf(t, changer)))
		time.Sleep(time.Minute)
		require.LessOrEqual(t, reads(), 5, "each lost its session, and is there again")
		require.Len(t, v.Members(), 5)
		for range 3 {
			_ = v.Members()
		}
		require.Equal(t, 0, reads())
	})
}

func ownWatches(srv *zktest.Server, session int64) (own []zktest.Watch) {
	for _, w := range srv.WatchList() {
		if w.Session == session {
			own = append(own, w)
		}
	}
	return own
}

// Members costs two requests, however many members there are.
func TestMembersCost(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	for i := range 100 {
		join(t, cl, string(rune('A'+i%26))+strings.Repeat("x", i/26), "")
	}
	look := connect(t, srv)
	s := sessionOf(t, look)
	srv.ResetRequests()
	require.Len(t, listed(t, look), 100)
	require.Len(t, srv.Requests(zktest.Match{Session: s}), 2)
	srv.FailNext(zktest.Match{Session: s, Ops: []zktest.Op{zktest.OpMultiRead}}, zktest.Unimplemented)
	require.Len(t, listed(t, look), 100, "servers before 3.6")
}
