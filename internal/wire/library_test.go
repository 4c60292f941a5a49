package wire

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
)

// These tests drive go-zookeeper v1.0.4 over a link. Those with a B in their name
// are about its traps; each says what would be seen without the cure.

// Without the cure the library's third dial never comes: a write error while it
// presents credentials again leaves its loop waiting for itself, for ever, and
// Close leaves the goroutines behind.
func TestB1_AuthResendDeadlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := pipes(t)
		r := newRig(t, n)
		bare := make(chan *peer, 1)
		var dials atomic.Int32
		lib, events, err := zk.Connect([]string{"none:1"}, sessionTimeout, zk.WithHostProvider((*hosts)(r)), zk.WithLogger(silent{}),
			zk.WithDialer(func(network, addr string, d time.Duration) (net.Conn, error) {
				if dials.Add(1) > 1 {
					return r.link.Dial(network, addr, d)
				}
				// The library must first have a credential to present again, and over
				// a link it cannot get one.
				client, server := net.Pipe()
				bare <- newPeer(t, server)
				return client, nil
			}))
		require.NoError(t, err)
		r.lib, r.events = lib, events

		p := <-bare
		p.hello()
		p.welcome(sessionID, sessionTimeout)
		added := make(chan error, 1)
		r.wg.Go(func() { added <- lib.AddAuth("digest", []byte("user:secret")) })
		h := p.expect(jute.OpAuth)
		p.reply(h[0], 1)
		require.NoError(t, <-added)
		_ = p.raw.Close()

		for range 3 {
			r.welcomed()
			require.ErrorIs(t, r.next("disconnected").err, errAssumption)
		}
	})
}

// The other half of B1: whatever becomes of the socket, the library sees no write error.
func TestB1_WriteErrorsStayInside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := pipes(t)
		var broken atomic.Bool
		n.wrap = func(c net.Conn) net.Conn { return &brittle{Conn: c, broken: &broken} }
		r := newRig(t, n)
		r.start()
		r.welcomed()
		broken.Store(true) // met by the library's next ping
		require.ErrorIs(t, r.next("disconnected").err, errBroken)
		broken.Store(false)
		p := r.welcomed()
		p.expect(jute.OpPing)
	})
}

var errBroken = errors.New("broken")

type brittle struct {
	net.Conn
	broken *atomic.Bool
}

func (b *brittle) Write(p []byte) (int, error) {
	if b.broken.Load() {
		return 0, errBroken
	}
	return b.Conn.Write(p)
}

// Without the cure (watches set through the library) the second connection starts
// with a setWatches that carries whatever zxid was seen by then, somewhere between
// the requests that had been waiting, and events are lost or come too late.
func TestB2_LibraryRestoresNoWatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, pipes(t))
		r.start()
		p := r.welcomed()
		watch := NewCall(jute.OpGetData, &jute.PathWatchRequest{Path: "/w", Watch: true})
		r.link.Send(watch)
		h, body := p.request()
		var q jute.PathWatchRequest
		q.Decode(body)
		require.Equal(t, jute.PathWatchRequest{Path: "/w", Watch: true}, q)
		p.reply(h, 7, &jute.DataReply{})
		require.NoError(t, r.ended(watch))
		p.event("/w", -1)
		require.Equal(t, jute.WatcherEvent{Type: jute.EventNodeDataChanged, State: 3, Path: "/w"}, r.next("event").event)
		_ = p.raw.Close()
		r.next("disconnected")

		p = r.welcomed()
		set, read := NewCall(jute.OpSetWatches2, nil), get("/w")
		r.link.Send(set, read)
		p.expect(jute.OpSetWatches2, jute.OpGetData, jute.OpPing)
	})
}

// Without the cure a reply may overtake the event that went before it, and a
// reader sees new data while it believes the old.
func TestB2_EventBeforeLaterReply(t *testing.T) {
	for range 200 {
		var order []string // written by the one reading goroutine
		r := newRig(t, pipes(t), func(c *Config) {
			c.Event = func(e jute.WatcherEvent) { order = append(order, e.Path) }
		})
		_, p := r.connect()
		first, second := get("/a"), get("/b")
		first.OnEnd = func(*Call) { order = append(order, "first") }
		second.OnEnd = func(*Call) { order = append(order, "second") }
		r.link.Send(first, second)
		hs := p.expect(jute.OpGetData, jute.OpGetData)
		var flight []byte
		note := func(path string) []byte {
			return frameOf(&jute.ReplyHeader{Xid: jute.XidNotification, Zxid: -1}, &jute.WatcherEvent{Path: path})
		}
		flight = append(flight, note("/1")...)
		flight = append(flight, frameOf(&jute.ReplyHeader{Xid: hs[0].Xid, Zxid: 1})...)
		flight = append(flight, note("/2")...)
		flight = append(flight, frameOf(&jute.ReplyHeader{Xid: hs[1].Xid, Zxid: 2})...)
		p.write(flight...)
		require.NoError(t, r.ended(second))
		require.Equal(t, []string{"/1", "first", "/2", "second"}, order)
		r.close()
	}
}

