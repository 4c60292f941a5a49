package wire

import (
	"context"
	"encoding/binary"
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

// TestLibraryEndsWithItsConnection: the same for a link that is closed while it has a
// connection, or just as that is lost. Each round is a race of go-zookeeper's loop with Close.
func TestLibraryEndsWithItsConnection(t *testing.T) {
	for round := range 200 {
		synctest.Test(t, func(t *testing.T) {
			n := pipes(t)
			r := newRig(t, n)
			lib, events, err := zk.Connect([]string{"ensemble"}, time.Minute, zk.WithDialer(r.link.LibraryDial), zk.WithHostProvider(stubHost{}), zk.WithLogger(silent{}))
			require.NoError(t, err)
			p := r.welcomed()
			if round%2 == 0 {
				_ = p.raw.Close()
			}
			began := time.Now()
			r.link.Close()
			<-r.link.Parked()
			lib.Close()
			for range events {
			}
			require.Zero(t, time.Since(began))
		})
	}
}

type stubHost struct{}

func (stubHost) Init([]string) error  { return nil }
func (stubHost) Len() int             { return 1 }
func (stubHost) Next() (string, bool) { return "ensemble", false }
func (stubHost) Connected()           {}

// deaf loses go-zookeeper's goodbye.
type deaf struct{ net.Conn }

func (d deaf) Write(p []byte) (int, error) {
	if len(p) >= headerLen && jute.Op(binary.BigEndian.Uint32(p[8:])) == jute.OpCloseSession {
		return len(p), nil
	}
	return d.Conn.Write(p)
}

// TestLibraryEndsWithoutGoodbye: a goodbye that nobody hears does not keep go-zookeeper's loop when the link is dismissed.
func TestLibraryEndsWithoutGoodbye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, pipes(t))
		lib, events, err := zk.Connect([]string{"ensemble"}, time.Minute, zk.WithHostProvider(stubHost{}), zk.WithLogger(silent{}),
			zk.WithDialer(func(network, address string, timeout time.Duration) (net.Conn, error) {
				c, err := r.link.LibraryDial(network, address, timeout)
				return deaf{c}, err
			}))
		require.NoError(t, err)
		r.welcomed()
		r.link.Close()
		<-r.link.Parked()
		lib.Close() // which gives up after a second
		r.link.Dismiss()
		for range events {
		}
	})
}
