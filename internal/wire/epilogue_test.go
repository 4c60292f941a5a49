package wire

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
)

// TestLibraryEndsWithItsLink: when a link is over, go-zookeeper can be closed without
// the second for which it would wait for an answer that nobody sends, and without its loop
// dialling on meanwhile.
func TestLibraryEndsWithItsLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dials := 0
		link := NewLink(t.Context(), Config{
			Dial: func(ctx context.Context) (net.Conn, error) {
				dials++
				<-ctx.Done()
				return nil, ctx.Err()
			},
			Timeout:      time.Minute,
			Rejected:     func(error) {},
			Ended:        func(error) {},
			Event:        func(jute.WatcherEvent) {},
			Connected:    func(Session) {},
			Disconnected: func(error) {},
		})
		lib, events, err := zk.Connect([]string{"ensemble"}, time.Minute, zk.WithDialer(link.LibraryDial), zk.WithHostProvider(stubHost{}), zk.WithLogger(silent{}))
		require.NoError(t, err)
		synctest.Wait()
		link.Close()
		synctest.Wait()
		began := time.Now()
		lib.Close()
		for range events {
		}
		require.Zero(t, time.Since(began))
		require.Equal(t, 1, dials)
		require.False(t, link.SessionClosed(), "no server has confirmed anything")
	})
}

type stubHost struct{}

func (stubHost) Init([]string) error  { return nil }
func (stubHost) Len() int             { return 1 }
func (stubHost) Next() (string, bool) { return "ensemble", false }
func (stubHost) Connected()           {}
