package faultproxy

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for an event before it fails.
const patience = 10 * time.Second

func wait(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func await(t *testing.T, event <-chan struct{}) {
	t.Helper()
	select {
	case <-event:
	case <-wait(t).Done():
		require.FailNow(t, "the event did not come")
	}
}

// Encoding, as little as the tests need.

func frame(parts ...any) []byte {
	b := make([]byte, 4)
	for _, part := range parts {
		switch v := part.(type) {
		case int32:
			b = binary.BigEndian.AppendUint32(b, uint32(v))
		case int64:
			b = binary.BigEndian.AppendUint64(b, uint64(v))
		case bool:
			if v {
				b = append(b, 1)
			} else {
				b = append(b, 0)
			}
		case string:
			b = binary.BigEndian.AppendUint32(b, uint32(len(v)))
			b = append(b, v...)
		}
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}

func handshake() []byte {
	return frame(int32(0), int64(0), int32(4000), int64(0), string(make([]byte, 16)), false)
}

// server answers the handshake and echoes every request, with the reply's
// header before it.
type server struct {
	t        *testing.T
	listener net.Listener
	wg       sync.WaitGroup
	accepted chan *session

	mu   sync.Mutex
	all  []*session
	zxid int64
	mute bool
	got  []Request
	news chan struct{} // closed and replaced at each request
}

type session struct {
	conn *net.TCPConn
	ends chan error // how the client's side ended
}

func startServer(t *testing.T) *server {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	s := &server{t: t, listener: listener, accepted: make(chan *session, 1000), news: make(chan struct{})}
	s.wg.Go(s.serve)
	t.Cleanup(s.stop)
	return s
}

func (s *server) addr() string { return s.listener.Addr().String() }

func (s *server) stop() {
	_ = s.listener.Close()
	s.mu.Lock()
	for _, one := range s.all {
		_ = one.conn.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
}

func (s *server) serve() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		one := &session{conn: conn.(*net.TCPConn), ends: make(chan error, 1)}
		s.mu.Lock()
		s.all = append(s.all, one)
		s.mu.Unlock()
		s.accepted <- one
		s.wg.Go(func() { one.ends <- s.talk(one) })
	}
}

func (s *server) talk(one *session) error {
	in := splitter{r: bufio.NewReader(one.conn)}
	for first := true; ; first = false {
		data, whole, err := in.next()
		if err != nil {
			return err
		}
		if !whole {
			continue
		}
		if first {
			_, _ = one.conn.Write(frame(int32(0), int32(4000), int64(7), string(make([]byte, 16)), false))
			continue
		}
		r, _ := decodeRequest(data)
		s.mu.Lock()
		s.got = append(s.got, r)
		s.zxid++
		header := frame(r.Xid, s.zxid, int32(0))
		close(s.news)
		s.news = make(chan struct{})
		mute := s.mute
		s.mu.Unlock()
		if !mute {
			reply := append(header, data[4:]...)
			binary.BigEndian.PutUint32(reply, uint32(len(reply)-4))
			_, _ = one.conn.Write(reply)
		}
	}
}

// received returns the xids of the requests that have come.
func (s *server) received() []int32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	xids := []int32{}
	for _, r := range s.got {
		xids = append(xids, r.Xid)
	}
	return xids
}

// receives waits until n requests have come.
func (s *server) receives(n int) {
	s.t.Helper()
	for {
		s.mu.Lock()
		enough, news := len(s.got) >= n, s.news
		s.mu.Unlock()
		if enough {
			return
		}
		await(s.t, news)
	}
}

func (s *server) session() *session {
	s.t.Helper()
	select {
	case one := <-s.accepted:
		return one
	case <-wait(s.t).Done():
		require.FailNow(s.t, "no connection came")
		return nil
	}
}

func (one *session) ended(t *testing.T) error {
	t.Helper()
	select {
	case err := <-one.ends:
		return err
	case <-wait(t).Done():
		require.FailNow(t, "the server's connection did not end")
		return nil
	}
}

func (one *session) notify(t *testing.T, path string) {
	t.Helper()
	_, err := one.conn.Write(frame(int32(-1), int64(-1), int32(0), int32(3), int32(3), path))
	require.NoError(t, err)
}

type client struct {
	t    *testing.T
	conn *net.TCPConn
	in   splitter
}

func dial(t *testing.T, p *Proxy) *client {
	t.Helper()
	conn, err := net.Dial("tcp", p.Addr())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	return &client{t: t, conn: conn.(*net.TCPConn), in: splitter{r: bufio.NewReader(conn)}}
}

// connect dials and shakes hands.
func connect(t *testing.T, p *Proxy) *client {
	t.Helper()
	c := dial(t, p)
	c.write(handshake())
	_, err := c.read()
	require.NoError(t, err)
	return c
}

func (c *client) write(b []byte) {
	c.t.Helper()
	_, err := c.conn.Write(b)
	require.NoError(c.t, err)
}

func (c *client) send(xid, op int32, path string) {
	c.t.Helper()
	c.write(frame(xid, op, path))
}

func (c *client) read() ([]byte, error) {
	data, whole, err := c.in.next()
	if err == nil && !whole {
		err = errors.New("the server sent something that is no frame")
	}
	return data, err
}

// reply reads a reply and returns its xid.
func (c *client) reply() int32 {
	c.t.Helper()
	data, err := c.read()
	require.NoError(c.t, err)
	reply, ok := decodeReply(data)
	require.True(c.t, ok)
	return reply.Request.Xid
}

// call makes a round trip.
func (c *client) call(xid, op int32, path string) {
	c.t.Helper()
	c.send(xid, op, path)
	require.Equal(c.t, xid, c.reply())
}

func (c *client) ended() error {
	c.t.Helper()
	data, err := c.read()
	require.Error(c.t, err)
	require.Empty(c.t, data)
	return err
}

// watchRequests returns a channel that gets every request that arrives.
func watchRequests(p *Proxy) <-chan Request {
	seen := make(chan Request, 1000)
	p.OnRequest(func(r Request) { seen <- r })
	return seen
}

func watchReplies(p *Proxy) <-chan Request {
	seen := make(chan Request, 1000)
	p.OnReply(func(r Request) { seen <- r })
	return seen
}

func next(t *testing.T, seen <-chan Request) Request {
	t.Helper()
	select {
	case r := <-seen:
		return r
	case <-wait(t).Done():
		require.FailNow(t, "no request came")
		return Request{}
	}
}

// links counts the connections that the proxy still looks after.
func links(p *Proxy) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.links)
}

// inspect looks into the proxy until the condition holds.
func inspect(t *testing.T, p *Proxy, condition func(*link) bool) {
	t.Helper()
	require.Eventually(t, func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		for l := range p.links {
			if condition(l) {
				return true
			}
		}
		return false
	}, patience, time.Millisecond)
}

// chat makes one connection and some calls on it, whatever happens.
func chat(p *Proxy) {
	conn, err := net.Dial("tcp", p.Addr())
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Millisecond))
	_, _ = conn.Write(handshake())
	buffer := make([]byte, 1<<10)
	for xid := range int32(5) {
		if _, err := conn.Write(frame(xid, OpCreate, "/a")); err != nil {
			return
		}
		if _, err := conn.Read(buffer); err != nil {
			return
		}
	}
}
