package recipes_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

// poolScene is a way through a pool's Acquire, driven by the requests that it sends.
type poolScene struct {
	name string
	used bool // by this Pool before
	held bool // by somebody else, until the call waits
	try  bool
	n    int
}

var poolScenes = []poolScene{
	{name: "nothing there", n: 1},
	{name: "in use", used: true, n: 2},
	{name: "in use, try", used: true, try: true, n: 1},
	{name: "held", used: true, held: true, n: 2},
}

type poolStage struct {
	at      poolSite
	sc      poolScene
	srv     *zktest.Server
	cl      *client.Client
	session int64
	pool    *recipes.Pool
	free    func()
}

func (sc poolScene) stage(t *testing.T, at poolSite) *poolStage {
	srv := zktest.Start(t, inMemory, zktest.WithTick(50*time.Millisecond), zktest.WithContainerInterval(time.Hour))
	st := &poolStage{at: at, sc: sc, srv: srv, cl: connect(t, srv), free: func() {}}
	s, err := st.cl.Session(t.Context())
	require.NoError(t, err)
	st.session = s.ID()
	st.pool = at.pool(t, st.cl, 2)
	if sc.used {
		for range 2 {
			release(t, take(t, st.pool, 1))
			at.requireLeft(t, srv, 0, 0)
		}
	}
	if sc.held {
		st.free = sync.OnceFunc(at.hold(t, srv))
	}
	srv.ResetRequests()
	return st
}

func (st *poolStage) ask(ctx context.Context) <-chan outcome {
	out := make(chan outcome, 1)
	go func() {
		ask := st.pool.Acquire
		if st.sc.try {
			ask = st.pool.TryAcquire
		}
		g, err := ask(ctx, st.sc.n)
		out <- outcome{g, err}
	}()
	return out
}

// run asks, frees the permit when the call has begun to wait for it, and returns the
// outcome.
func (st *poolStage) run(t *testing.T) outcome {
	watching := st.srv.HoldReply(zktest.Match{Session: st.session, Where: full})
	defer watching.Release() // or it would get hold of what comes later
	got := st.ask(t.Context())
	select {
	case o := <-got:
		return o
	case <-watching.Fired():
		watching.Release()
		st.free()
		return wait(t, "the permits", got)
	}
}

// of matches the n-th request (from 0) of the session under test.
func (st *poolStage) of(n int) zktest.Match {
	return zktest.Match{Session: st.session, Where: func(zktest.Request) bool {
		n--
		return n < 0
	}}
}

// count is how many requests one undisturbed run sends until it has its grant, and gives
// up its place.
func (sc poolScene) count(t *testing.T, at poolSite) (n int) {
	synctest.Test(t, func(t *testing.T) { n = sc.undisturbed(t, at) })
	return n
}

func (sc poolScene) undisturbed(t *testing.T, at poolSite) int {
	st := sc.stage(t, at)
	o := st.run(t)
	require.NoError(t, o.err)
	at.requireLeft(t, st.srv, sc.n, 0)
	n := len(st.srv.Requests(zktest.Match{Session: st.session}))
	release(t, o.grant)
	return n
}

// Each request, and the answer to each, is lost in turn: the permits are had all
// the same, so many and not more.
func TestPoolLostAtEveryAwaitPoint(t *testing.T) {
	t.Parallel()
	eachPoolSite(t, func(t *testing.T, at poolSite) {
		for _, sc := range poolScenes {
			for i := range sc.count(t, at) {
				for how, lose := range map[string]func(*zktest.Server, zktest.Match) *zktest.Fault{
					"request": (*zktest.Server).DropRequest, "reply": (*zktest.Server).SwallowReply,
				} {
					runInBubble(t, fmt.Sprintf("%s, %s %d", sc.name, how, i+1), func(t *testing.T) {
						st := sc.stage(t, at)
						lost := lose(st.srv, st.of(i))
						o := st.run(t)
						require.NoError(t, o.err)
						require.Len(t, o.grant.Paths(), sc.n)
						require.Equal(t, st.session, o.grant.Session().ID())
						at.requireLeft(t, st.srv, sc.n, anyWatches) // the session confirms itself after a reconnect
						lost.Cancel()
						release(t, o.grant)
						at.requireLeft(t, st.srv, 0, 0)
					})
				}
			}
		}
	})
}

