package wire

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/zookit/zookit/internal/jute"
)

var errTest = errors.New("the test ended it")

// Connected comes before Disconnected, and each once, also when the connection
// fails before its owner has heard of it.
func TestDisconnectedFollowsConnected(t *testing.T) {
	t.Run("dropped while Connected runs", func(t *testing.T) {
		r := newRig(t, pipes(t))
		connected := r.link.cfg.Connected
		r.link.cfg.Connected = func(s Session) {
			dropped := make(chan struct{})
			r.wg.Go(func() { r.link.Drop(errTest); close(dropped) })
			<-dropped
			connected(s)
		}
		done := r.dialling()
		p := r.net.accept()
		p.hello()
		p.welcome(sessionID, sessionTimeout)
		require.NoError(t, (<-done).err)
		r.next("connected")
		require.ErrorIs(t, r.next("disconnected").err, errTest)
		require.Zero(t, p.drained())
		r.quiet()
	})
	t.Run("ended by everybody at once", func(t *testing.T) {
		for range 300 {
			r := newRig(t, pipes(t))
			done := r.dialling()
			p := r.net.accept()
			p.hello()
			p.welcome(sessionID, sessionTimeout)
			var all sync.WaitGroup
			all.Go(func() { _ = p.raw.Close() })
			all.Go(func() { r.link.Drop(errTest) })
			all.Go(r.link.Close)
			all.Go(func() { r.link.Send(get("/a")) })
			d := <-done
			if d.err != nil { // Close was first, perhaps after a handshake that did not quite succeed
				require.ErrorIs(t, d.err, ErrClosed)
				if len(r.notes) > 0 {
					r.next("rejected")
				}
			} else {
				_, _ = io.Copy(io.Discard, d)
				require.NoError(t, d.Close())
				r.next("connected")
				r.next("disconnected")
			}
			all.Wait()
			r.quiet()
			r.close()
		}
	})
}

// No frame leaves before Connected has returned: what is sent meanwhile waits.
func TestNothingIsSentBeforeConnected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, pipes(t))
		connected := r.link.cfg.Connected
		released := false
		eager := get("/eager")
		r.link.cfg.Connected = func(s Session) {
			r.wg.Go(func() { r.link.Send(eager) })
			time.Sleep(time.Second)
			released = true
			connected(s)
		}
		done := r.dialling()
		p := r.net.accept()
		p.hello()
		p.welcome(sessionID, sessionTimeout)
		h := p.expect(jute.OpGetData)[0]
		require.True(t, released, "a frame before its connection was announced")
		r.established(done)
		p.reply(h, 1, &jute.DataReply{})
		require.NoError(t, r.ended(eager))
	})
}

// Drop ends this connection and not the link.
func TestDrop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, pipes(t))
		r.link.Drop(errTest) // nothing to drop
		r.start()
		for range 3 {
			p := r.welcomed()
			call := get("/a")
			r.link.Send(call)
			p.expect(jute.OpGetData)
			r.link.Drop(errTest)
			require.ErrorIs(t, r.next("disconnected").err, errTest)
			require.ErrorIs(t, r.ended(call), ErrLost)
			require.ErrorIs(t, call.Err, errTest)
			p.drained()
		}
	})
}

// Whoever ends a connection second waits until its end is known, so that a new
// connection cannot be announced before.
func TestEndIsKnownBeforeTheNextDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, pipes(t))
		disconnected := r.link.cfg.Disconnected
		r.link.cfg.Disconnected = func(err error) {
			time.Sleep(time.Second) // longer than the library needs to dial
			disconnected(err)
		}
		r.start()
		p := r.welcomed()
		r.wg.Go(func() { r.link.Drop(errTest) })
		p.drained()
		p = r.net.accept()
		p.hello()
		p.welcome(sessionID, sessionTimeout)
		require.ErrorIs(t, r.next("disconnected").err, errTest)
		r.next("connected")
	})
}

// Close ends what is under way, can be called again, and leaves no goroutine and
// no socket behind. The session is left alone.
func TestClose(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	for range 20 {
		r := newRig(t, loopback(t))
		_, p := r.connect()
		calls := []*Call{get("/a"), get("/b")}
		r.link.Send(calls...)
		p.expect(jute.OpGetData, jute.OpGetData)
		require.False(t, r.link.Over())
		r.link.Close()
		require.True(t, r.link.Over())
		for _, c := range calls {
			select {
			case <-c.Done():
			default:
				t.Fatal("Close has returned, a call has not ended")
			}
			require.ErrorIs(t, c.Err, ErrLost)
			require.ErrorIs(t, c.Err, ErrClosed)
		}
		require.ErrorIs(t, r.next("disconnected").err, ErrClosed)
		r.link.Close()
		require.Zero(t, p.drained(), "the session was ended")
		require.False(t, r.link.SessionClosed())
		r.close()
		r.quiet()
	}
}

// A write that does not return at once when its socket is closed is waited for.
func TestCloseWaitsForTheWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := pipes(t)
		n.wrap = func(c net.Conn) net.Conn { return &lingering{c} }
		r := newRig(t, n)
		r.connect()
		r.link.Send(get("/a"))
		synctest.Wait()
		began := time.Now()
		r.link.Close()
		require.Equal(t, time.Second, time.Since(began))
	})
}

