package counters

import (
	"context"
	"os"
	"slices"
	"strconv"
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

// times is how often an adder adds.
const times = 60

// TestCounters: for each layout adders of all kinds, one of each killed, and two of zookit's whose replies are
// lost: one goes on in its session, the other loses that, too.
func TestCounters(t *testing.T) {
	kazoo, curator := kazooCommand(t), curatorCommand(t)
	e := ensemble.Start(t, 1)
	for layout, kinds := range map[string]map[string][]string{
		"long": {"long": curator, "promoted": curator},
		"int":  {"int": kazoo, "shared": curator, "int ": curator},
		"text": {"text": kazoo},
	} {
		t.Run(layout, func(t *testing.T) {
			t.Parallel()
			ctx := trial.Within(t, 2*patience)
			path := "/counters/" + layout
			var lasting, dying []*process
			for kind, command := range kinds {
				args := append(append([]string{}, command...), e.Connect(), strings.TrimSpace(kind), path)
				lasting = append(lasting, launch(t, append(slices.Clip(args), strconv.Itoa(times))))
				dying = append(dying, launch(t, append(slices.Clip(args), "0")))
			}
			self, err := os.Executable()
			require.NoError(t, err)
			dying = append(dying, launch(t, []string{self}, adder+"="+strings.Join([]string{e.Connect(), layout, path, "0"}, " ")))

			var sums sync.Map
			var ours atomic.Int64
			var wg sync.WaitGroup
			for _, loses := range []bool{false, true} {
				wg.Go(func() {
					unlucky(ctx, t, e, path, layouts[layout], loses, func(n int64) {
						ours.Add(1)
						_, twice := sums.LoadOrStore(n, true)
						assert.False(t, twice, "two adds have seen the sum %d", n)
					})
				})
			}
			for _, p := range dying {
				p.await(ctx, t, p.some)
				p.kill(t)
			}
			for _, p := range lasting {
				p.await(ctx, t, p.ended)
			}
			wg.Wait()
			if t.Failed() {
				return
			}
			sure := ours.Load()
			for _, p := range append(lasting, dying...) {
				sure += p.did.Load()
			}
			total, err := counter.New(trial.Connect(t, e.Connect()), path, counter.WithLayout(layouts[layout])).Add(ctx, 0)
			require.NoError(t, err)
			require.GreaterOrEqual(t, total, sure)
			require.LessOrEqual(t, total, sure+int64(len(dying)), "each that was killed may have added once more")
			t.Logf("%d adds, of which %d by zookit with lost replies, %d by those that were killed", total, ours.Load(), total-ours.Load()-int64(times*len(lasting)))
		})
	}
}

// unlucky is an adder of zookit's: every tenth reply, and every tenth request, of a change is lost, and if it
// loses sessions, in the middle, the connection with the reply for so long that the session is lost.
func unlucky(ctx context.Context, t *testing.T, e *ensemble.Ensemble, path string, layout counter.Layout, loses bool, saw func(int64)) {
	proxy := faultproxy.Start(t, e.Servers()[0].Addr())
	cl := trial.Connect(t, proxy.Addr(), client.WithSessionTimeout(4*time.Second))
	c := counter.New(cl, path, counter.WithLayout(layout))
	change := faultproxy.OpPath(faultproxy.OpMulti, path)
	for i := range times {
		switch {
		case loses && i == times/2:
			outlast(ctx, t, cl, []*faultproxy.Proxy{proxy}, change)
		case i%10 == 3:
			proxy.SwallowReply(change, faultproxy.ThenCut)
		case i%10 == 7:
			proxy.DropRequest(change, faultproxy.ThenReset)
		}
		n, err := c.Add(ctx, 1)
		if !assert.NoError(t, err) {
			return
		}
		saw(n)
	}
	assert.Equal(t, loses, cl.State().Epoch > 1, "it has lost a session")
}
