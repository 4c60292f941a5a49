package recipes_test

import (
	"context"
	"fmt"
	"strings"
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

// scene is a way through Acquire, driven by the requests that it sends.
type scene struct {
	name    string
	prepare func(t *testing.T, srv *zktest.Server) (release func())
	try     bool
	blocks  bool
	cfg     recipes.LineConfig
}

var scenes = []scene{
	{name: "directory missing", prepare: func(*testing.T, *zktest.Server) func() { return func() {} }},
	{name: "free", prepare: emptyDirectory},
	{name: "free, try", try: true, prepare: emptyDirectory},
	{name: "held", blocks: true, prepare: func(t *testing.T, srv *zktest.Server) func() {
		// By hand: a holder of ours would have a watch of its own.
		const holder = dir + "/_c_0123456789abcdef0123456789abcdef-lock-0000000000"
		require.NoError(t, srv.Create(holder, nil))
		require.NoError(t, srv.SetNextSequence(dir, 1))
		return func() { assert.NoError(t, srv.Delete(holder)) }
	}},
	{name: "two ahead, in a short line", blocks: true, prepare: func(t *testing.T, srv *zktest.Server) func() {
		holder, blocker := twoAhead(t, srv)
		return func() {
			assert.NoError(t, srv.Delete(blocker))
			assert.NoError(t, srv.Delete(holder))
		}
	}},
	{name: "two ahead, in a line that becomes long", blocks: true, cfg: recipes.LineConfig{ShortLine: 3}, prepare: func(t *testing.T, srv *zktest.Server) func() {
		holder, blocker := twoAhead(t, srv)
		return func() {
			nodes := []string{blocker, holder}
			for _, number := range []string{"3", "4"} {
				behind := dir + "/_c_0123456789abcdef0123456789abcdef-lock-000000000" + number
				assert.NoError(t, srv.Create(behind, nil))
				nodes = append(nodes, behind)
			}
			time.Sleep(3 * time.Second / 2) // the bubble's: it is counted after one
			for _, node := range nodes {
				assert.NoError(t, srv.Delete(node))
			}
		}
	}},
	{name: "two ahead, no word", blocks: true, cfg: long, prepare: func(t *testing.T, srv *zktest.Server) func() {
		holder, blocker := twoAhead(t, srv)
		return func() {
			assert.NoError(t, srv.Delete(holder))
			assert.NoError(t, srv.Delete(blocker))
		}
	}},
	{name: "two ahead, word", blocks: true, cfg: long, prepare: func(t *testing.T, srv *zktest.Server) func() {
		holder, blocker := twoAhead(t, srv)
		other, err := client.Connect(t.Context(), srv.ConnectString(), client.WithDialer(srv.Dial), client.WithSessionTimeout(time.Minute))
		require.NoError(t, err)
		t.Cleanup(func() { _ = other.Close() })
		return func() {
			assert.NoError(t, srv.Delete(holder))
			assert.NoError(t, leaveWord(other, blocker))
		}
	}},
}

func twoAhead(t *testing.T, srv *zktest.Server) (holder, blocker string) {
	holder, blocker = dir+"/_c_0123456789abcdef0123456789abcdef-lock-0000000000", dir+"/_c_fedcba9876543210fedcba9876543210-lock-0000000001"
	require.NoError(t, srv.Create(holder, nil))
	require.NoError(t, srv.Create(blocker, nil))
	require.NoError(t, srv.SetNextSequence(dir, 2))
	return holder, blocker
}

// leaveWord deletes a node as a holder that has waited does.
func leaveWord(cl *client.Client, node string) error {
	_, err := cl.Txn().Delete(node, client.AnyVersion).Create(node, nil).Delete(node, client.AnyVersion).Commit(context.Background())
	return err
}

func emptyDirectory(t *testing.T, srv *zktest.Server) func() {
	require.NoError(t, srv.Create(dir, nil))
	return func() {}
}

// stage is a server and the client under test, in the time of a bubble.
type stage struct {
	srv     *zktest.Server
	cl      *client.Client
	session int64
	line    *recipes.Line
	free    func()
}

func (sc *scene) stage(t *testing.T, opts ...client.Option) *stage {
	srv := zktest.Start(t, inMemory, zktest.WithTick(50*time.Millisecond))
	st := &stage{srv: srv, cl: connect(t, srv, opts...)}
	s, err := st.cl.Session(t.Context())
	require.NoError(t, err)
	st.session = s.ID()
	st.line = newLine(t, st.cl, sc.cfg)
	st.free = sync.OnceFunc(sc.prepare(t, srv))
	srv.ResetRequests()
	return st
}

func (sc *scene) acquire(ctx context.Context, st *stage) <-chan outcome {
	out := make(chan outcome, 1)
	go func() {
		enter := st.line.Acquire
		if sc.try {
			enter = st.line.TryAcquire
		}
		g, err := enter(ctx)
		out <- outcome{g, err}
	}()
	return out
}

// of matches the n-th request (from 0) of the session under test, of those that a
// user's call sends.
func (st *stage) of(n int) zktest.Match {
	return zktest.Match{Session: st.session, Where: func(zktest.Request) bool {
		n--
		return n < 0
	}}
}

// requests counts what one undisturbed run sends until it has its grant. The line is
// freed when the run has begun to watch its blocker.
func (sc *scene) requests(t *testing.T) (n int) {
	synctest.Test(t, func(t *testing.T) { n = sc.undisturbed(t) })
	return n
}

func (sc *scene) undisturbed(t *testing.T) int {
	st := sc.stage(t)
	watching := st.srv.HoldReply(blocked)
	got := sc.acquire(t.Context(), st)
	var o outcome
	select {
	case o = <-got:
	case <-watching.Fired():
		watching.Release()
		st.free()
		o = wait(t, "the grant", got)
	}
	require.NoError(t, o.err)
	watching.Release() // or it would get hold of the watch on what is held
	n := len(st.srv.Requests(zktest.Match{Session: st.session}))
	release(t, o.grant)
	return n
}

var disturbances = []string{"request held", "reply held", "request dropped", "reply swallowed"}

// Context cancelled at every await point: each request that an Acquire sends is held
// in turn, before it is executed and before it is answered, dropped, or its
// answer swallowed; then the wait is cancelled.
func TestCancelledAtEveryAwaitPoint(t *testing.T) {
	for _, sc := range scenes {
		n := sc.requests(t)
		require.Positive(t, n)
		for i := range n {
			for _, how := range disturbances {
				t.Run(fmt.Sprintf("%s, request %d of %d, %s", sc.name, i+1, n, how), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						st := sc.stage(t)
						sc.cancelAt(t, st, st.of(i), how)
					})
				})
			}
		}
	}
	t.Run("while waiting for the blocker", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			st := scenes[3].stage(t)
			ctx, cancel := context.WithCancel(t.Context())
			next := waiting(ctx, t, st.srv, st.line)
			cancel()
			require.ErrorIs(t, wait(t, "the end of the wait", next).err, context.Canceled)
			requireNothingLeft(t, st, cleanTime)
			st.free()
			requireClean(t, st.srv, 0)
		})
	})
}

