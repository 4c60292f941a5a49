package count

import (
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

// frameOf is a request with an operation and so many bytes after it.
func frameOf(op byte, rest int) []byte {
	frame := []byte{0, 0, 0, byte(8 + rest), 0, 0, 0, 1, 0, 0, 0, op}
	return append(frame, make([]byte, rest)...)
}

func TestRequestsAreCountedHoweverTheyAreCut(t *testing.T) {
	t.Parallel()
	stream := frameOf(0, 37) // the handshake, whatever stands in it
	stream = append(stream, frameOf(4, 20)...)
	stream = append(stream, frameOf(opPing, 0)...)
	stream = append(stream, frameOf(14, 100)...)
	stream = append(stream, frameOf(opAuth, 10)...)
	stream = append(stream, frameOf(2, 0)...)
	for _, piece := range []int{1, 3, 7, 12, 50, len(stream)} {
		var f frames
		var n int64
		for at := 0; at < len(stream); at += piece {
			n += f.feed(stream[at:min(at+piece, len(stream))])
		}
		require.Equal(t, int64(3), n, "in pieces of %d", piece)
	}
}

func TestWhatIsNoZooKeeperHasNoRequests(t *testing.T) {
	t.Parallel()
	var f frames
	require.Zero(t, f.feed([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")))
	require.Zero(t, f.feed(frameOf(4, 20)))
}

func TestProxyCounts(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	front, err := Front(srv.Addr())
	require.NoError(t, err)
	cl, err := client.Connect(t.Context(), front.Servers())
	require.NoError(t, err)
	_, err = cl.Create(t.Context(), "/a", make([]byte, 1000))
	require.NoError(t, err)
	before := front.Counts()
	for range 10 {
		_, _, err = cl.Get(t.Context(), "/a")
		require.NoError(t, err)
	}
	c := front.Counts().Minus(before)
	require.Equal(t, int64(10), c.Requests)
	require.Equal(t, int64(10), c.Flights)
	require.Equal(t, int64(10*(4+8+4+2+1)), c.Sent, "length, header, path, watch")
	require.Equal(t, int64(10*(4+16+4+1000+68)), c.Received, "length, header, data, stat")
	require.NoError(t, cl.Close())
	require.NoError(t, front.Close())
	require.Zero(t, srv.Connections())
}

func TestCloseEndsWhatIsOpen(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	p, err := New(l.Addr().String())
	require.NoError(t, err)
	near, err := net.Dial("tcp", p.Addr())
	require.NoError(t, err)
	far, err := l.Accept()
	require.NoError(t, err)
	require.NoError(t, p.Close())
	for _, c := range []net.Conn{near, far} {
		_, err = c.Read(make([]byte, 1))
		require.Error(t, err)
		require.NoError(t, c.Close())
	}
}

func TestAServerThatIsNotThere(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	gone := l.Addr().String()
	require.NoError(t, l.Close())
	p, err := New(gone)
	require.NoError(t, err)
	c, err := net.Dial("tcp", p.Addr())
	require.NoError(t, err)
	_, err = c.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
	require.NoError(t, c.Close())
	require.NoError(t, p.Close())
}
