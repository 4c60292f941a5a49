package faultproxy

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPassesAndLogs(t *testing.T) {
	s := startServer(t)
	p := Start(t, s.addr())
	c := connect(t, p)
	c.call(1, OpCreate, "/a")
	c.call(-2, OpPing, "")
	c.call(2, OpGetChildren2, "/b")
	s.session().notify(t, "/watched")
	require.Equal(t, int32(-1), c.reply())

	requests := p.Requests()
	require.Len(t, requests, 4)
	for i, want := range []Request{{Op: OpConnect}, {Xid: 1, Op: OpCreate, Path: "/a"}, {Xid: -2, Op: OpPing}, {Xid: 2, Op: OpGetChildren2, Path: "/b"}} {
		require.NotZero(t, requests[i].At)
		want.Conn, want.At = 1, requests[i].At
		require.Equal(t, want, requests[i])
	}
	require.Equal(t, "connection 1 xid 1 create /a", requests[1].String())
	replies := p.Replies()
	require.Len(t, replies, 5)
	for i := range requests {
		require.Equal(t, requests[i], replies[i].Request)
	}
	require.Equal(t, int64(3), replies[3].Zxid)
	require.Equal(t, OpNotification, replies[4].Request.Op)
	require.Equal(t, "/watched", replies[4].Request.Path)
	require.Equal(t, 1, p.Connections())
	require.Equal(t, 1, p.Accepted())
}

func TestEndsKeepTheirKind(t *testing.T) {
	t.Run("client closes", func(t *testing.T) {
		s := startServer(t)
		p := Start(t, s.addr())
		c := connect(t, p)
		c.send(1, OpCloseSession, "")
		require.NoError(t, c.conn.CloseWrite())
		require.Equal(t, int32(1), c.reply(), "a half-closed connection still gets its reply")
		one := s.session()
		require.ErrorIs(t, one.ended(t), io.EOF)
		require.NoError(t, one.conn.Close())
		require.ErrorIs(t, c.ended(), io.EOF)
		require.Eventually(t, func() bool { return p.Connections() == 0 }, patience, time.Millisecond)
	})
	t.Run("client resets", func(t *testing.T) {
		s := startServer(t)
		p := Start(t, s.addr())
		c := connect(t, p)
		require.NoError(t, c.conn.SetLinger(0))
		require.NoError(t, c.conn.Close())
		require.ErrorIs(t, s.session().ended(t), syscall.ECONNRESET)
	})
	t.Run("server resets", func(t *testing.T) {
		s := startServer(t)
		p := Start(t, s.addr())
		c := connect(t, p)
		one := s.session()
		require.NoError(t, one.conn.SetLinger(0))
		require.NoError(t, one.conn.Close())
		require.ErrorIs(t, c.ended(), syscall.ECONNRESET)
	})
	t.Run("client resets and a write notices first", func(t *testing.T) {
		s := startServer(t)
		s.mute = true
		p := Start(t, s.addr())
		c := connect(t, p)
		one := s.session()
		arrived, goOn := make(chan Request), make(chan struct{})
		p.OnRequest(func(r Request) { arrived <- r; <-goOn })
		c.send(1, OpCreate, "/a")
		next(t, arrived)
		require.NoError(t, c.conn.SetLinger(0))
		require.NoError(t, c.conn.Close())
		one.notify(t, "/nobody reads")
		inspect(t, p, func(l *link) bool { return l.down.broken })
		close(goOn)
		require.ErrorIs(t, one.ended(t), syscall.ECONNRESET)
	})
	t.Run("client closes and the server goes on writing", func(t *testing.T) {
		s := startServer(t)
		p := Start(t, s.addr())
		c := connect(t, p)
		one := s.session()
		require.NoError(t, c.conn.Close())
		require.ErrorIs(t, one.ended(t), io.EOF)
		require.Eventually(t, func() bool {
			_, err := one.conn.Write(frame(int32(-1), int64(-1), int32(0)))
			return err != nil
		}, patience, time.Millisecond, "the server must learn that nobody reads")
		require.Eventually(t, func() bool { return p.Connections() == 0 }, patience, time.Millisecond)
	})
}

