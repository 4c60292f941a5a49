package wire

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
)

// What the package relies on is checked at run time: another version of the
// library that behaves differently is found out at once, not by its effects. Write
// itself never fails, whatever it was given (B1).
func TestAssumptionsAreChecked(t *testing.T) {
	hello := frameOf(&jute.ConnectRequest{Password: make([]byte, passwordLen), OldClient: true})
	ping := frameOf(&jute.RequestHeader{Xid: jute.XidPing, Op: jute.OpPing})
	create := frameOf(&jute.RequestHeader{Xid: 1, Op: jute.OpCreate}, &jute.CreateRequest{Path: "/a"})
	for name, test := range map[string]struct {
		writes [][]byte
		says   string
	}{
		"a frame in two writes":           {[][]byte{hello[:10], hello[10:]}, "not one frame"},
		"two frames in one write":         {[][]byte{hello, slices.Concat(ping, ping)}, "not one frame"},
		"an empty write":                  {[][]byte{{}}, "not one frame"},
		"a header alone":                  {[][]byte{hello, {0, 0, 0, 0}}, "not one frame"},
		"a ping before the greeting":      {[][]byte{ping}, "no connect request"},
		"a request before the greeting":   {[][]byte{create}, "no connect request"},
		"a greeting with something added": {[][]byte{frameOf(&jute.ConnectRequest{}, filler(3))}, "no connect request"},
		"a second greeting":               {[][]byte{hello, hello}, "it sends"},
		"a request of its own":            {[][]byte{hello, create}, "it sends create"},
		"watches of its own":              {[][]byte{hello, frameOf(&jute.RequestHeader{Op: jute.OpSetWatches}, filler(20))}, "it sends setWatches"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, pipes(t))
			c, p := r.connect()
			for _, b := range test.writes {
				n, err := c.Write(b)
				require.NoError(t, err)
				require.Equal(t, len(b), n)
			}
			err := r.next("disconnected").err
			require.ErrorIs(t, err, errAssumption)
			require.ErrorContains(t, err, test.says)
			require.Zero(t, p.drained())
			n, err := c.Write(ping) // nor does it fail on a dead connection
			require.NoError(t, err)
			require.Equal(t, len(ping), n)
			r.quiet()
		})
	}
}

// The library of the version in go.mod keeps to the assumptions, through
// greeting, pings, a loss, and its farewell.
func TestLibraryKeepsToAssumptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, pipes(t))
		r.start()
		for range 2 {
			p := r.welcomed()
			for range 3 {
				h := p.expect(jute.OpPing)[0]
				require.Equal(t, jute.XidPing, h.Xid)
				p.reply(h, 0)
			}
			_ = p.raw.Close()
			require.NotErrorIs(t, r.next("disconnected").err, errAssumption)
		}
		p := r.welcomed()
		closed := make(chan struct{})
		r.wg.Go(func() { r.lib.Close(); close(closed) })
		h := p.expect(jute.OpCloseSession)[0]
		require.Positive(t, h.Xid, "xids of the library and of the link must not meet")
		p.reply(h, 1)
		<-closed
		require.NotErrorIs(t, r.next("disconnected").err, errAssumption)
	})
}

// Requests made through the library, and not through the link, are the mistake of
// whoever makes them: they end with an error and nothing reaches the server.
func TestRequestsThroughTheLibraryAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, pipes(t))
		r.start()
		p := r.welcomed()
		_, _, err := r.lib.Get("/a")
		require.ErrorIs(t, err, zk.ErrConnectionClosed)
		require.ErrorIs(t, r.next("disconnected").err, errAssumption)
		require.Zero(t, p.drained())
	})
}
