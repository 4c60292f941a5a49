package zktest_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

// Servers that are closed leave no goroutine, whatever their clients are doing: BenchmarkStartToFirstOperation
// with -benchtime 10000x says the same of ten thousand.
func TestServersLeaveNoGoroutine(t *testing.T) {
	for _, network := range networks {
		t.Run(network.name, func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			for i := range 100 {
				s, err := zktest.NewServer(append(network.opts, zktest.WithServers(1+i%3))...)
				require.NoError(t, err)
				w := enter(t, s)
				w.mustCreate("/a", 1)
				w.call(jute.OpGetData, &jute.PathWatchRequest{Path: "/a", Watch: true}, &jute.DataReply{})
				reach(t, s) // and says nothing
				switch i % 4 {
				case 1:
					s.Freeze()
					w.send(jute.OpGetData, &jute.PathWatchRequest{Path: "/a"})
				case 2:
					hold := s.HoldReply(zktest.On("/a"))
					w.send(jute.OpGetData, &jute.PathWatchRequest{Path: "/a"})
					await(t, hold.Fired(), "the reply to be held")
				case 3:
					s.Doors()[0].Lag()
					w.send(jute.OpSync, &jute.PathRequest{Path: "/a"})
				}
				require.NoError(t, s.Close(), fmt.Sprint(i))
			}
			goleak.VerifyNone(t, before)
		})
	}
}
