package scenario

import (
	"fmt"
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

// TestBlackHole: the holder's link swallows everything, without a FIN or an RST. Its
// context ends at ValidUntil, before the contender gets the lock. 20 runs at
// once, with session timeouts from 4 to 10 s, half of them with a fresh grant.
func TestBlackHole(t *testing.T) {
	const runs = 20
	e := ensemble.Start(t, 1)
	ctx := trial.Within(t, 3*time.Minute)
	contender := trial.Connect(t, e.Connect())
	var proxies []*faultproxy.Proxy
	var pairs []*pair
	for i := range runs {
		timeout := time.Duration(4+i%7) * time.Second
		p := faultproxy.Start(t, e.Servers()[0].Addr())
		proxies = append(proxies, p)
		pairs = append(pairs, hold(t, trial.Connect(t, p.Addr(), client.WithSessionTimeout(timeout)), contender, fmt.Sprintf("/blackhole/%d", i)))
		if i == runs/2-1 {
			for _, p := range pairs {
				p.settle(t)
			}
		}
	}
	began := time.Now()
	for _, p := range proxies {
		p.BlackHole(faultproxy.Both)
	}
	for _, p := range pairs {
		h, err := p.finish(ctx)
		require.NoError(t, err)
		t.Logf("session timeout %v: context over %.2f s after the black hole, contender has the lock %.2f s after it, margin %.2f s",
			h.timeout, h.ended.Sub(began).Seconds(), h.acquired.Sub(began).Seconds(), h.margin().Seconds())
		assert.Positive(t, h.margin(), "the holder's context ended after another had the lock")
		assert.ErrorIs(t, h.cause, lock.ErrLost)
		assert.False(t, h.ended.Before(h.until), "the context ended %v before ValidUntil", h.until.Sub(h.ended))
	}
}
