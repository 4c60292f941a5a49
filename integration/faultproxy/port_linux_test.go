package faultproxy

import (
	"io"
	"net"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// deaf is a listener where a connection is neither made nor refused, because
// its queue is full. It returns how many connections are in the queue.
func deaf(t *testing.T) (net.Listener, int) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	number, err := bindAny(fd)
	require.NoError(t, err)
	require.NoError(t, syscall.Listen(fd, 0))
	file := os.NewFile(uintptr(fd), "listener")
	listener, err := net.FileListener(file)
	require.NoError(t, err)
	require.NoError(t, file.Close())
	t.Cleanup(func() { _ = listener.Close() })
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(number))
	for queued := range 10 {
		conn, err := net.DialTimeout("tcp", addr, 200*time.Millisecond)
		if err != nil {
			return listener, queued
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
	require.FailNow(t, "the listener's queue does not fill")
	return nil, 0
}

// Whatever happens while the server is being dialled must not wait for it.
func TestWhileDialling(t *testing.T) {
	for name, act := range map[string]struct {
		act  func(*Proxy)
		want error
	}{
		"close": {func(p *Proxy) { _ = p.Close() }, nil},
		"reset": {(*Proxy).Reset, syscall.ECONNRESET},
		"heal":  {func(p *Proxy) { p.BlackHole(Both); p.Heal() }, syscall.ECONNRESET},
		"cut":   {(*Proxy).Cut, nil},
	} {
		t.Run(name, func(t *testing.T) {
			listener, _ := deaf(t)
			p := Start(t, listener.Addr().String())
			c := dial(t, p)
			require.Eventually(t, func() bool { return p.Connections() == 1 }, patience, time.Millisecond)
			act.act(p)
			require.Zero(t, p.Connections())
			err := c.ended()
			if act.want != nil {
				require.ErrorIs(t, err, act.want)
			}
			require.NoError(t, p.Close())
		})
	}
}

// A black hole that begins while the server is being dialled takes the
// connection: the server gets no byte of it and the client no news.
func TestBlackHoleWhileDialling(t *testing.T) {
	listener, queued := deaf(t)
	p := Start(t, listener.Addr().String())
	c := dial(t, p)
	c.write(handshake())
	require.Eventually(t, func() bool { return p.Connections() == 1 }, patience, time.Millisecond)
	p.BlackHole(ToClient)
	for range queued {
		conn, err := listener.Accept()
		require.NoError(t, err)
		require.NoError(t, conn.Close())
	}
	conn, err := listener.Accept() // when the kernel has repeated its SYN
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	got, err := io.ReadAll(conn)
	require.NoError(t, err)
	require.Empty(t, got)
	require.Equal(t, 1, p.Connections())
	p.Heal()
	require.ErrorIs(t, c.ended(), syscall.ECONNRESET)
}

// Nobody who asks for a free port gets that of a proxy that refuses.
func TestPortIsKept(t *testing.T) {
	p := Start(t, "127.0.0.1:1")
	p.Refuse()
	host, number, err := net.SplitHostPort(p.Addr())
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1", host)
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	defer func() { _ = syscall.Close(fd) }()
	wanted, err := strconv.Atoi(number)
	require.NoError(t, err)
	err = syscall.Bind(fd, &syscall.SockaddrInet4{Port: wanted, Addr: [4]byte{127, 0, 0, 1}})
	require.ErrorIs(t, err, syscall.EADDRINUSE)
	require.NoError(t, p.Accept())
}
