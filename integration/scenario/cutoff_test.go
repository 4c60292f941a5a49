package scenario

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/trial"
	"github.com/zookit/zookit/lock"
)

// The sample configuration that ZooKeeper ships: a follower that has lost its leader
// goes on answering for up to 10 s.
const (
	sampleTick      = 2 * time.Second
	sampleSyncLimit = 5
)

func startCuttable(t *testing.T) *ensemble.Ensemble {
	t.Helper()
	return ensemble.Start(t, 3, ensemble.WithPeerCuts(), ensemble.WithTickTime(sampleTick), ensemble.WithSyncLimit(sampleSyncLimit),
		ensemble.WithSessionTimeouts(2*sampleTick, 60*time.Second))
}

// handover is what a holder and the contender after it saw.
type handover struct {
	timeout  time.Duration
	ended    time.Time // the holder's context was over
	until    time.Time // ValidUntil then
	acquired time.Time // the contender's Lock returned
	cause    error
}

func (h handover) margin() time.Duration { return h.acquired.Sub(h.ended) }

// pair is a holder and the contender who waits for it.
type pair struct {
	held    *lock.Held
	session *client.Session
	next    *lock.Held
	seen    handover
	waiting chan error
	group   sync.WaitGroup
}

// hold takes the lock with one client and lets another wait for it.
func hold(t *testing.T, holder, contender *client.Client, path string) *pair {
	t.Helper()
	p := &pair{waiting: make(chan error, 1)}
	var err error
	p.held, err = lock.NewMutex(holder, path).Lock(trial.Within(t, 20*time.Second))
	require.NoError(t, err)
	p.session, err = holder.Session(t.Context())
	require.NoError(t, err)
	p.seen.timeout = p.session.Timeout()
	p.group.Go(func() {
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
		defer cancel()
		var err error
		p.next, err = lock.NewMutex(contender, path).Lock(ctx)
		p.seen.acquired = time.Now()
		p.waiting <- err
	})
	p.group.Go(func() {
		<-p.held.Context().Done()
		p.seen.ended, p.seen.until, p.seen.cause = time.Now(), p.held.ValidUntil(), context.Cause(p.held.Context())
	})
	require.Eventually(t, func() bool {
		all, err := lock.NewMutex(contender, path).Contenders(t.Context())
		return err == nil && len(all) == 2
	}, 20*time.Second, 10*time.Millisecond, "the contender stands in line")
	return p
}

// settle waits until the grant is no longer fresh but lives by its confirmations.
func (p *pair) settle(t *testing.T) {
	t.Helper()
	first := p.held.ValidUntil()
	require.Eventually(t, func() bool { return p.held.ValidUntil().Sub(first) > p.session.Timeout()/3 }, 30*time.Second, 10*time.Millisecond,
		"the grant is confirmed")
}

// finish waits for the loss of the one and the success of the other.
func (p *pair) finish(ctx context.Context) (handover, error) {
	select {
	case err := <-p.waiting:
		if err != nil {
			return p.seen, err
		}
	case <-ctx.Done():
		return handover{}, ctx.Err()
	}
	p.group.Wait()
	return p.seen, p.next.Unlock(ctx)
}

// TestCutOffServer: the follower that the holders are connected to loses its link to
// the others and goes on answering. Each holder's context ends before its
// contender, which is connected to the majority, gets the lock. 20 runs.
func TestCutOffServer(t *testing.T) {
	const rounds = 5
	e := startCuttable(t)
	timeouts := []time.Duration{4 * time.Second, 6 * time.Second, 8 * time.Second, 10 * time.Second}
	for round := range rounds {
		ctx := trial.Within(t, 3*time.Minute)
		followers, err := e.Followers(ctx)
		require.NoError(t, err)
		cut := followers[round%len(followers)]
		contender := trial.Connect(t, others(e.Connect(), cut.Addr()))
		var clients []*client.Client
		var pairs []*pair
		for i, timeout := range timeouts {
			holder := trial.Connect(t, cut.Addr(), client.WithSessionTimeout(timeout))
			clients = append(clients, holder)
			pairs = append(pairs, hold(t, holder, contender, fmt.Sprintf("/cutoff/%d-%d", round, i)))
		}
		if round > 0 { // the first round is about fresh grants
			for _, p := range pairs {
				p.settle(t)
			}
		}
		require.NoError(t, cut.CutPeers(ctx))
		began := time.Now()
		for _, p := range pairs {
			h, err := p.finish(ctx)
			require.NoError(t, err)
			t.Logf("round %d, session timeout %v: context over %.2f s after the cut, contender has the lock %.2f s after it, margin %.2f s",
				round, h.timeout, h.ended.Sub(began).Seconds(), h.acquired.Sub(began).Seconds(), h.margin().Seconds())
			assert.Positive(t, h.margin(), "the holder's context ended after another had the lock")
			assert.ErrorIs(t, h.cause, lock.ErrLost)
		}
		require.NoError(t, cut.HealPeers(ctx))
		for _, cl := range append(clients, contender) {
			_ = cl.Close()
		}
		require.NoError(t, e.WaitServing(ctx))
	}
}