type lingering struct{ net.Conn }

func (l *lingering) Write(p []byte) (int, error) {
	n, err := l.Conn.Write(p)
	if err != nil {
		time.Sleep(time.Second)
	}
	return n, err
}

// A session that the server has ended at the library's wish is known to be ended;
// one that it refused to end is not.
func TestSessionClosed(t *testing.T) {
	for _, code := range []jute.Code{jute.OK, jute.SessionMoved} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, pipes(t))
			r.start()
			p := r.welcomed()
			closed := make(chan struct{})
			r.wg.Go(func() { r.lib.Close(); close(closed) })
			h := p.expect(jute.OpCloseSession)[0]
			require.False(t, r.link.SessionClosed())
			p.send(&jute.ReplyHeader{Xid: h.Xid, Zxid: 5, Err: code})
			<-closed
			require.Equal(t, code == jute.OK, r.link.SessionClosed())
			r.next("disconnected")
		})
	}
}

// On a dead link the farewell of TLS would block: the socket below is closed.
func TestTLSConnectionsAreClosedBelow(t *testing.T) {
	n := pipes(t)
	n.wrap = func(c net.Conn) net.Conn { return &layered{Conn: c} }
	r := newRig(t, n)
	c, p := r.connect()
	require.Equal(t, "pipe", c.LocalAddr().String())
	require.Equal(t, "pipe", c.RemoteAddr().String())
	r.link.Drop(errTest)
	p.drained()
	require.False(t, c.raw.(*layered).closed)
}

type layered struct {
	net.Conn
	closed bool
}

func (l *layered) NetConn() net.Conn { return l.Conn }
func (l *layered) Close() error      { l.closed = true; return nil }

// Frames that a server must not send end the connection, with nobody hurt: the
// next one serves. Without the cure (B5) the short ones make the library panic.
func TestB5_ReplyFramesThatAreNone(t *testing.T) {
	event := func(body ...byte) []byte {
		return frameOf(&jute.ReplyHeader{Xid: jute.XidNotification}, raw(body))
	}
	for name, bytes := range map[string][]byte{
		"empty":                        {0, 0, 0, 0},
		"15 bytes":                     append([]byte{0, 0, 0, 15}, make([]byte, 15)...),
		"negative length":              {0x80, 0, 0, 0},
		"length -1":                    {0xff, 0xff, 0xff, 0xff},
		"an event without a body":      event(),
		"an event with a huge path":    event(0, 0, 0, 1, 0, 0, 0, 3, 0x7f, 0xff, 0xff, 0xff),
		"an event with a negative one": event(0, 0, 0, 1, 0, 0, 0, 3, 0x80, 0, 0, 0),
		"a reply to nothing":           frameOf(&jute.ReplyHeader{Xid: firstXid + 1}),
		"a reply out of order":         frameOf(&jute.ReplyHeader{Xid: firstXid - 1}),
		"a reply to the library":       frameOf(&jute.ReplyHeader{Xid: 1}),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, pipes(t))
				r.start()
				p := r.welcomed()
				calls := []*Call{get("/a"), get("/b")}
				r.link.Send(calls...)
				p.expect(jute.OpGetData, jute.OpGetData)
				_, _ = p.raw.Write(bytes)
				err := r.next("disconnected").err
				require.True(t, errors.Is(err, errFrame) || errors.Is(err, jute.ErrMalformed), "%v", err)
				for _, c := range calls {
					require.ErrorIs(t, r.ended(c), ErrLost)
				}
				p.drained()
				p = r.welcomed()
				again := get("/a")
				r.link.Send(again)
				p.reply(p.expect(jute.OpGetData)[0], 1, &jute.DataReply{})
				require.NoError(t, r.ended(again))
			})
		})
	}
}

// A request that was lost on a connection that lives is noticed when a ping behind it is answered: its caller may have no limit.
func TestPingOvertakesAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, pipes(t))
		r.start()
		p := r.welcomed()
		before := p.expect(jute.OpPing)[0]
		call := get("/a")
		r.link.Send(call)
		p.expect(jute.OpGetData)
		p.reply(before, 0)
		behind := p.expect(jute.OpPing)[0]
		r.quiet() // it is not behind the call
		p.reply(behind, 0)
		require.ErrorIs(t, r.next("disconnected").err, errFrame)
		require.ErrorIs(t, r.ended(call), ErrLost)
		require.Equal(t, sessionTimeout/3, time.Since(call.SentAt()))
	})
}

// Late verdicts on credentials, and answers to pings that were never sent, concern nobody.
func TestHarmlessFramesArePassedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, pipes(t))
		r.start()
		p := r.welcomed()
		call := get("/a")
		r.link.Send(call)
		h := p.expect(jute.OpGetData)[0]
		p.send(&jute.ReplyHeader{Xid: jute.XidAuth})
		p.send(&jute.ReplyHeader{Xid: jute.XidPing})
		p.reply(h, 1, &jute.DataReply{})
		require.NoError(t, r.ended(call))
		r.quiet()
	})
}
