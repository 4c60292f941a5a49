package scenario

import (
	"context"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/faultproxy"
	"github.com/zookit/zookit/integration/trial"
	"github.com/zookit/zookit/lock"
)

// counted is a client whose requests are counted on the wire. Its session is so long
// that it does not confirm itself while a test runs.
type counted struct {
	*client.Client
	proxy *faultproxy.Proxy
	from  int
}

func connectCounted(t *testing.T, e *ensemble.Ensemble) *counted {
	t.Helper()
	p := faultproxy.Start(t, e.Servers()[0].Addr())
	return &counted{Client: trial.Connect(t, p.Addr(), client.WithSessionTimeout(time.Minute)), proxy: p}
}

// take returns how many requests of each kind it has sent since the last call, pings left out.
func (c *counted) take() map[string]int {
	all := c.proxy.Requests()
	n := map[string]int{}
	for _, r := range all[c.from:] {
		if r.Op != faultproxy.OpPing && r.Op != faultproxy.OpConnect {
			n[faultproxy.OpName(r.Op)]++
		}
	}
	c.from = len(all)
	return n
}

// makeDir makes a lock's directory beforehand, so that no contender has to.
func makeDir(t *testing.T, cl *client.Client, dir string) string {
	t.Helper()
	_, err := cl.Create(t.Context(), dir, nil, client.WithParents())
	require.NoError(t, err)
	return dir
}

// TestUncontendedCost: Lock and Unlock are three requests in two flights, from the first
// time on.
func TestUncontendedCost(t *testing.T) {
	e := ensemble.Start(t, 1)
	ctx := trial.Within(t, time.Minute)
	dir := makeDir(t, trial.Connect(t, e.Connect()), "/cost/lock")
	cl := connectCounted(t, e)
	cl.take()

	// The list arrives while the answer to the create is held: one flight.
	answer := cl.proxy.HoldReply(faultproxy.Op(opCreate2))
	listed := make(chan struct{})
	list := faultproxy.Nth(1, faultproxy.Op(opChildren2))
	cl.proxy.OnRequest(func(r faultproxy.Request) {
		if list(r) {
			close(listed)
		}
	})
	got := make(chan error, 1)
	var held *lock.Held
	go func() {
		var err error
		held, err = lock.NewMutex(cl.Client, dir).Lock(ctx)
		got <- err
	}()
	_, err := answer.Wait(ctx)
	require.NoError(t, err)
	select {
	case <-listed:
	case <-ctx.Done():
		require.FailNow(t, "the list waits for the create")
	}
	answer.Release()
	require.NoError(t, <-got)
	require.NoError(t, held.Unlock(ctx))
	cl.proxy.OnRequest(nil)
	require.Equal(t, map[string]int{"create2": 1, "getChildren2": 1, "delete": 1}, cl.take())

	const times = 50
	for range times {
		held, err := lock.NewMutex(cl.Client, dir).Lock(ctx)
		require.NoError(t, err)
		require.NoError(t, held.Unlock(ctx))
	}
	require.Equal(t, map[string]int{"create2": times, "getChildren2": times, "delete": times}, cl.take())
}

// holding is one contender's turn.
type holding struct {
	held *lock.Held
	err  error
	over chan struct{} // closed to let it unlock
	left chan error    // what Unlock said
}

// contend lets one more contender ask for the lock; its turn comes through turns.
func contend(ctx context.Context, group *sync.WaitGroup, m *lock.Mutex, turns chan<- *holding) {
	group.Go(func() {
		turn := &holding{over: make(chan struct{}), left: make(chan error, 1)}
		turn.held, turn.err = m.Lock(ctx)
		turns <- turn
		if turn.err != nil {
			return
		}
		<-turn.over
		turn.left <- turn.held.Unlock(ctx)
	})
}