// TestCutOffServerIsLeft: where another server can be reached the client moves there,
// with its session and its lock.
func TestCutOffServerIsLeft(t *testing.T) {
	e := startCuttable(t)
	ctx := trial.Within(t, 2*time.Minute)
	followers, err := e.Followers(ctx)
	require.NoError(t, err)
	cut := followers[0]
	pin := trial.PinTo(cut.Addr())
	holder := trial.Connect(t, e.Connect(), client.WithSessionTimeout(8*time.Second), client.WithDialer(pin.Dial))
	require.Equal(t, cut.Addr(), trial.ServerOf(holder))
	held, err := lock.NewMutex(holder, "/moves").Lock(ctx)
	require.NoError(t, err)
	pin.Free()
	epoch := holder.State().Epoch

	require.NoError(t, cut.CutPeers(ctx))
	for change := range holder.States(ctx) {
		if change.State == client.Connected && change.Server != cut.Addr() {
			break
		}
	}
	require.NoError(t, ctx.Err(), "the client has moved")
	until := held.ValidUntil()
	require.Eventually(t, func() bool { return held.ValidUntil().After(until.Add(8 * time.Second)) }, 30*time.Second, 10*time.Millisecond,
		"the grant goes on being confirmed, past what it had when it moved")
	require.NoError(t, held.Err())
	require.Equal(t, epoch, holder.State().Epoch, "the session is the same")

	contender := trial.Connect(t, others(e.Connect(), cut.Addr()))
	_, err = lock.NewMutex(contender, "/moves").TryLock(ctx)
	require.ErrorIs(t, err, lock.ErrBusy)
	require.NoError(t, held.Unlock(ctx))
	require.NoError(t, cut.HealPeers(ctx))
}

// TestCutOffServerGoZookeeper shows that the scenario is real: with go-zookeeper's own
// Lock there are two holders, and the first one's server goes on answering it.
func TestCutOffServerGoZookeeper(t *testing.T) {
	e := startCuttable(t)
	ctx := trial.Within(t, 2*time.Minute)
	followers, err := e.Followers(ctx)
	require.NoError(t, err)
	cut := followers[0]
	holder := goZookeeper(t, cut.Addr(), 4*time.Second)
	contender := goZookeeper(t, others(e.Connect(), cut.Addr()), 4*time.Second)
	acl := zk.WorldACL(zk.PermAll)
	first := zk.NewLock(holder, "/twoholders", acl)
	require.NoError(t, first.Lock())

	require.NoError(t, cut.CutPeers(ctx))
	second := make(chan error, 1)
	go func() { second <- zk.NewLock(contender, "/twoholders", acl).Lock() }()
	select {
	case err := <-second:
		require.NoError(t, err)
	case <-ctx.Done():
		t.Fatal("the contender did not get the lock")
	}
	require.Equal(t, zk.StateHasSession, holder.State(), "the first holder's connection looks healthy")
	children, _, err := holder.Children("/twoholders")
	require.NoError(t, err, "and its server answers")
	require.Len(t, children, 1, "with a node that is gone elsewhere")
	require.NoError(t, cut.HealPeers(ctx))
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}

func goZookeeper(t *testing.T, servers string, timeout time.Duration) *zk.Conn {
	t.Helper()
	conn, events, err := zk.Connect(splitServers(servers), timeout, zk.WithLogger(quiet{}), zk.WithLogInfo(false))
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	deadline := time.After(20 * time.Second)
	for {
		select {
		case ev := <-events:
			if ev.State == zk.StateHasSession {
				return conn
			}
		case <-deadline:
			t.Fatal("go-zookeeper did not connect")
		}
	}
}