// Without the cure the library opens a new session by itself and runs in it what
// was queued for the old one: the create below would appear on a third connection.
func TestB3_ExpiredSessionRunsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := pipes(t)
		var r *rig
		r = newRig(t, n, func(c *Config) {
			note := c.Ended
			c.Ended = func(err error) { r.over.Store(true); note(err) }
		})
		r.start()
		p := r.welcomed()
		_ = p.raw.Close()
		r.next("disconnected")

		p = n.accept()
		require.Equal(t, sessionID, p.hello().SessionID)
		created := make(chan error, 1)
		r.wg.Go(func() {
			_, err := r.lib.Create("/queued", nil, 0, zk.WorldACL(zk.PermAll))
			created <- err
		})
		synctest.Wait() // the library has queued it
		p.send(&jute.ConnectResponse{Password: make([]byte, passwordLen)})
		require.ErrorIs(t, r.next("ended").err, ErrExpired)

		require.ErrorIs(t, <-created, zk.ErrNoServer)
		late := get("/late")
		r.link.Send(late)
		require.ErrorIs(t, r.ended(late), ErrNotSent)
		time.Sleep(patience) // the library goes on asking for connections
		synctest.Wait()
		require.Equal(t, 2, n.dialled(), "an expired session is dialled for")
		_, err := r.link.Dial("", "", 0)
		require.ErrorIs(t, err, ErrExpired)
		r.quiet()
	})
}

// Without the cure two servers that accept and then close are asked hundreds of
// times a second. Here each connection costs one call of Config.Dial, which is
// where the owner brakes; nothing spins while it does.
func TestB6_EachConnectionIsAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := pipes(t)
		r := newRig(t, n)
		r.start()
		for i := range 20 {
			p := r.welcomed()
			_ = p.raw.Close()
			r.next("disconnected")
			synctest.Wait()
			require.Equal(t, i+2, n.dialled(), "connections that nobody asked for")
			r.quiet()
		}
	})
}

// Without the cure AddAuth's credential is lost when the connection ends before
// its reply has been seen, and the next connection is unauthenticated.
func TestB11_CredentialsOnEveryConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, pipes(t), func(c *Config) {
			c.Credentials = []Credential{{"digest", []byte("user:secret")}, {"x509", []byte("more")}}
		})
		r.start()
		authenticated := func(p *peer, cut bool) {
			p.hello()
			p.welcome(sessionID, sessionTimeout)
			for i, want := range r.cfg.Credentials {
				h, body := p.request()
				require.Equal(t, jute.RequestHeader{Xid: jute.XidAuth, Op: jute.OpAuth}, h)
				var got jute.AuthRequest
				got.Decode(body)
				require.Equal(t, jute.AuthRequest{Scheme: want.Scheme, Auth: want.Auth}, got)
				if cut && i == 1 {
					_ = p.raw.Close()
					return
				}
				r.quiet() // no announcement before the last verdict
				p.reply(h, 0)
			}
		}
		for range 3 {
			authenticated(r.net.accept(), true) // the second verdict never comes
			require.ErrorIs(t, r.next("rejected").err, io.EOF)

			p := r.net.accept()
			authenticated(p, false)
			r.next("connected")
			call := get("/a")
			r.link.Send(call)
			h := p.expect(jute.OpGetData)
			p.reply(h[0], 1, &jute.DataReply{})
			require.NoError(t, r.ended(call))
			_ = p.raw.Close()
			r.next("disconnected")
		}
	})
}

// The library's pings and their answers pass, both ways, and keep the connection alive.
func TestPingsPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, pipes(t))
		r.start()
		p := r.welcomed()
		began := time.Now()
		for range 10 {
			h := p.expect(jute.OpPing)
			p.reply(h[0], 0)
		}
		require.Equal(t, 10*sessionTimeout/3, time.Since(began))
		synctest.Wait()
		require.Equal(t, began.Add(10*sessionTimeout/3+sessionTimeout), r.link.HeardUntil())
		require.Equal(t, began.Add(sessionTimeout), r.link.ConfirmedUntil(), "a ping is no confirmation")
		r.quiet()
	})
}

// Conn.Close ends the session on the server and returns as soon as that is answered.
func TestLibraryClosesSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, pipes(t))
		r.start()
		p := r.welcomed()
		before := get("/a")
		r.link.Send(before)
		began := time.Now()
		closed := make(chan struct{})
		r.wg.Go(func() {
			r.lib.Close()
			close(closed)
		})
		hs := p.expect(jute.OpGetData, jute.OpCloseSession)
		p.reply(hs[0], 1, &jute.DataReply{})
		require.NoError(t, r.ended(before), "requests before the end are answered")
		p.reply(hs[1], 2)
		<-closed
		for range r.events {
		}
		require.Zero(t, time.Since(began))
		r.next("disconnected")
		require.Zero(t, p.drained())
		require.Equal(t, 1, r.net.dialled())
	})
}
