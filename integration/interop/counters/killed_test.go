package counters

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/counter"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/faultproxy"
	"github.com/zookit/zookit/integration/trial"
)

// TestServersKilledCounting: the leader of three servers is killed again and again, and clients are cut off from all servers
// past their sessions, while they add. Each add is there once.
func TestServersKilledCounting(t *testing.T) {
	e := ensemble.Start(t, 3)
	ctx := trial.Within(t, 2*patience)
	const clients, kills = 4, 3
	var (
		wg    sync.WaitGroup
		sums  sync.Map
		adds  atomic.Int64
		epoch atomic.Uint64 // of the client that loses sessions
	)
	stop := make(chan struct{})
	for i := range clients {
		var proxies []*faultproxy.Proxy
		var addrs []string
		for _, s := range e.Servers() {
			p := faultproxy.Start(t, s.Addr())
			proxies, addrs = append(proxies, p), append(addrs, p.Addr())
		}
		cl := trial.Connect(t, strings.Join(addrs, ","), client.WithSessionTimeout(4*time.Second))
		c := counter.New(cl, "/counters/killed")
		wg.Go(func() {
			for n := 1; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				if i == 0 && n == 20 {
					deafen(ctx, t, cl, proxies)
				}
				sum, err := c.Add(ctx, 1)
				if !assert.NoError(t, err) {
					return
				}
				adds.Add(1)
				if i == 0 {
					epoch.Store(cl.State().Epoch)
				}
				_, twice := sums.LoadOrStore(sum, true)
				assert.False(t, twice, "two adds have seen the sum %d", sum)
			}
		})
	}
	for range kills {
		before := adds.Load()
		leader, err := e.Leader(ctx)
		require.NoError(t, err)
		require.NoError(t, leader.Kill(ctx))
		require.Eventually(t, func() bool { return adds.Load() > before+20 }, patience, 10*time.Millisecond, "they go on with the next leader")
		require.NoError(t, leader.Restart(ctx))
		require.NoError(t, e.WaitServing(ctx))
	}
	require.Eventually(t, func() bool { return epoch.Load() > 1 }, patience, 10*time.Millisecond, "a session is lost, and an add is made in the next one")
	close(stop)
	wg.Wait()
	total, err := counter.New(trial.Connect(t, e.Connect()), "/counters/killed").Add(ctx, 0)
	require.NoError(t, err)
	require.Equal(t, adds.Load(), total)
	t.Logf("%d adds", total)
}

// deafen has nothing that the servers say reach the client until its session is lost: its next change is carried out, and it does
// not hear so.
func deafen(ctx context.Context, t *testing.T, cl *client.Client, proxies []*faultproxy.Proxy) {
	session, err := cl.Session(ctx)
	if !assert.NoError(t, err) {
		return
	}
	for _, p := range proxies {
		p.BlackHole(faultproxy.ToClient)
	}
	go func() {
		select {
		case <-session.Context().Done():
		case <-ctx.Done():
		}
		for _, p := range proxies {
			p.Heal()
		}
	}()
}

// outlast makes the client's next change one that is delivered, and whose reply vanishes; and there is no other connection until the
// session is lost.
func outlast(ctx context.Context, t *testing.T, cl *client.Client, proxies []*faultproxy.Proxy, change faultproxy.Match) {
	fired := make(chan struct{}, len(proxies))
	var faults []*faultproxy.Fault
	for _, p := range proxies {
		lost := p.SwallowReply(change, faultproxy.ThenBlackHole) // so that the client does not come back before it is shut out
		faults = append(faults, lost)
		go func() {
			if _, err := lost.Wait(ctx); err == nil {
				fired <- struct{}{}
			}
		}()
	}
	go func() {
		select {
		case <-fired:
		case <-ctx.Done():
			return
		}
		for i, p := range proxies {
			p.Refuse()
			faults[i].Release()
		}
		for s := range cl.States(ctx) {
			if s.State == client.Lost {
				break
			}
		}
		for _, p := range proxies {
			p.Heal()
			assert.NoError(t, p.Accept())
		}
	}()
}
