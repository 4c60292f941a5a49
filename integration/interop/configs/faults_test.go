package configs

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/config"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/faultproxy"
	"github.com/zookit/zookit/integration/trial"
	"github.com/zookit/zookit/recipes"
)

// line is what is between one client and the servers.
type line []*faultproxy.Proxy

func (l line) each(do func(*faultproxy.Proxy)) {
	for _, p := range l {
		do(p)
	}
}

func (l line) off() {
	l.each((*faultproxy.Proxy).Refuse)
	l.each((*faultproxy.Proxy).Cut)
}

func (l line) on(t *testing.T) {
	t.Helper()
	l.each(func(p *faultproxy.Proxy) { require.NoError(t, p.Accept()) })
}

// lineTo makes a line to all servers and a client on it.
func lineTo(t *testing.T, e *ensemble.Ensemble, timeout time.Duration) (line, *client.Client) {
	t.Helper()
	var l line
	var addrs []string
	for _, s := range e.Servers() {
		p := faultproxy.Start(t, s.Addr())
		l, addrs = append(l, p), append(addrs, p.Addr())
	}
	return l, trial.Connect(t, strings.Join(addrs, ","), client.WithSessionTimeout(timeout))
}

// at is the server that a client is connected to.
func (l line) at(t *testing.T, cl *client.Client, e *ensemble.Ensemble) *ensemble.Server {
	t.Helper()
	for i, p := range l {
		if p.Addr() == trial.ServerOf(cl) {
			return e.Servers()[i]
		}
	}
	require.FailNow(t, "connected to nothing")
	return nil
}

func awaitState(ctx context.Context, t *testing.T, cl *client.Client, want client.State) {
	t.Helper()
	for s := range cl.States(ctx) {
		if s.State == want {
			return
		}
	}
	require.FailNow(t, "not in time", want.String())
}

// TestWatchesOutliveFaults: whatever befalls the client, its line or the servers, a value never goes back, and what
// was written meanwhile arrives; so it does in a tree, and children that settle.
func TestWatchesOutliveFaults(t *testing.T) {
	const path = "/config/a/n"
	e := ensemble.Start(t, 3, ensemble.WithSyncLimit(20))
	ctx := trial.Within(t, 5*patience)
	outside := trial.Connect(t, e.Connect(), client.WithSessionTimeout(40*time.Second))
	writer := config.New[int](outside, path)
	l, cl := lineTo(t, e, 8*time.Second)
	n := 1
	require.NoError(t, writer.Set(ctx, n))
	value, err := config.Watch(ctx, cl, path, config.WithDefault(0))
	require.NoError(t, err)
	t.Cleanup(value.Close)
	tree, err := config.WatchTree(ctx, cl, "/config", recipes.MirrorConfig{})
	require.NoError(t, err)
	t.Cleanup(tree.Close)
	kids, err := config.WatchChildren(ctx, cl, "/config", 100*time.Millisecond)
	require.NoError(t, err)
	t.Cleanup(kids.Close)

	var back atomic.Pointer[string]
	following, stop := context.WithCancel(ctx)
	var follower sync.WaitGroup
	follower.Go(func() {
		last := 0
		for now, err := range value.Updates(following) {
			if err == nil && now < last {
				back.Store(new(fmt.Sprintf("%d came after %d", now, last)))
			}
			last = now
		}
	})
	defer follower.Wait()
	defer stop()

	for name, strike := range map[string]func() (heal func()){
		"line cut": func() func() {
			l.off()
			awaitState(ctx, t, cl, client.Suspended)
			return func() { l.on(t) }
		},
		"reply lost": func() func() {
			l.each(func(p *faultproxy.Proxy) {
				p.SwallowReply(faultproxy.Op(faultproxy.OpGetData), faultproxy.ThenCut)
			})
			return func() {}
		},
		"black hole": func() func() {
			l.each(func(p *faultproxy.Proxy) { p.BlackHole(faultproxy.Both) })
			return func() { l.each((*faultproxy.Proxy).Heal) }
		},
		"session expired": func() func() {
			l.off()
			awaitState(ctx, t, cl, client.Lost)
			return func() { l.on(t) }
		},
		"its server killed": func() func() {
			s := l.at(t, cl, e)
			require.NoError(t, s.Kill(ctx))
			return func() { require.NoError(t, s.Restart(ctx)) }
		},
		"its server stopped": func() func() {
			s := l.at(t, cl, e)
			require.NoError(t, s.Stop(ctx))
			return func() { require.NoError(t, s.Continue(ctx)) }
		},
		"leader killed": func() func() {
			s, err := e.Leader(ctx)
			require.NoError(t, err)
			require.NoError(t, s.Kill(ctx))
			return func() { require.NoError(t, s.Restart(ctx)) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			awaitState(ctx, t, cl, client.Connected)
			heal := strike()
			for range 5 {
				n++
				require.NoError(t, writer.Set(ctx, n))
			}
			other := client.Join("/config", trial.Sanitize(name))
			require.NoError(t, config.New[int](outside, other).Set(ctx, n))
			heal()
			shows(t, n, value.Load)
			shows(t, strconv.Itoa(n), func() string { return tree.Load().Text("a/n", "") })
			shows(t, strconv.Itoa(n), func() string { return tree.Load().Text(trial.Sanitize(name), "") })
			shows(t, true, func() bool { return strings.Contains(strings.Join(kids.Load(), ","), trial.Sanitize(name)) })
			_, err := e.Leader(ctx) // all are well again
			require.NoError(t, err)
			require.Nil(t, back.Load())
			n++
			require.NoError(t, writer.Set(ctx, n))
			shows(t, n, value.Load)
			require.NoError(t, value.Err())
		})
	}
}

