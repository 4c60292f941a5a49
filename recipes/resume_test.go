package recipes_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

// detach leaves a client's session to the next.
func detach(t testing.TB, cl *client.Client) client.SessionHandle {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	h, err := cl.Detach(ctx)
	require.NoError(t, err)
	return h
}

// A grant is taken up as it was: the same node, the same token, and nobody gets in between.
func TestResume(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	a := connect(t, srv)
	g := acquire(t, newLine(t, a, recipes.LineConfig{}))
	next := waiting(t.Context(), t, srv, newLine(t, connect(t, srv), recipes.LineConfig{}))
	left := detach(t, a)
	require.ErrorIs(t, g.Err(), recipes.ErrGrantLost)
	require.ErrorIs(t, context.Cause(g.Context()), client.ErrDetached, "it has ended when Detach returns")
	require.ErrorIs(t, g.Release(t.Context()), client.ErrDetached, "it is not released")

	b := connect(t, srv, client.WithSession(left))
	again, err := recipes.Resume(t.Context(), b, g.Handle())
	require.NoError(t, err)
	require.Equal(t, g.Path(), again.Path())
	require.Equal(t, g.Token(), again.Token())
	require.Equal(t, g.Handle(), again.Handle())
	require.NoError(t, again.Err())
	require.True(t, again.ValidUntil().After(time.Now()))
	_, err = recipes.Resume(t.Context(), b, g.Handle())
	require.ErrorIs(t, err, client.ErrBadArgument, "not twice at once")
	require.NoError(t, again.Err())
	require.Empty(t, next)
	release(t, again)
	o := wait(t, "the next grant", next)
	require.NoError(t, o.err)
	require.Greater(t, o.grant.Token(), again.Token())
	_, err = recipes.Resume(t.Context(), b, g.Handle())
	require.ErrorIs(t, err, recipes.ErrGrantLost, "not after its end")
}

// After a crash the new process holds when the old one could not any more.
func TestResumeWaitsForFormerHolder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, inMemory, zktest.WithTick(100*time.Millisecond))
		a := connect(t, srv, client.WithSessionTimeout(2*time.Second))
		s, err := a.Session(t.Context())
		require.NoError(t, err)
		left, err := s.Handle(t.Context())
		require.NoError(t, err)
		g := acquire(t, newLine(t, a, recipes.LineConfig{}))
		b := connect(t, srv, client.WithSession(left))
		taken := time.Now()
		ended := make(chan time.Time, 1)
		context.AfterFunc(g.Context(), func() { ended <- time.Now() })
		again, err := recipes.Resume(t.Context(), b, g.Handle())
		require.NoError(t, err)
		require.GreaterOrEqual(t, time.Since(taken), 2*time.Second)
		require.Equal(t, g.Token(), again.Token())
		require.True(t, wait(t, "the end of the old grant", ended).Before(taken.Add(2*time.Second)))
		require.ErrorIs(t, g.Err(), client.ErrSessionTaken)
		require.ErrorIs(t, g.Release(t.Context()), client.ErrSessionTaken)
		require.NoError(t, again.Err())
		require.Equal(t, []string{base(g.Path())}, nodes(srv))
		_, err = g.Txn().Delete(g.Path(), client.AnyVersion).Commit(t.Context())
		require.ErrorIs(t, err, recipes.ErrGrantLost)
	})
}

// A grant that is no more is not resumed, and the reason is told.
func TestResumeOfWhatIsLost(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		happens func(srv *zktest.Server, session int64, path string) error
		want    error
	}{
		"the session is over": {func(srv *zktest.Server, session int64, _ string) error {
			srv.ExpireSession(session)
			return nil
		}, client.ErrSessionLost},
		"the node is gone": {func(srv *zktest.Server, _ int64, path string) error {
			return srv.Delete(path)
		}, client.ErrHoldDeleted},
		"the node is another": {func(srv *zktest.Server, _ int64, path string) error {
			if err := srv.Delete(path); err != nil {
				return err
			}
			return srv.Create(path, nil)
		}, client.ErrHoldDeleted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := zktest.Start(t)
			a := connect(t, srv)
			g := acquire(t, newLine(t, a, recipes.LineConfig{}))
			left := detach(t, a)
			require.NoError(t, tc.happens(srv, left.ID(), g.Path()))
			b := connect(t, srv, client.WithSession(left))
			_, err := recipes.Resume(t.Context(), b, g.Handle())
			require.ErrorIs(t, err, recipes.ErrGrantLost)
			require.ErrorIs(t, err, tc.want)
		})
	}
}