// Cancelled at each request, before it is executed and before it is answered, dropped, or its
// answer swallowed: nothing is left. K3, and Curator's lease left after a timeout.
func TestPoolCancelledAtEveryAwaitPoint(t *testing.T) {
	for _, at := range poolSites {
		for _, sc := range poolScenes {
			for i := range sc.count(t, at) {
				for _, how := range disturbances {
					runInBubble(t, fmt.Sprintf("%s, %s, request %d, %s", at.layout, sc.name, i+1, how), func(t *testing.T) {
						st := sc.stage(t, at)
						st.cancelAt(t, st.of(i), how)
					})
				}
			}
		}
	}
}

func TestPoolCancelledWhileWaiting(t *testing.T) {
	for _, at := range poolSites {
		runInBubble(t, at.layout.String(), func(t *testing.T) {
			st := poolScenes[3].stage(t, at)
			ctx, cancel := context.WithCancel(t.Context())
			watching := after(st.srv, watchesPool)
			got := st.ask(ctx)
			wait(t, "its wait", watching)
			next := at.takeQueued(t.Context(), t, st.srv, at.pool(t, connect(t, st.srv), 2), 1)
			cancel()
			require.ErrorIs(t, wait(t, "the end", got).err, context.Canceled)
			o := wait(t, "the next one's permit", next) // who asked for less
			require.NoError(t, o.err)
			release(t, o.grant)
			st.free()
			at.requireLeft(t, st.srv, 0, 0)
		})
	}
}

func (st *poolStage) cancelAt(t *testing.T, on zktest.Match, how string) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var reached <-chan struct{}
	resume := func() {}
	switch how {
	case "request held":
		there, goOn := make(chan struct{}), make(chan struct{})
		once := sync.OnceFunc(func() {
			close(there)
			<-goOn
		})
		st.srv.OnRequest(func(r zktest.Request) {
			if r.Session == on.Session && r.Op != zktest.OpPing && r.Op != zktest.OpConnect && on.Where(r) {
				once()
			}
		})
		reached, resume = there, func() { close(goOn) }
	case "reply held":
		h := st.srv.HoldReply(on)
		reached, resume = h.Fired(), h.Release
	case "request dropped":
		reached = st.srv.DropRequest(on).Fired()
	case "reply swallowed":
		reached = st.srv.SwallowReply(on).Fired()
	}
	freed := st.freeLater(ctx)
	got := st.ask(ctx)
	wait(t, "the request", reached)
	cancel()
	o := wait(t, "the end of the call", got) // though the server says nothing yet
	wait(t, "the helper", freed)
	resume()
	if o.err == nil { // it came through before it was cancelled
		release(t, o.grant)
	} else {
		require.ErrorIs(t, o.err, context.Canceled)
	}
	requireNothingLeft(t, &stage{srv: st.srv, session: st.session}, patience)
	st.free()
	st.at.requireLeft(t, st.srv, 0, 0)
}

// freeLater frees the permit when the call has begun to wait for it, if it does before ctx ends.
func (st *poolStage) freeLater(ctx context.Context) (done <-chan struct{}) {
	watching := st.srv.HoldReply(zktest.Match{Session: st.session, Where: full})
	freed := make(chan struct{})
	go func() {
		defer close(freed)
		defer watching.Release()
		select {
		case <-watching.Fired():
			watching.Release()
			st.free()
		case <-ctx.Done():
		}
	}()
	return freed
}
