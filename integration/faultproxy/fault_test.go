package faultproxy

import (
	"context"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDropRequest(t *testing.T) {
	s := startServer(t)
	p := Start(t, s.addr())
	f := p.DropRequest(OpPath(OpCreate, "lock"))
	c := connect(t, p)
	c.call(1, OpCreate, "/other")
	c.send(2, OpCreate, "/lock-1")
	c.call(3, OpCreate, "/lock-2")
	hit, err := f.Wait(wait(t))
	require.NoError(t, err)
	require.Equal(t, int32(2), hit.Xid)
	require.Equal(t, []int32{1, 3}, s.received())
}

// What a test sees of a connection after a fault, for each Then.
func TestThen(t *testing.T) {
	for name, f := range map[string]func(*Proxy, Match, ...Then) *Fault{
		"drop": (*Proxy).DropRequest, "swallow": (*Proxy).SwallowReply,
	} {
		delivered := []int32{1}
		if name == "swallow" {
			delivered = []int32{1, 2}
		}
		start := func(t *testing.T, then Then) (*Proxy, *server, *client) {
			s := startServer(t)
			p := Start(t, s.addr())
			c := connect(t, p)
			fault := f(p, Op(OpDelete), then)
			c.call(1, OpCreate, "/a")
			c.send(2, OpDelete, "/a")
			await(t, fault.Fired())
			require.Equal(t, delivered, s.received())
			return p, s, c
		}
		t.Run(name+" then cut", func(t *testing.T) {
			p, s, c := start(t, ThenCut)
			require.Zero(t, p.Connections())
			require.ErrorIs(t, c.ended(), io.EOF)
			require.ErrorIs(t, s.session().ended(t), io.EOF)
		})
		t.Run(name+" then reset", func(t *testing.T) {
			p, s, c := start(t, ThenReset)
			require.Zero(t, p.Connections())
			require.ErrorIs(t, c.ended(), syscall.ECONNRESET)
			require.ErrorIs(t, s.session().ended(t), syscall.ECONNRESET)
		})
		t.Run(name+" then nothing", func(t *testing.T) {
			_, _, c := start(t, ThenNothing)
			c.call(3, OpExists, "/a")
		})
		t.Run(name+" then black hole", func(t *testing.T) {
			p, s, c := start(t, ThenBlackHole)
			seen := watchRequests(p)
			c.send(3, OpExists, "/a")
			next(t, seen)
			connect(t, p).call(4, OpExists, "/a") // others are not touched
			require.Equal(t, append(delivered, 4), s.received())
			p.Heal()
			require.ErrorIs(t, c.ended(), syscall.ECONNRESET)
		})
	}
}

func TestSwallowReplyOfHandshake(t *testing.T) {
	s := startServer(t)
	p := Start(t, s.addr())
	f := p.SwallowReply(Op(OpConnect))
	c := dial(t, p)
	c.write(handshake())
	hit, err := f.Wait(wait(t))
	require.NoError(t, err)
	require.Equal(t, OpConnect, hit.Op)
	require.ErrorIs(t, c.ended(), syscall.ECONNRESET)
	require.Len(t, p.Replies(), 1)
	connect(t, p)
}

// Replies to equal xids belong to the requests in their order, and a dropped
// request has none.
func TestEqualXids(t *testing.T) {
	s := startServer(t)
	p := Start(t, s.addr())
	c := connect(t, p)
	p.DropRequest(Nth(1, Op(OpPing)))
	swallowed := p.SwallowReply(Nth(3, Op(OpPing)), ThenNothing)
	s.mu.Lock()
	s.mute = true
	s.mu.Unlock()
	for _, path := range []string{"dropped", "second", "third", "fourth"} {
		c.send(-2, OpPing, path)
	}
	s.receives(3)
	one := s.session()
	for zxid := range int64(3) {
		_, err := one.conn.Write(frame(int32(-2), zxid, int32(0)))
		require.NoError(t, err)
	}
	var zxids []int64
	for range 2 {
		data, err := c.read()
		require.NoError(t, err)
		reply, _ := decodeReply(data)
		zxids = append(zxids, reply.Zxid)
	}
	require.Equal(t, []int64{0, 2}, zxids)
	await(t, swallowed.Fired())
	require.Len(t, p.Replies(), 4)
	require.Equal(t, p.Requests()[3], p.Replies()[2].Request)
}

func TestReplyWithoutRequest(t *testing.T) {
	s := startServer(t)
	p := Start(t, s.addr())
	c := connect(t, p)
	_, err := s.session().conn.Write(frame(int32(77), int64(0), int32(-4)))
	require.NoError(t, err)
	require.Equal(t, int32(77), c.reply())
	last := p.Replies()[1]
	require.Equal(t, OpUnknown, last.Request.Op)
	require.Equal(t, int32(-4), last.Err)
}

func TestHoldRequest(t *testing.T) {
	s := startServer(t)
	p := Start(t, s.addr())
	c, other := connect(t, p), connect(t, p)
	f := p.HoldRequest(Op(OpCreate))
	c.send(1, OpExists, "/")
	c.send(2, OpCreate, "/held")
	c.send(3, OpExists, "/behind")
	require.Equal(t, int32(1), c.reply())
	await(t, f.Fired())
	other.call(4, OpCreate, "/a")
	require.Equal(t, []int32{1, 4}, s.received())
	p.Heal() // is about the line
	require.Equal(t, []int32{1, 4}, s.received())
	f.Release()
	require.Equal(t, int32(2), c.reply())
	require.Equal(t, int32(3), c.reply())
	f.Release()
}

func TestHoldReply(t *testing.T) {
	s := startServer(t)
	p := Start(t, s.addr())
	c := connect(t, p)
	f := p.HoldReply(Op(OpCreate))
	c.send(1, OpExists, "/")
	c.send(2, OpCreate, "/held")
	c.send(3, OpExists, "/behind")
	require.Equal(t, int32(1), c.reply())
	await(t, f.Fired())
	s.receives(3)
	f.Release()
	require.Equal(t, int32(2), c.reply())
	require.Equal(t, int32(3), c.reply())
}

// A held reply stays behind when the connection is cut: the request was
// carried out and the client never learns it.
func TestHoldReplyThenCut(t *testing.T) {
	s := startServer(t)
	p := Start(t, s.addr())
	c := connect(t, p)
	f := p.HoldReply(Op(OpCreate))
	c.send(1, OpCreate, "/a")
	await(t, f.Fired())
	p.Cut()
	f.Release()
	require.ErrorIs(t, c.ended(), io.EOF)
	require.Equal(t, []int32{1}, s.received())
}

// One request can be stepped through: held before delivery, then its reply.
func TestDeliveryAndReplyFaultTogether(t *testing.T) {
	s := startServer(t)
	p := Start(t, s.addr())
	c := connect(t, p)
	request, reply := p.HoldRequest(Op(OpCreate)), p.HoldReply(Op(OpCreate))
	dropped := p.DropRequest(Op(OpCreate)) // the next one
	spared := p.SwallowReply(Op(OpCreate)) // not one that is dropped
	c.send(1, OpCreate, "/a")
	await(t, request.Fired())
	require.Empty(t, s.received())
	request.Release()
	await(t, reply.Fired())
	require.Equal(t, []int32{1}, s.received())
	reply.Release()
	require.Equal(t, int32(1), c.reply())
	c.send(2, OpCreate, "/b")
	await(t, dropped.Fired())
	c.send(3, OpCreate, "/c")
	hit, err := spared.Wait(wait(t))
	require.NoError(t, err)
	require.Equal(t, "/c", hit.Path)
}

func TestNotifications(t *testing.T) {
	s := startServer(t)
	p := Start(t, s.addr())
	c := connect(t, p)
	one := s.session()
	untouched := p.DropRequest(Op(OpNotification))
	swallowed := p.SwallowReply(OpPath(OpNotification, "/a"), ThenNothing)
	held := p.HoldReply(OpPath(OpNotification, "/b"))
	one.notify(t, "/a")
	one.notify(t, "/b")
	await(t, swallowed.Fired())
	await(t, held.Fired())
	held.Release()
	data, err := c.read()
	require.NoError(t, err)
	event, _ := decodeReply(data)
	require.Equal(t, "/b", event.Request.Path)
	untouched.Release()
	_, err = untouched.Wait(wait(t))
	require.ErrorContains(t, err, "hit no request")
}

func TestReleaseTakesBack(t *testing.T) {
	s := startServer(t)
	p := Start(t, s.addr())
	c := connect(t, p)
	for _, f := range []*Fault{p.DropRequest(nil), p.SwallowReply(nil), p.HoldRequest(nil), p.HoldReply(nil)} {
		f.Release()
		_, err := f.Wait(wait(t))
		require.ErrorIs(t, err, errReleased)
	}
	c.call(1, OpCreate, "/a")

	// Also when the request has come and waits for its turn.
	p.Hold(Both)
	seen := watchRequests(p)
	f := p.DropRequest(nil)
	c.send(2, OpCreate, "/b")
	next(t, seen)
	f.Release()
	p.Heal()
	require.Equal(t, int32(2), c.reply())
}

// A fault whose connection ends before its turn says so instead of waiting.
func TestMissed(t *testing.T) {
	for name, end := range map[string]struct {
		end func(*Proxy)
		err error
	}{
		"cut":        {(*Proxy).Cut, errCut},
		"reset":      {(*Proxy).Reset, errReset},
		"black hole": {func(p *Proxy) { p.BlackHole(Both) }, errBlackHole},
		"close":      {func(p *Proxy) { _ = p.Close() }, errClosed},
	} {
		t.Run(name, func(t *testing.T) {
			s := startServer(t)
			p := Start(t, s.addr())
			c := connect(t, p)
			p.Hold(ToServer)
			seen := watchRequests(p)
			drop, swallow := p.DropRequest(Op(OpCreate)), p.SwallowReply(Op(OpDelete))
			c.send(1, OpCreate, "/a")
			c.send(2, OpDelete, "/a")
			next(t, seen)
			next(t, seen)
			end.end(p)
			for _, f := range []*Fault{drop, swallow} {
				_, err := f.Wait(wait(t))
				require.ErrorIs(t, err, end.err)
				require.ErrorContains(t, err, "/a")
			}
		})
	}
	t.Run("the server does not answer", func(t *testing.T) {
		s := startServer(t)
		s.mute = true
		p := Start(t, s.addr())
		c := connect(t, p)
		f := p.SwallowReply(Op(OpCreate))
		c.send(1, OpCreate, "/a")
		s.receives(1)
		require.NoError(t, s.session().conn.Close())
		require.NoError(t, c.conn.CloseWrite())
		_, err := f.Wait(wait(t))
		require.ErrorIs(t, err, errEnded)
	})
	t.Run("nothing comes", func(t *testing.T) {
		p := Start(t, startServer(t).addr())
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := p.HoldReply(nil).Wait(ctx)
		require.ErrorIs(t, err, context.Canceled)
	})
}

// The reply can be here before the goroutine that wrote the request goes on.
// The fault belongs to the reply then, and the reset that it asks for must not
// make it count as missed.
func TestReplyOvertakesTheWriter(t *testing.T) {
	s := startServer(t)
	p := Start(t, s.addr())
	conn, err := net.Dial("tcp", s.addr())
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	f := p.SwallowReply(nil)
	l := newLink(p, 1, conn.(*net.TCPConn), func() {})
	it := &item{bytes: frame(int32(1), OpCreate, "/a")}
	require.True(t, l.examine(ToServer, it, false))
	require.True(t, l.up.push(it))
	writing, _, ok := l.up.next()
	require.True(t, ok)
	require.Same(t, it, writing)
	reply := &item{bytes: frame(int32(1), int64(1), int32(0))}
	require.True(t, l.examine(ToClient, reply, false))
	require.True(t, l.down.push(reply))
	_, _, ok = l.down.next()
	require.False(t, ok, "the connection was reset")
	l.up.wrote(it, len(it.bytes), nil)
	_, err = f.Wait(wait(t))
	require.NoError(t, err)
}
