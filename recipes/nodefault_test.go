package recipes_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/internal/testmain"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

// nodeStage is a server and a client that is to keep a node, in the time of a bubble.
type nodeStage struct {
	srv *zktest.Server
	cl  *client.Client
	at  *countdown
}

// countdown counts the requests of a client's calls, over all its sessions, and stops at one.
type countdown struct {
	mu   sync.Mutex
	n    int // which one, from 0
	seen int
}

// hit tells whether this is the request; it counts only what is sent for nodes.
func (c *countdown) hit(r zktest.Request) bool {
	if r.Op == zktest.OpPing || r.Op == zktest.OpConnect || r.Op == zktest.OpCloseSession || r.Op == zktest.OpRemoveWatches {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen++
	return c.seen == c.n+1
}

func (c *countdown) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen
}

// nodeScenes are what a Node may find at its path.
var nodeScenes = []struct {
	name    string
	prepare func(t *testing.T, st *nodeStage)
}{
	{"no parent", func(*testing.T, *nodeStage) {}},
	{"parent", func(t *testing.T, st *nodeStage) { require.NoError(t, st.srv.Create("/workers", nil)) }},
	{"own session's node", func(t *testing.T, st *nodeStage) {
		_, err := st.cl.Create(t.Context(), nodePath, []byte("former"), client.WithMode(client.Ephemeral), client.WithParents())
		require.NoError(t, err)
	}},
}

func newNodeStage(t *testing.T, prepare func(*testing.T, *nodeStage), at int) *nodeStage {
	st := &nodeStage{srv: zktest.Start(t, inMemory, zktest.WithTick(50*time.Millisecond)), at: &countdown{n: at}}
	st.cl = connect(t, st.srv, client.WithSessionTimeout(10*time.Second))
	sessionOf(t, st.cl)
	prepare(t, st)
	return st
}

// live goes through a node's life. Whatever happens on the way it is there in the end, and then gone.
func (st *nodeStage) live(t *testing.T) {
	n := keepNode(t, st.cl, "one")
	require.NoError(t, n.Set(t.Context(), []byte("two")))
	require.Eventually(t, func() bool {
		node, ok := st.srv.Node(nodePath)
		return ok && string(node.Data) == "two" && node.Stat.EphemeralOwner == sessionOf(t, st.cl)
	}, patience, 10*time.Millisecond)
	_ = st.srv.Delete(nodePath) // unless the session that it belonged to has ended just now
	require.Eventually(t, func() bool {
		node, ok := st.srv.Node(nodePath)
		return ok && string(node.Data) == "two" && node.Stat.EphemeralOwner == sessionOf(t, st.cl)
	}, patience, 10*time.Millisecond)
	closeNode(t, n)
	st.requireClean(t)
}

// requireClean requires that nothing of a node is left: for as long as a request of a session that was lost can
// still be on its way.
func (st *nodeStage) requireClean(t *testing.T) {
	t.Helper()
	for range 3 {
		time.Sleep(4 * time.Second)
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			_, there := st.srv.Node(nodePath)
			assert.False(c, there, "the node is left")
			assert.Zero(c, st.srv.Watches(), "watches left")
		}, patience, 20*time.Millisecond)
	}
	for _, stack := range testmain.Stacks() {
		for _, ours := range []string{"zookit/recipes.(*", "client.(*janitor)", "client.Ops"} {
			require.NotContains(t, stack, ours, "goroutine left")
		}
	}
}

// nodeFaults happen to one request.
var nodeFaults = []struct {
	name string
	set  func(t *testing.T, st *nodeStage) (fired <-chan struct{})
}{
	{"request lost", func(_ *testing.T, st *nodeStage) <-chan struct{} {
		return st.srv.DropRequest(zktest.Match{Where: st.at.hit}).Fired()
	}},
	{"reply lost", func(_ *testing.T, st *nodeStage) <-chan struct{} {
		return st.srv.SwallowReply(zktest.Match{Where: st.at.hit}).Fired()
	}},
	{"put off", func(_ *testing.T, st *nodeStage) <-chan struct{} {
		return st.srv.FailNext(zktest.Match{Where: st.at.hit}, zktest.ThrottledOp).Fired()
	}},
	{"session ended", func(_ *testing.T, st *nodeStage) <-chan struct{} {
		fired := make(chan struct{})
		st.srv.OnRequest(func(r zktest.Request) {
			if st.at.hit(r) {
				st.srv.ExpireSession(r.Session)
				close(fired)
			}
		})
		return fired
	}},
	{"session ended, reply lost", func(t *testing.T, st *nodeStage) <-chan struct{} {
		h := st.srv.HoldReply(zktest.Match{Where: st.at.hit})
		fired := make(chan struct{})
		go func() {
			select {
			case <-h.Fired():
				st.srv.ExpireSession(h.Request().Session)
				close(fired)
			case <-t.Context().Done():
			}
		}()
		return fired
	}},
	{"silence", func(_ *testing.T, st *nodeStage) <-chan struct{} {
		fired := make(chan struct{})
		st.srv.OnRequest(func(r zktest.Request) {
			if st.at.hit(r) {
				hush(st.srv, r.Session)
				close(fired)
			}
		})
		return fired
	}},
	{"reply lost, silence", func(t *testing.T, st *nodeStage) <-chan struct{} {
		h := st.srv.HoldReply(zktest.Match{Where: st.at.hit})
		fired := make(chan struct{})
		go func() {
			select {
			case <-h.Fired():
				hush(st.srv, h.Request().Session)
				close(fired)
			case <-t.Context().Done():
			}
		}()
		return fired
	}},
}