func TestRefuseAndAccept(t *testing.T) {
	s := startServer(t)
	p := Start(t, s.addr())
	old := connect(t, p)
	for range 3 {
		p.Refuse()
		p.Refuse()
		_, err := net.Dial("tcp", p.Addr())
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
		old.call(1, OpExists, "/")
		require.NoError(t, p.Accept())
		require.NoError(t, p.Accept())
		connect(t, p).call(1, OpExists, "/")
	}
	require.Equal(t, 4, p.Accepted())
	require.NoError(t, p.Close())
	require.ErrorIs(t, p.Accept(), net.ErrClosed)
}

func TestUpstream(t *testing.T) {
	for _, bad := range []string{"", "127.0.0.1", ":2181", "127.0.0.1:", "::1:2181"} {
		_, err := New(bad)
		require.ErrorContains(t, err, "host:port", bad)
	}
	first, second := startServer(t), startServer(t)
	p := Start(t, first.addr())
	require.Error(t, p.SetUpstream("nonsense"))
	old := connect(t, p)
	require.NoError(t, p.SetUpstream(second.addr()))
	connect(t, p).call(2, OpExists, "/")
	old.call(1, OpExists, "/")
	require.Equal(t, []int32{1}, first.received())
	require.Equal(t, []int32{2}, second.received())
}

func TestUpstreamIsDown(t *testing.T) {
	s := startServer(t)
	p := Start(t, s.addr())
	s.stop()
	conn, err := net.Dial("tcp", p.Addr())
	if err == nil { // else the reset was faster than the dial
		_, err = conn.Read(make([]byte, 1))
		require.NoError(t, conn.Close())
	}
	require.ErrorIs(t, err, syscall.ECONNRESET)
	require.Equal(t, 1, p.Accepted())
}

func TestHooksRunBeforeDelivery(t *testing.T) {
	s := startServer(t)
	p := Start(t, s.addr())
	c := connect(t, p)
	arrived, goOn := make(chan Request), make(chan struct{})
	p.OnRequest(func(r Request) { arrived <- r; <-goOn })
	c.send(1, OpCreate, "/a")
	require.Equal(t, "/a", next(t, arrived).Path)
	require.Empty(t, s.received())
	p.OnRequest(nil)
	replied := make(chan Request)
	p.OnReply(func(r Request) { replied <- r; <-goOn })
	close(goOn)
	require.Equal(t, "/a", next(t, replied).Path)
	require.Equal(t, []int32{1}, s.received())
	require.Equal(t, int32(1), c.reply())

	// A hook may break the line, and the request that it was called for is hit.
	p.OnReply(nil)
	p.OnRequest(func(Request) { p.BlackHole(Both) })
	c.send(2, OpDelete, "/a")
	inspect(t, p, func(l *link) bool { return l.holed && len(l.up.queue) == 0 })
	p.OnRequest(nil)
	p.Heal()
	require.ErrorIs(t, c.ended(), syscall.ECONNRESET)
	require.Equal(t, []int32{1}, s.received())
}

func TestTLSPasses(t *testing.T) {
	for name, options := range map[string][]Option{"recognised": nil, "asked for": {Raw()}} {
		t.Run(name, func(t *testing.T) {
			web := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, "through")
			}))
			defer web.Close()
			p := Start(t, web.Listener.Addr().String(), options...)
			roots := web.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
			conn, err := tls.Dial("tcp", p.Addr(), &tls.Config{RootCAs: roots, ServerName: "example.com", MinVersion: tls.VersionTLS12})
			require.NoError(t, err)
			defer func() { _ = conn.Close() }()
			require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
			_, err = io.WriteString(conn, "GET / HTTP/1.0\r\n\r\n")
			require.NoError(t, err)
			answer, err := io.ReadAll(conn)
			require.NoError(t, err)
			require.Contains(t, string(answer), "through")
			require.Empty(t, p.Requests())
			require.Empty(t, p.Replies())
		})
	}
}

