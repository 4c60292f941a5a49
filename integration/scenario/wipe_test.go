package scenario

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/trial"
	"github.com/zookit/zookit/lock"
)

// TestB8_ServersLoseTheirData: all servers are restarted without their data, so that
// they refuse a client that has seen later transactions. The client gives the session up
// when it is over and works in a new one; it does not hammer the servers meanwhile.
func TestB8_ServersLoseTheirData(t *testing.T) {
	for _, servers := range []int{1, 3} {
		t.Run(fmt.Sprintf("%d servers", servers), func(t *testing.T) {
			e := ensemble.Start(t, servers)
			ctx := trial.Within(t, 2*time.Minute)
			var dials atomic.Int64
			cl := trial.Connect(t, e.Connect(), client.WithSessionTimeout(4*time.Second), client.WithDialer(
				func(ctx context.Context, network, address string) (net.Conn, error) {
					dials.Add(1)
					var d net.Dialer
					return d.DialContext(ctx, network, address)
				}))
			held, err := lock.NewMutex(cl, "/wiped/lock").Lock(ctx)
			require.NoError(t, err)
			for i := range 20 {
				_, err := cl.Create(ctx, fmt.Sprintf("/wiped/%d", i), nil)
				require.NoError(t, err)
			}

			require.NoError(t, e.Wipe(ctx))
			require.NoError(t, e.WaitServing(ctx))
			began, before := time.Now(), dials.Load()
			for change := range cl.States(ctx) {
				if change.State == client.Connected && change.Epoch > 1 {
					break
				}
			}
			took, tried := time.Since(began), dials.Load()-before
			t.Logf("new session %.1f s after the servers served again, %d connection attempts", took.Seconds(), tried)
			require.Less(t, took, 10*time.Second)
			require.Less(t, tried, int64(60))
			require.ErrorIs(t, held.Err(), lock.ErrLost)
			held, err = lock.NewMutex(cl, "/wiped/lock").Lock(ctx)
			require.NoError(t, err)
			require.NoError(t, held.Unlock(ctx))
		})
	}
}