func TestResumeRefuses(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	g := acquire(t, newLine(t, cl, recipes.LineConfig{}))
	_, err := recipes.Resume(t.Context(), nil, g.Handle())
	require.ErrorIs(t, err, client.ErrBadArgument)
	_, err = recipes.Resume(t.Context(), cl, recipes.GrantHandle{})
	require.ErrorIs(t, err, client.ErrBadArgument)
	require.NoError(t, cl.Close())
	_, err = recipes.Resume(t.Context(), cl, g.Handle())
	require.ErrorIs(t, err, client.ErrClosed)
	require.NotErrorIs(t, err, recipes.ErrGrantLost)
}

// Resume ends with its context wherever it waits, and the grant can be resumed later.
func TestResumeCancelled(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	a := connect(t, srv)
	g := acquire(t, newLine(t, a, recipes.LineConfig{}))
	b := connect(t, srv, client.WithSession(detach(t, a)))
	for n := 1; ; n++ {
		ctx, cancel := context.WithCancel(t.Context())
		var seen atomic.Int64
		stuck := make(chan struct{})
		srv.OnRequest(func(r zktest.Request) {
			if r.Op != zktest.OpPing && seen.Add(1) == int64(n) {
				cancel()
				<-stuck
			}
		})
		again, err := recipes.Resume(ctx, b, g.Handle())
		close(stuck)
		srv.OnRequest(nil)
		cancel()
		if err == nil {
			require.GreaterOrEqual(t, n, 3, "a look and a confirmation")
			release(t, again)
			return
		}
		require.ErrorIs(t, err, context.Canceled)
	}
}

// Detach at each point of a wait: whoever does not have a grant gives up, and has no node
// by the time that Detach returns; who has one is told that it is left to the next.
func TestDetachAtEachPointOfAcquire(t *testing.T) {
	t.Parallel()
	for _, sc := range scenes {
		n := sc.requestsUntilBlocked(t)
		for i := range n {
			for _, executed := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, request %d of %d, executed %v", sc.name, i+1, n, executed), func(t *testing.T) {
					t.Parallel()
					st := sc.stage(t)
					s, err := st.cl.Session(t.Context())
					require.NoError(t, err)
					fired := make(chan struct{})
					var goOn func()
					if executed {
						h := st.srv.HoldReply(st.of(i))
						fired, goOn = nil, h.Release
						defer h.Release()
						got := sc.acquire(t.Context(), st)
						wait(t, "the request", h.Fired())
						conclude(t, st, s, got, goOn)
						return
					}
					stuck := make(chan struct{})
					goOn = sync.OnceFunc(func() { close(stuck) })
					defer goOn()
					var seen atomic.Int64
					st.srv.OnRequest(func(r zktest.Request) {
						if r.Session == st.session && r.Op != zktest.OpPing && seen.Add(1) == int64(i+1) {
							close(fired)
							<-stuck
						}
					})
					got := sc.acquire(t.Context(), st)
					wait(t, "the request", fired)
					conclude(t, st, s, got, goOn)
				})
			}
		}
	}
}