// These are not parallel: they look at all goroutines again and again, which takes long beside tests that have thousands.

// A Node's every request is lost, or its reply, or its session with it, in turn.
func TestNodeFaultAtEveryStep(t *testing.T) {
	for _, sc := range nodeScenes {
		n := 0
		runInBubble(t, sc.name, func(t *testing.T) {
			st := newNodeStage(t, sc.prepare, -1)
			st.srv.OnRequest(func(r zktest.Request) { st.at.hit(r) })
			st.live(t)
			n = st.at.count()
			require.Greater(t, n, 6)
		})
		for _, fault := range nodeFaults {
			for i := range n {
				t.Run(fmt.Sprintf("%s, request %d of %d, %s", sc.name, i+1, n, fault.name), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						st := newNodeStage(t, sc.prepare, i)
						fired := fault.set(t, st)
						st.live(t)
						wait(t, "the fault", fired)
					})
				})
			}
		}
	}
}

// Each call is cancelled at each request, wherever it stands.
func TestNodeCancelledAtEveryAwaitPoint(t *testing.T) {
	for _, sc := range nodeScenes {
		for _, call := range []string{"KeepNode", "Set", "Close"} {
			for _, how := range []string{"request lost", "reply lost", "session ended", "silence", "reply lost, silence", "held", "reply held"} {
				for i := range 4 {
					t.Run(fmt.Sprintf("%s, %s, request %d, %s", sc.name, call, i+1, how), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) { cancelNode(t, newNodeStage(t, sc.prepare, i), call, how) })
					})
				}
			}
		}
	}
}

// cancelNode cancels a call as soon as something has happened to one of its requests, if it has so many.
func cancelNode(t *testing.T, st *nodeStage, name, how string) {
	var n *recipes.Node
	if name != "KeepNode" {
		n = keepNode(t, st.cl, "one")
	}
	resume := func() {}
	var fired <-chan struct{}
	switch how {
	case "held":
		there, on := make(chan struct{}), make(chan struct{})
		st.srv.OnRequest(func(r zktest.Request) {
			if st.at.hit(r) {
				close(there)
				<-on
			}
		})
		fired, resume = there, sync.OnceFunc(func() { close(on) })
	case "reply held":
		h := st.srv.HoldReply(zktest.Match{Where: st.at.hit})
		fired, resume = h.Fired(), h.Release
	default:
		for _, f := range nodeFaults {
			if f.name == how {
				fired = f.set(t, st)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() {
		var err error
		switch name {
		case "KeepNode":
			n, err = recipes.KeepNode(ctx, st.cl, nodePath, recipes.NodeConfig{Data: []byte("one")})
		case "Set":
			err = n.Set(ctx, []byte("two"))
		case "Close":
			err = n.Close(ctx)
		}
		done <- err
	}()
	var err error
	select {
	case err = <-done: // it has not so many requests
	case <-fired:
		cancel()
		before := time.Now()
		err = wait(t, "the end of the call", done)
		require.Less(t, time.Since(before), time.Second, "it waits for nobody")
	}
	cancel()
	resume()
	if err != nil {
		require.ErrorIs(t, err, context.Canceled)
	}
	switch {
	case name == "Set":
		data := string(n.Data()) // "one" if the request was another one's, and Set had not begun
		require.Eventually(t, func() bool {
			node, ok := st.srv.Node(nodePath)
			return ok && string(node.Data) == data
		}, patience, 10*time.Millisecond, "it is written in the background")
		closeNode(t, n)
	case name == "KeepNode" && err == nil:
		closeNode(t, n)
	}
	st.requireClean(t)
}