// nextTurn waits for the next holder.
func nextTurn(t *testing.T, ctx context.Context, turns <-chan *holding) *holding { //nolint:revive // t first
	t.Helper()
	select {
	case turn := <-turns:
		require.NoError(t, turn.err)
		return turn
	case <-ctx.Done():
		t.Fatal("nobody has got the lock")
		return nil
	}
}

// TestTwoHundredContenders: of 200 contenders from several clients one wakes for each
// release, and sends one request. Each gets the lock once, in the order in which the
// servers have numbered them, with a token greater than all before.
func TestTwoHundredContenders(t *testing.T) {
	const clients, each = 8, 25
	const all = clients * each
	e := ensemble.Start(t, 1)
	ctx := trial.Within(t, 2*time.Minute)
	observer := trial.Connect(t, e.Connect())
	dir := makeDir(t, observer, "/contenders/lock")
	var cls []*counted
	for range clients {
		cls = append(cls, connectCounted(t, e))
	}
	take := func() map[string]int {
		sum := map[string]int{}
		for _, cl := range cls {
			for op, n := range cl.take() {
				sum[op] += n
			}
		}
		return sum
	}
	take()

	turns := make(chan *holding, all)
	var group sync.WaitGroup
	for _, cl := range cls {
		for range each {
			contend(ctx, &group, lock.NewMutex(cl.Client, dir, lock.WithShortLine(-1)), turns)
		}
	}
	turn := nextTurn(t, ctx, turns)
	requireWatches(t, e, all-1) // everybody else is in line
	sent := map[string]int{}
	require.Eventually(t, func() bool {
		for op, n := range take() {
			sent[op] += n
		}
		return sent["getData"] == all-1 // each reads behind its watch
	}, time.Minute, 5*time.Millisecond)
	require.Equal(t, map[string]int{"create2": all, "getChildren2": all, "getData": all - 1, "addWatch": all - 2}, sent,
		"each lists the line once and watches one node; all but the second listen for its word")

	order := &order{}
	release := "delete"
	for n := all; ; n-- {
		order.add(t, turn.held)
		require.Empty(t, turns, "two hold at once")
		close(turn.over)
		require.NoError(t, <-turn.left)
		if n == 1 {
			break
		}
		turn = nextTurn(t, ctx, turns)
		sent := take()
		delete(sent, "removeWatches") // in the background
		require.Equal(t, map[string]int{release: 1, "exists": 1}, sent, "one release, one waiter, one request")
		release = "multi" // of who has waited, with its word
	}
	group.Wait()
	require.Len(t, order.held, all)
	requireWatches(t, e, 0)
	sent = take()
	delete(sent, "removeWatches")
	require.Equal(t, map[string]int{release: 1}, sent)
	require.Empty(t, childrenOf(t, observer, dir))
}

