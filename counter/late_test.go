package counter_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/counter"
	"github.com/zookit/zookit/zktest"
)

// A transaction is still on its way when its session is lost for the client, and not for the server. The next session
// settles that it was not made; then it arrives, before the add is made again: and comes too late.
func TestTransactionArrivesInTheNextSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork(), zktest.WithTick(10*time.Second), zktest.WithSessionTimeouts(time.Second, time.Minute))
		cl := connect(t, srv, client.WithSessionTimeout(4*time.Second))
		session := sessionOf(t, cl)
		c := counter.New(cl, node)
		_, err := c.Add(bounded(t), 1)
		require.NoError(t, err)
		held, settled, arrived := make(chan struct{}), make(chan struct{}), make(chan struct{})
		var released atomic.Bool // not a sync.Once: who waits for that keeps the bubble's time from passing
		srv.ResetRequests()
		srv.OnRequest(func(r zktest.Request) {
			switch {
			case r.Op == zktest.OpMulti && r.Session == session:
				close(held)
				<-settled
			case r.Op == zktest.OpMulti && released.CompareAndSwap(false, true):
				close(settled)
				for len(srv.Requests(zktest.Match{Ops: []zktest.Op{zktest.OpMulti}, Session: session})) == 0 {
					time.Sleep(time.Millisecond) // the bubble's
				}
				close(arrived)
			case r.Op == zktest.OpConnect && r.Session == session:
				<-arrived // it does not come back, which would end the connection with the transaction
			}
		})
		out := later(func() (int64, error) { return c.Add(bounded(t), 1) })
		wait(t, "the transaction", held)
		require.Equal(t, sum{n: 2}, wait(t, "the add", out))
		require.NotEqual(t, session, sessionOf(t, cl))
		multis := srv.Requests(zktest.Match{Ops: []zktest.Op{zktest.OpMulti}})
		require.GreaterOrEqual(t, len(multis), 2)
		require.Equal(t, session, multis[0].Session, "the late one was executed first")
		n, err := c.Add(bounded(t), 0)
		require.NoError(t, err)
		require.Equal(t, int64(2), n)
		requireData(t, srv, []byte{0, 0, 0, 0, 0, 0, 0, 2})
	})
}