// Detach waits for what a contender is about, whatever that is.
func TestDetachWaitsForContenders(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, inMemory)
		cl := connect(t, srv)
		s, err := cl.Session(t.Context())
		require.NoError(t, err)
		asked, answer := make(chan struct{}), make(chan struct{})
		l := newLine(t, cl, recipes.LineConfig{Rule: func(ahead []recipes.Contender, own recipes.Contender) (recipes.Contender, bool) {
			close(asked)
			<-answer
			return recipes.DirectlyAhead(ahead, own)
		}})
		got := acquireLater(t.Context(), l)
		wait(t, "the rule", asked)
		left := make(chan error, 1)
		go func() {
			_, err := cl.Detach(t.Context())
			left <- err
		}()
		wait(t, "the announcement", s.Detaching())
		select {
		case err := <-left:
			require.Fail(t, "Detach did not wait", "%v", err)
		case <-time.After(100 * time.Millisecond):
		}
		close(answer)
		require.NoError(t, wait(t, "the end of Detach", left))
		o := wait(t, "the end of the wait", got)
		require.NoError(t, o.err, "its turn had come")
		require.ErrorIs(t, o.grant.Err(), client.ErrDetached)
	})
}

// requestsUntilBlocked counts what one run sends until it has its grant or waits.
func (sc *scene) requestsUntilBlocked(t *testing.T) int {
	if !sc.blocks {
		return sc.requests(t)
	}
	st := sc.stage(t)
	watching := after(st.srv, blocked)
	ctx, cancel := context.WithCancel(t.Context())
	got := sc.acquire(ctx, st)
	wait(t, "a watch on the blocker", watching)
	n := len(st.srv.Requests(zktest.Match{Session: st.session}))
	cancel()
	require.Error(t, wait(t, "the end", got).err)
	return n
}

func conclude(t *testing.T, st *stage, s *client.Session, got <-chan outcome, goOn func()) {
	t.Helper()
	left := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		_, err := st.cl.Detach(ctx)
		left <- err
	}()
	wait(t, "the announcement", s.Detaching())
	goOn()
	o := wait(t, "the end of the wait", got)
	require.NoError(t, wait(t, "the end of Detach", left))
	var own []string
	for _, name := range nodes(st.srv) {
		if n, ok := st.srv.Node(dir + "/" + name); ok && n.Stat.EphemeralOwner == st.session {
			own = append(own, name)
		}
	}
	if o.err == nil {
		require.Equal(t, []string{base(o.grant.Path())}, own)
		require.ErrorIs(t, o.grant.Err(), client.ErrDetached)
		return
	}
	require.Empty(t, own)
	require.ErrorIs(t, o.err, client.ErrDetached)
}

func TestGrantHandleText(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	g := acquire(t, newLine(t, connect(t, srv), recipes.LineConfig{}))
	h := g.Handle()
	require.Equal(t, g.Path(), h.Path())
	require.Equal(t, g.Token(), h.Token())
	require.Equal(t, g.Session().ID(), h.Session())
	require.Contains(t, h.String(), g.Path())
	line, err := h.MarshalText()
	require.NoError(t, err)
	var back recipes.GrantHandle
	require.NoError(t, back.UnmarshalText([]byte(string(line)+"\n")))
	require.Equal(t, h, back)
	for i := range line {
		for _, bad := range []string{string(line[:i]), string(line[:i]) + string(line[i]^1) + string(line[i+1:])} {
			assert.ErrorIs(t, back.UnmarshalText([]byte(bad)), client.ErrBadArgument, bad)
		}
	}
	require.Equal(t, h, back)
	_, err = recipes.GrantHandle{}.MarshalText()
	require.ErrorIs(t, err, client.ErrBadArgument)
}

func FuzzGrantHandle(f *testing.F) {
	f.Add("zookit-grant-1 1 2 %2Flock%2Fx 00000000")
	f.Add("zookit-grant-2 1 2 3 %2Flock%2Fx 00000000")
	f.Add("zookit-grant-1 ffffffffffffffff 7fffffffffffffff / 0")
	f.Fuzz(func(t *testing.T, in string) {
		var h recipes.GrantHandle
		if h.UnmarshalText([]byte(in)) != nil {
			require.Zero(t, h)
			return
		}
		line, err := h.MarshalText()
		require.NoError(t, err)
		require.Equal(t, strings.TrimSpace(in), string(line))
	})
}
