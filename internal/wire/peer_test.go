package wire

import (
	"bufio"
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
)

const (
	sessionID      = int64(0x1000_0000_0000_0001)
	sessionTimeout = 6 * time.Second
	patience       = time.Minute // how long a test waits for what must happen; only failures last that long
)

var sessionPassword = []byte("0123456789abcdef")

// peer is the server's end of one connection. Its methods are for the test's own
// goroutine, except drained.
type peer struct {
	t   testing.TB
	raw net.Conn
	in  *bufio.Reader
}

func newPeer(t testing.TB, raw net.Conn) *peer {
	t.Cleanup(func() { _ = raw.Close() })
	return &peer{t: t, raw: raw, in: bufio.NewReader(raw)}
}

// frame reads one frame.
func (p *peer) frame() []byte {
	p.t.Helper()
	b, err := readFrame(p.in, 16<<20)
	require.NoError(p.t, err, "the server reads a frame")
	return b
}

// hello reads the connect request.
func (p *peer) hello() jute.ConnectRequest {
	p.t.Helper()
	var r jute.ConnectRequest
	d := jute.NewDecoder(p.frame())
	r.Decode(d)
	require.NoError(p.t, d.Err())
	return r
}

// request reads any other request.
func (p *peer) request() (jute.RequestHeader, *jute.Decoder) {
	p.t.Helper()
	var h jute.RequestHeader
	d := jute.NewDecoder(p.frame())
	h.Decode(d)
	require.NoError(p.t, d.Err())
	return h, d
}

// expect reads requests, which must have these operations and no others.
func (p *peer) expect(ops ...jute.Op) []jute.RequestHeader {
	p.t.Helper()
	var all []jute.RequestHeader
	for _, op := range ops {
		h, _ := p.request()
		require.Equal(p.t, op.String(), h.Op.String())
		all = append(all, h)
	}
	return all
}

// write sends bytes as they are.
func (p *peer) write(b ...byte) {
	p.t.Helper()
	_, err := p.raw.Write(b)
	require.NoError(p.t, err, "the server writes")
}

func (p *peer) send(records ...jute.Record) {
	p.t.Helper()
	p.write(frameOf(records...)...)
}

// welcome answers a connect request.
func (p *peer) welcome(id int64, timeout time.Duration) {
	p.t.Helper()
	p.send(welcomeOf(id, timeout))
}

func welcomeOf(id int64, timeout time.Duration) *jute.ConnectResponse {
	return &jute.ConnectResponse{TimeoutMillis: int32(timeout.Milliseconds()), SessionID: id, Password: sessionPassword}
}

// reply answers a request with success.
func (p *peer) reply(h jute.RequestHeader, zxid int64, body ...jute.Record) {
	p.t.Helper()
	p.send(append([]jute.Record{&jute.ReplyHeader{Xid: h.Xid, Zxid: zxid}}, body...)...)
}

// event sends a watch event.
func (p *peer) event(path string, zxid int64) {
	p.t.Helper()
	p.send(&jute.ReplyHeader{Xid: jute.XidNotification, Zxid: zxid},
		&jute.WatcherEvent{Type: jute.EventNodeDataChanged, State: 3, Path: path})
}

// drained waits until the client has closed the connection, and counts what it
// still sent.
func (p *peer) drained() (frames int) {
	for {
		if _, err := readFrame(p.in, 16<<20); err != nil {
			return frames
		}
		frames++
	}
}

// network makes connections: each dial is met by a peer that the test accepts.
// A dial waits until it is accepted, which keeps the test in step.
type network struct {
	t     testing.TB
	peers chan *peer
	wrap  func(net.Conn) net.Conn // the client's end
	pair  func() (client, server net.Conn, err error)

	mu    sync.Mutex
	dials int
}

// pipes is a network without any buffering, fit for a synctest bubble.
func pipes(t testing.TB) *network {
	return &network{t: t, peers: make(chan *peer), pair: func() (net.Conn, net.Conn, error) {
		c, s := net.Pipe()
		return c, s, nil
	}}
}

// loopback is a network of TCP connections.
func loopback(t testing.TB) *network {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return &network{t: t, peers: make(chan *peer), pair: func() (net.Conn, net.Conn, error) {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			return nil, nil, err
		}
		s, err := l.Accept()
		return c, s, err
	}}
}

func (n *network) dial(ctx context.Context) (net.Conn, error) {
	n.mu.Lock()
	n.dials++
	n.mu.Unlock()
	client, server, err := n.pair()
	if err != nil {
		return nil, err
	}
	select {
	case n.peers <- newPeer(n.t, server):
	case <-ctx.Done():
		_ = client.Close()
		_ = server.Close()
		return nil, context.Cause(ctx)
	}
	if n.wrap != nil {
		client = n.wrap(client)
	}
	return client, nil
}

// dialled is the number of dials so far, the one under way included.
func (n *network) dialled() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.dials
}

// accept takes the next connection.
func (n *network) accept() *peer {
	n.t.Helper()
	select {
	case p := <-n.peers:
		return p
	case <-time.After(patience):
		n.t.Fatal("nobody dialled")
		return nil
	}
}