// The last await point is reached after a long wait only: the confirmation before the grant.
func TestCancelledWhileConfirming(t *testing.T) {
	for _, how := range disturbances {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sc := scenes[3]
				st := sc.stage(t, client.WithSessionTimeout(time.Second))
				s, err := st.cl.Session(t.Context())
				require.NoError(t, err)
				free := st.free
				st.free = func() {
					for time.Now().Before(s.ConfirmedUntil()) {
						wait(t, "a ping", after(st.srv, zktest.Match{Ops: []zktest.Op{zktest.OpPing}, Session: st.session}))
					}
					free()
				}
				sc.cancelAt(t, st, zktest.Match{Session: st.session, Where: func(r zktest.Request) bool {
					return r.Op == zktest.OpMulti && strings.HasPrefix(r.Multi[0].Path, dir+"/")
				}}, how)
			})
		})
	}
}

// cancelAt disturbs the first request that matches, cancels the call that sent it, and
// looks for what is left.
func (sc *scene) cancelAt(t *testing.T, st *stage, at zktest.Match, how string) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()

	var reached <-chan struct{}
	resume := func() {}
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
		reached, resume = there, func() { close(on) }
	case "reply held":
		h := st.srv.HoldReply(at)
		reached, resume = h.Fired(), h.Release
	case "request dropped":
		reached = st.srv.DropRequest(at).Fired()
	case "reply swallowed":
		reached = st.srv.SwallowReply(at).Fired()
	}
	watching := st.srv.HoldReply(zktest.Match{Session: st.session, Path: dir + "/*", Ops: []zktest.Op{zktest.OpGetData}})
	freed := make(chan struct{})
	go func() {
		defer close(freed)
		select {
		case <-watching.Fired():
			watching.Release()
			st.free()
		case <-ctx.Done():
		}
	}()
	got := sc.acquire(ctx, st)
	wait(t, "the request", reached)
	cancel()
	// The call does not wait for the server, which says nothing yet.
	o := wait(t, "the end of the call", got)
	wait(t, "the helper", freed)
	watching.Release()
	resume()
	if o.err == nil { // dropped or swallowed, and through again before it was cancelled
		release(t, o.grant)
	} else {
		require.ErrorIs(t, o.err, context.Canceled)
	}
	requireNothingLeft(t, st, cleanTime)
	st.free()
	requireClean(t, st.srv, 0)
}

// Each request of an Acquire, and the answer to each, is lost in turn: it is
// granted all the same, with one node.
func TestLostAtEveryAwaitPoint(t *testing.T) {
	t.Parallel()
	for _, sc := range scenes {
		n := sc.requests(t)
		for i := range n {
			for how, lose := range map[string]func(*zktest.Server, zktest.Match) *zktest.Fault{
				"request": (*zktest.Server).DropRequest, "reply": (*zktest.Server).SwallowReply,
			} {
				t.Run(fmt.Sprintf("%s, %s %d of %d", sc.name, how, i+1, n), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						st := sc.stage(t)
						lost := lose(st.srv, st.of(i))
						watching := st.srv.HoldReply(zktest.Match{Session: st.session, Path: dir + "/*", Ops: []zktest.Op{zktest.OpGetData}})
						got := sc.acquire(t.Context(), st)
						var o outcome
						select {
						case o = <-got:
						case <-watching.Fired():
							watching.Release()
							st.free()
							o = wait(t, "the grant", got)
						}
						watching.Release()
						wait(t, "the loss", lost.Fired())
						require.NoError(t, o.err)
						require.Equal(t, []string{base(o.grant.Path())}, nodes(st.srv))
						require.Equal(t, st.session, o.grant.Session().ID())
						release(t, o.grant)
						requireClean(t, st.srv, 0)
					})
				})
			}
		}
	}
}