// TestWaiterLeavesTheLine: a waiter in the middle of the line cancels. Its successor
// alone wakes, and waits for the one ahead of it; the others notice nothing.
func TestWaiterLeavesTheLine(t *testing.T) {
	e := ensemble.Start(t, 1)
	ctx := trial.Within(t, time.Minute)
	observer := trial.Connect(t, e.Connect())
	dir := makeDir(t, observer, "/leaves/lock")
	turns := make(chan *holding, 5)
	var group sync.WaitGroup
	var cls []*counted
	var first *holding
	leaver := make(chan *holding, 1)
	leaving, leave := context.WithCancel(ctx)
	defer leave()
	mutex := func(cl *counted) *lock.Mutex { return lock.NewMutex(cl.Client, dir, lock.WithShortLine(-1)) }
	for i := range 5 {
		cl := connectCounted(t, e)
		cls = append(cls, cl)
		switch i {
		case 0:
			contend(ctx, &group, mutex(cl), turns)
			first = nextTurn(t, ctx, turns)
		case 2:
			contend(leaving, &group, mutex(cl), leaver)
		default:
			contend(ctx, &group, mutex(cl), turns)
		}
		requireWatches(t, e, i)
	}
	line := childrenOf(t, observer, dir)
	slices.SortFunc(line, func(a, b string) int { return int(sequenceOf(t, a) - sequenceOf(t, b)) })
	for _, cl := range cls {
		cl.take()
	}

	leave()
	left := <-leaver
	require.ErrorIs(t, left.err, context.Canceled)
	sent := []map[string]int{{}, {}, {}, {}, {}}
	require.Eventually(t, func() bool { // it leaves in the background, and its successor looks for the next
		for i, cl := range cls {
			for op, n := range cl.take() {
				sent[i][op] += n
			}
		}
		return sent[3]["getData"] > 0 && len(childrenOf(t, observer, dir)) == 4
	}, 10*time.Second, 5*time.Millisecond)
	requireWatches(t, e, 3)
	delete(sent[3], "removeWatches") // in the background
	require.Equal(t, []map[string]int{{}, {}, {"removeWatches": 1, "delete": 1}, {"exists": 1, "getChildren2": 1, "addWatch": 1, "getData": 1}, {}}, sent)
	requests := slices.DeleteFunc(cls[3].proxy.Requests(), func(r faultproxy.Request) bool { return faultproxy.OpName(r.Op) != "getData" })
	require.Equal(t, path.Join(dir, line[1]), requests[len(requests)-1].Path, "the successor waits for the one ahead of the leaver")

	// The others get the lock in their order.
	turn := first
	for _, i := range []int{0, 1, 3, 4} {
		require.Equal(t, line[i], path.Base(turn.held.Path()))
		close(turn.over)
		require.NoError(t, <-turn.left)
		if i < 4 {
			turn = nextTurn(t, ctx, turns)
		}
	}
	group.Wait()
	require.Empty(t, childrenOf(t, observer, dir))
}

// TestOrderAcrossServers: contenders that are connected to different servers of an
// ensemble hold one after the other, in the one order that their numbers have.
func TestOrderAcrossServers(t *testing.T) {
	const each = 8
	e := ensemble.Start(t, 3)
	ctx := trial.Within(t, 2*time.Minute)
	var group sync.WaitGroup
	turns := make(chan *holding, 3*each)
	for _, server := range e.Servers() {
		cl := trial.Connect(t, server.Addr(), client.WithSessionTimeout(time.Minute))
		for range each {
			contend(ctx, &group, lock.NewMutex(cl, "/ordered/lock"), turns)
		}
	}
	order := &order{}
	for range 3 * each {
		turn := nextTurn(t, ctx, turns)
		order.add(t, turn.held)
		require.Empty(t, turns, "two hold at once")
		close(turn.over)
		require.NoError(t, <-turn.left)
	}
	group.Wait()
	require.Len(t, order.held, 3*each)
}

// order checks that each holds once, one after the other.
type order struct {
	held   map[string]bool
	token  int64
	number int64
}

func (o *order) add(t *testing.T, held *lock.Held) {
	t.Helper()
	require.NoError(t, held.Err())
	if o.held == nil {
		o.held, o.number = map[string]bool{}, -1
	}
	require.False(t, o.held[held.Path()], "%s holds for the second time", held.Path())
	require.Greater(t, held.Token(), o.token)
	require.Greater(t, sequenceOf(t, held.Path()), o.number)
	o.held[held.Path()], o.token, o.number = true, held.Token(), sequenceOf(t, held.Path())
}

// sequenceOf is the number that the server has given to a node.
func sequenceOf(t *testing.T, node string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(node[strings.LastIndex(node, "lock-")+len("lock-"):], 10, 32)
	require.NoError(t, err)
	return n
}

// requireWatches waits until so many watches are set on the ensemble's first server.
func requireWatches(t *testing.T, e *ensemble.Ensemble, want int) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		n, err := e.Servers()[0].Watches(t.Context())
		assert.NoError(c, err)
		assert.Equal(c, want, n)
	}, 20*time.Second, 5*time.Millisecond, "watches")
}
