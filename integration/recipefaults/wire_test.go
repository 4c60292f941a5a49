package recipefaults

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/faultproxy"
	"github.com/zookit/zookit/integration/trial"
)

// wire is what is between one client and the servers: a proxy for each.
type wire struct {
	proxies []*faultproxy.Proxy
}

func newWire(t *testing.T, e *ensemble.Ensemble) *wire {
	t.Helper()
	w := &wire{}
	for _, s := range e.Servers() {
		w.proxies = append(w.proxies, faultproxy.Start(t, s.Addr()))
	}
	return w
}

func (w *wire) connect(t *testing.T, timeout time.Duration) *client.Client {
	t.Helper()
	var addrs []string
	for _, p := range w.proxies {
		addrs = append(addrs, p.Addr())
	}
	return trial.Connect(t, strings.Join(addrs, ","), client.WithSessionTimeout(timeout))
}

// requests are those that recipes have sent, in order; see counts.
func (w *wire) requests() []faultproxy.Request {
	var all []faultproxy.Request
	for _, p := range w.proxies {
		all = append(all, p.Requests()...)
	}
	return slices.DeleteFunc(all, func(r faultproxy.Request) bool { return !counts(r) })
}

// counts tells whether a request is a recipe's own, and not the client's.
func counts(r faultproxy.Request) bool {
	switch r.Op {
	case faultproxy.OpConnect, faultproxy.OpPing, faultproxy.OpCloseSession, faultproxy.OpNotification,
		faultproxy.OpSetWatches, faultproxy.OpSetWatches2:
		return false
	}
	return !confirms(r)
}

// confirms tells whether a request is the client's confirmation of what it holds.
func confirms(r faultproxy.Request) bool {
	return r.Op == faultproxy.OpMulti && !slices.ContainsFunc(r.Parts, func(p faultproxy.Part) bool { return p.Op != faultproxy.OpCheck })
}

// off cuts the client off from all servers until on.
func (w *wire) off() {
	for _, p := range w.proxies {
		p.Refuse()
	}
	for _, p := range w.proxies {
		p.Cut()
	}
}

func (w *wire) on() error {
	for _, p := range w.proxies {
		if err := p.Accept(); err != nil {
			return err
		}
	}
	return nil
}

// hit is a fault that hits one request, whichever server that is sent to.
type hit struct {
	faults []*faultproxy.Fault
	fired  chan struct{} // closed when it has hit
}

// hold keeps the n-th request from now on that m matches, and swallow its reply.
func (w *wire) hold(ctx context.Context, n int, m faultproxy.Match) *hit {
	return w.arm(ctx, n, m, (*faultproxy.Proxy).HoldRequest)
}

func (w *wire) swallow(ctx context.Context, n int, m faultproxy.Match) *hit {
	return w.arm(ctx, n, m, func(p *faultproxy.Proxy, m faultproxy.Match) *faultproxy.Fault { return p.SwallowReply(m) })
}

func (w *wire) arm(ctx context.Context, n int, m faultproxy.Match, how func(*faultproxy.Proxy, faultproxy.Match) *faultproxy.Fault) *hit {
	var seen atomic.Int64
	h := &hit{fired: make(chan struct{})}
	nth := func(r faultproxy.Request) bool { return m(r) && seen.Add(1) == int64(n) }
	for _, p := range w.proxies {
		fault := how(p, nth)
		h.faults = append(h.faults, fault)
		go func() { // ends with the scene at the latest
			select {
			case <-fault.Fired():
				close(h.fired)
			case <-ctx.Done():
			}
		}()
	}
	return h
}

// release lets go what is held, and takes back what has not hit.
func (h *hit) release() {
	for _, f := range h.faults {
		f.Release()
	}
}

// awaitState waits until the client is in one of the states, or has been since.
func awaitState(t *testing.T, ctx context.Context, cl *client.Client, want ...client.State) { //nolint:revive // t first
	t.Helper()
	for change := range cl.States(ctx) {
		if slices.Contains(want, change.State) {
			return
		}
	}
	require.FailNow(t, "the client's state never came", "it is %v, wanted %v", cl.State(), want)
}