func TestRawKeepsFaultsOfTheLine(t *testing.T) {
	s := startServer(t)
	p := Start(t, s.addr(), Raw())
	c := connect(t, p)
	c.call(1, OpCreate, "/a")
	require.Empty(t, p.Requests())
	p.Reset()
	require.ErrorIs(t, c.ended(), syscall.ECONNRESET)
}

func TestFourLetterWordPasses(t *testing.T) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		word := make([]byte, 4)
		_, _ = io.ReadFull(conn, word)
		_, _ = conn.Write([]byte("ok")) // shorter than a length
		_ = conn.Close()
	})
	p := Start(t, listener.Addr().String())
	c := dial(t, p)
	c.write([]byte("ruok"))
	answer, err := io.ReadAll(c.conn)
	require.NoError(t, err)
	require.Equal(t, "ok", string(answer))
}

// Close must end at once whatever the proxy is in the middle of.
func TestCloseWhileBlocked(t *testing.T) {
	for name, block := range map[string]func(t *testing.T, p *Proxy, s *server, c *client){
		"idle":       func(*testing.T, *Proxy, *server, *client) {},
		"hold":       func(_ *testing.T, p *Proxy, _ *server, c *client) { p.Hold(Both); c.send(1, OpCreate, "/a") },
		"black hole": func(_ *testing.T, p *Proxy, _ *server, c *client) { p.BlackHole(Both); c.send(1, OpCreate, "/a") },
		"delay": func(_ *testing.T, p *Proxy, _ *server, c *client) {
			p.Delay(Both, time.Hour)
			c.send(1, OpCreate, "/a")
		},
		"cut, and nobody closes": func(t *testing.T, p *Proxy, _ *server, c *client) {
			p.Cut()
			require.ErrorIs(t, c.ended(), io.EOF)
		},
		"refusing": func(_ *testing.T, p *Proxy, _ *server, _ *client) { p.Refuse() },
		"held request": func(t *testing.T, p *Proxy, _ *server, c *client) {
			f := p.HoldRequest(nil)
			c.send(1, OpCreate, "/a")
			await(t, f.Fired())
		},
		"held reply": func(t *testing.T, p *Proxy, _ *server, c *client) {
			f := p.HoldReply(nil)
			c.send(1, OpCreate, "/a")
			await(t, f.Fired())
		},
		"full queue, receiver does not read": func(t *testing.T, p *Proxy, s *server, _ *client) {
			flood(t, s.session())
			inspect(t, p, func(l *link) bool { return l.down.writing && l.down.queued >= maxQueued })
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := startServer(t)
			p := Start(t, s.addr())
			block(t, p, s, connect(t, p))
			armed := p.SwallowReply(nil)
			closed := make(chan error, 2)
			for range cap(closed) {
				go func() { closed <- p.Close() }()
			}
			for range cap(closed) {
				select {
				case err := <-closed:
					require.NoError(t, err)
				case <-wait(t).Done():
					require.FailNow(t, "Close blocks")
				}
			}
			_, err := armed.Wait(wait(t))
			require.ErrorContains(t, err, "closed")
			_, err = p.DropRequest(nil).Wait(wait(t))
			require.ErrorContains(t, err, "closed")
			require.Zero(t, p.Connections())
			_, err = net.Dial("tcp", p.Addr())
			require.ErrorIs(t, err, syscall.ECONNREFUSED)
		})
	}
}

// floodSize is more than the sockets and the queue hold.
const floodSize = 64 << 20

// flood makes the server send numbered frames until floodSize or the end.
func flood(t *testing.T, one *session) {
	t.Helper()
	var wg sync.WaitGroup
	t.Cleanup(wg.Wait)
	t.Cleanup(func() { _ = one.conn.Close() })
	payload := string(make([]byte, 64<<10))
	wg.Go(func() {
		for i := range int32(floodSize / len(payload)) {
			if _, err := one.conn.Write(frame(i, int64(0), int32(0), payload)); err != nil {
				return
			}
		}
	})
}
