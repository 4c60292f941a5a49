package client_test

import (
	"context"
	"errors"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

// listener accepts connections and hands them to serve, until the test ends.
func listener(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		wg.Wait()
	})
	return ln.Addr().String()
}

// refusing returns an address at which nobody listens.
func refusing(t *testing.T) string {
	t.Helper()
	// A port at this end of a connection: nobody listens there, and nobody else gets it.
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = ln.Close() })
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", ln.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn.LocalAddr().String()
}

// web is a server of another kind.
func web(conn net.Conn) {
	buf := make([]byte, 512)
	if _, err := conn.Read(buf); err == nil {
		_, _ = conn.Write([]byte("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"))
		_, _ = conn.Read(buf)
	}
}

// mute reads whatever comes.
func mute(conn net.Conn) {
	buf := make([]byte, 512)
	for {
		if _, err := conn.Read(buf); err != nil {
			return
		}
	}
}

// hangUp closes at once, as a server does that is not serving.
func hangUp(conn net.Conn) { _, _ = conn.Read(make([]byte, 512)) }

// brokenDNS makes all look-ups fail.
func brokenDNS(t *testing.T) {
	old := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("no name server")
	}}
	t.Cleanup(func() { net.DefaultResolver = old })
}

// Connect says which server failed how.
func TestConnectErrors(t *testing.T) {
	brokenDNS(t)
	servers := map[string]string{
		refusing(t):         "connection refused",
		listener(t, web):    "not a ZooKeeper server",
		listener(t, mute):   "i/o timeout",
		listener(t, hangUp): "closed the connection",
		"zk1.invalid:2181":  "no name server",
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	log := newLog()
	go func() {
		failed := map[string]bool{}
		for r := range log.records {
			if server := r["server"]; server != nil {
				failed[server.(string)] = true
			}
			if len(failed) == len(servers)-1 { // names are looked up before anybody is called
				cancel()
			}
		}
	}()
	defer log.close()
	list := strings.Join(slices.Collect(maps.Keys(servers)), ",")
	cl, err := client.Connect(ctx, list, client.WithConnectTimeout(patience), client.WithSessionTimeout(time.Second), client.WithLogger(log.Logger))
	require.Nil(t, cl)
	require.ErrorIs(t, err, client.ErrNotConnected)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, list)
	for addr, says := range servers {
		require.ErrorContains(t, err, addr+": ")
		require.ErrorContains(t, err, says)
	}
}

// One good server among bad ones is found.
func TestConnectFindsTheGoodServer(t *testing.T) {
	srv := zktest.Start(t)
	list := refusing(t) + "," + listener(t, web) + "," + listener(t, hangUp) + "," + srv.Addr()
	cl := connectTo(t, list)
	require.Equal(t, srv.Addr(), cl.State().Server)
	st := follow(t, cl)
	cut(t, srv, st)
	st.until(client.Connected)
}

// A server that is not there yet is waited for.
func TestConnectWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		p.set(func(p *pipes) {
			p.dial = func(context.Context, string) error { return errors.New("connection refused") }
		})
		time.AfterFunc(10*time.Second, func() { p.set(func(p *pipes) { p.dial = nil }) })
		start := time.Now()
		p.connect(t, "10.0.0.1:1,10.0.0.2:1")
		require.Less(t, time.Since(start), 12*time.Second)
	})
}

// Connect ends in time whatever the servers do.
func TestConnectTimes(t *testing.T) {
	for name, breakIt := range map[string]func(p *pipes){
		"dial hangs": func(p *pipes) {
			p.dial = func(ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() }
		},
		"handshake hangs": func(p *pipes) {
			p.greet = func(*jute.ConnectRequest) bool { time.Sleep(time.Hour); return false }
		},
		"chroot's look-up hangs": func(p *pipes) {
			p.answer = func(frame) reaction { return reaction{ignore: true} }
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPipes(t)
				p.set(breakIt)
				for _, want := range []time.Duration{4 * time.Second, 15 * time.Second} {
					opts := []client.Option{client.WithDialer(p.Dial), client.WithSessionTimeout(40 * time.Second)}
					if want != 15*time.Second { // the default
						opts = append(opts, client.WithConnectTimeout(want))
					}
					start := time.Now()
					_, err := client.Connect(t.Context(), "10.0.0.1:1/app", opts...)
					require.ErrorIs(t, err, context.DeadlineExceeded)
					require.GreaterOrEqual(t, time.Since(start), want)
					require.LessOrEqual(t, time.Since(start), want+2*time.Second, "closing included")
				}
				reason := errors.New("changed my mind")
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(time.Second, func() { cancel(reason) })
				start := time.Now()
				_, err := client.Connect(ctx, "10.0.0.1:1/app", client.WithDialer(p.Dial), client.WithConnectTimeout(0))
				require.ErrorIs(t, err, context.Canceled)
				require.ErrorIs(t, err, reason)
				require.LessOrEqual(t, time.Since(start), 3*time.Second)
			})
		})
	}
}

// TestB4_HungHandshake: a server that accepts the connection and then says nothing
// held go-zookeeper for more than six session timeouts.
func TestB4_HungHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl := p.connect(t, "10.0.0.1:1,10.0.0.2:1,10.0.0.3:1", client.WithSessionTimeout(9*time.Second))
		st := follow(t, cl)
		s := session(t, cl)
		good := cl.State().Server
		require.NotEmpty(t, good)
		hung := p.seen(jute.OpConnect)[0].addr // it was the first; the others hang
		p.set(func(p *pipes) {
			p.greet = func(*jute.ConnectRequest) bool { time.Sleep(time.Hour); return false }
		})
		p.cut()
		st.until(client.Suspended)
		time.AfterFunc(5*time.Second, func() { p.set(func(p *pipes) { p.greet = nil }) })
		require.Equal(t, s.ID(), st.until(client.Connected).SessionID, "the session is saved: all servers were tried, %s too", hung)
		require.Greater(t, len(p.seen(jute.OpConnect)), 3)
	})
}

func TestConnectContextIsOver(t *testing.T) {
	srv := zktest.Start(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := client.Connect(ctx, srv.Addr())
	require.ErrorIs(t, err, client.ErrNotConnected)
	require.ErrorIs(t, err, context.Canceled)
}

// A session that stands at once is not overlooked.
func TestConnectManyTimes(t *testing.T) {
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			p := newPipes(t)
			var wg sync.WaitGroup
			for range 50 {
				wg.Go(func() {
					cl, err := client.Connect(t.Context(), "10.0.0.1:1", client.WithDialer(p.Dial))
					if assert.NoError(t, err) {
						assert.NoError(t, cl.Close())
					}
				})
			}
			wg.Wait()
		})
	}
}