// TestUpdatesAreMadeOnce: several count up while replies are lost at each kind of request, sessions end and the leader
// is killed. Each update is made exactly once.
func TestUpdatesAreMadeOnce(t *testing.T) {
	const path, writers, each = "/count/n", 3, 10
	e := ensemble.Start(t, 3, ensemble.WithSyncLimit(20))
	ctx := trial.Within(t, 5*patience)
	var all, storm sync.WaitGroup
	var unknown atomic.Int64
	stormy, calm := context.WithCancel(ctx)
	for range writers {
		l, cl := lineTo(t, e, 10*time.Second)
		d := config.New(cl, path, config.WithDefault(0), config.WithHistory[int](200))
		storm.Go(func() { losses(stormy, l) })
		all.Go(func() {
			for range each {
				_, err := d.Update(ctx, func(n int) (int, error) { return n + 1, nil })
				switch {
				case err == nil:
				case client.Outcome(err) == client.Unknown:
					unknown.Add(1)
				default:
					t.Error(err)
				}
			}
		})
	}
	storm.Go(func() {
		rest(stormy, 2*time.Second)
		s, err := e.Leader(stormy)
		if err != nil {
			return // it is over
		}
		if err := s.Kill(ctx); err != nil {
			t.Error(err)
		}
		if err := s.Restart(ctx); err != nil {
			t.Error(err)
		}
	})
	all.Wait()
	calm()
	storm.Wait()
	_, err := e.Leader(ctx)
	require.NoError(t, err)
	final := trial.Connect(t, e.Connect())
	require.NoError(t, final.Sync(ctx, path))
	n, _, err := config.New[int](final, path).Get(ctx)
	require.NoError(t, err)
	require.Zero(t, unknown.Load(), "with a history as long as that all is known")
	require.Equal(t, writers*each, n)
}

// losses has the replies to a writer's requests be lost, of one kind after the other, and its session end.
func losses(ctx context.Context, l line) {
	kinds := []int32{faultproxy.OpMulti, faultproxy.OpMulti, faultproxy.OpGetData, faultproxy.OpMulti, faultproxy.OpGetChildren2, faultproxy.OpMulti}
	for i := 0; ctx.Err() == nil; i++ {
		var hits []*faultproxy.Fault
		l.each(func(p *faultproxy.Proxy) {
			hits = append(hits, p.SwallowReply(faultproxy.Op(kinds[i%len(kinds)]), faultproxy.ThenCut))
		})
		if i%10 == 4 {
			l.off()
			rest(ctx, 11*time.Second) // longer than the session
			l.each(func(p *faultproxy.Proxy) { _ = p.Accept() })
		}
		rest(ctx, time.Second)
		for _, h := range hits {
			h.Release()
		}
		rest(ctx, time.Second) // to come back
	}
	l.each(func(p *faultproxy.Proxy) { _ = p.Accept() })
}

func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
