package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Each method sends its word, in four bytes and no more, and reads to the end.
func TestWords(t *testing.T) {
	answers := map[string]string{
		"ruok": sample(t, "3.8/ruok-leader.txt"), "srvr": sample(t, "3.8/srvr-leader.txt"), "mntr": sample(t, "3.8/mntr-leader.txt"),
		"cons": sample(t, "3.8/cons-leader.txt"), "wchs": sample(t, "3.8/wchs-leader.txt"), "conf": sample(t, "3.8/conf-leader.txt"),
		"isro": sample(t, "3.8/isro-leader.txt"), "envi": "Environment:\nhost.name=zk3\n",
	}
	addr := serve(t, listen(t), func(conn net.Conn, word string) {
		for part := range strings.SplitAfterSeq(answers[word], "0") { // in many pieces
			_, _ = io.WriteString(conn, part)
		}
	})
	s := newServer(t, addr)
	require.Equal(t, addr, s.Addr())
	require.Equal(t, addr, s.String())
	ctx := t.Context()

	require.NoError(t, s.Ruok(ctx))
	stats, err := s.Srvr(ctx)
	require.NoError(t, err)
	require.Equal(t, Leader, stats.Mode)
	m, err := s.Mntr(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 2, m.Leading.SyncedFollowers)
	connections, err := s.Cons(ctx)
	require.NoError(t, err)
	require.Len(t, connections, 2)
	watches, err := s.Wchs(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 1, watches.Watches)
	settings, err := s.Conf(ctx)
	require.NoError(t, err)
	require.Equal(t, 500*ms, settings.TickTime)
	readOnly, err := s.Isro(ctx)
	require.NoError(t, err)
	require.False(t, readOnly)
	text, err := s.Command(ctx, "envi")
	require.NoError(t, err)
	require.Equal(t, answers["envi"], text)
}

// What servers say instead of an answer is told apart for every word.
func TestRefusals(t *testing.T) {
	const sentence = "This ZooKeeper instance is not currently serving requests"
	for name, c := range map[string]struct {
		answer func(word string) string
		want   error
		says   string
	}{
		"not allowed": {func(word string) string {
			return word + " is not executed because it is not in the whitelist.\n"
		}, ErrNotAllowed, "to 4lw.commands.whitelist"},
		"not serving":             {func(string) string { return sentence + "\n" }, ErrNotServing, ""},
		"not serving, no newline": {func(string) string { return sentence }, ErrNotServing, ""},
		"unknown":                 {func(string) string { return "" }, ErrNoAnswer, "does not know the word"},
		"nonsense":                {func(string) string { return "hello" }, ErrMalformed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, serve(t, listen(t), func(conn net.Conn, word string) { _, _ = io.WriteString(conn, c.answer(word)) }))
			for word, err := range everything(t.Context(), s) {
				require.ErrorIs(t, err, c.want, word)
				require.ErrorContains(t, err, word+" of "+s.Addr(), word)
				require.ErrorContains(t, err, c.says, word)
				e, ok := errors.AsType[*Error](err)
				require.True(t, ok, word)
				require.Equal(t, Error{Server: s.Addr(), Word: word, Err: e.Err}, *e)
			}
			text, err := s.Command(t.Context(), "envi")
			if errors.Is(c.want, ErrMalformed) { // nothing is parsed
				require.NoError(t, err)
				require.Equal(t, "hello", text)
				return
			}
			require.ErrorIs(t, err, c.want)
			require.Empty(t, text)
		})
	}
}

// everything asks all there is to parse, and returns the errors by word.
func everything(ctx context.Context, s *Server) map[string]error {
	_, srvrErr := s.Srvr(ctx)
	_, mntrErr := s.Mntr(ctx)
	_, consErr := s.Cons(ctx)
	_, wchsErr := s.Wchs(ctx)
	_, confErr := s.Conf(ctx)
	_, isroErr := s.Isro(ctx)
	out := map[string]error{"srvr": srvrErr, "mntr": mntrErr, "cons": consErr, "wchs": wchsErr, "conf": confErr, "isro": isroErr, "ruok": s.Ruok(ctx)}
	if s.url != nil { // there the words have longer names
		for word, command := range map[string]string{
			"srvr": "server_stats", "mntr": "monitor", "cons": "connections", "wchs": "watch_summary",
			"conf": "configuration", "isro": "is_read_only",
		} {
			out[command] = out[word]
			delete(out, word)
		}
	}
	return out
}

func TestLongAnswerIsComplete(t *testing.T) {
	const count = 40_000
	var b strings.Builder
	for i := range count {
		fmt.Fprintf(&b, " /10.0.%d.%d:%d[1](queued=0,recved=%d,sent=7,sid=0x%x,lop=PING,est=1,to=10000,lzxid=0x1,lresp=1,llat=0,minlat=0,avglat=0,maxlat=0)\n",
			i/256%256, i%256, 1024+i, i, 1<<56+i)
	}
	b.WriteString("\n")
	require.Greater(t, b.Len(), 4<<20)

	connections, err := canned(t, b.String()).Cons(t.Context())
	require.NoError(t, err)
	require.Len(t, connections, count)
	for i, c := range connections {
		require.EqualValues(t, i, c.Received)
		require.EqualValues(t, 1<<56+i, c.SessionID)
	}
}

func TestAnswerIsBounded(t *testing.T) {
	require.EqualValues(t, 64<<20, newServer(t, "zk1").max)
	s := canned(t, "0123456789")
	s.max = 10
	text, err := s.Command(t.Context(), "dump")
	require.NoError(t, err)
	require.Equal(t, "0123456789", text)
	s.max = 9
	_, err = s.Command(t.Context(), "dump")
	require.ErrorIs(t, err, ErrTooLong)
	require.ErrorContains(t, err, "9 bytes")

	// It is also left alone then: the server's side of the connection ends.
	hungUp := make(chan error, 1)
	s = newServer(t, serve(t, listen(t), func(conn net.Conn, _ string) {
		for {
			if _, err := conn.Write(make([]byte, 1<<16)); err != nil {
				hungUp <- err
				return
			}
		}
	}))
	s.max = 1 << 20
	_, err = s.Command(t.Context(), "dump")
	require.ErrorIs(t, err, ErrTooLong)
	require.Error(t, <-hungUp)
}

// A connection that breaks is an error, however good the answer looked.
func TestBrokenConnection(t *testing.T) {
	s := newServer(t, serve(t, listen(t), func(conn net.Conn, _ string) {
		_, _ = io.WriteString(conn, sample(t, "3.8/srvr-leader.txt"))
		_ = conn.(*net.TCPConn).SetLinger(0) // a reset instead of an end
	}))
	_, err := s.Srvr(t.Context())
	require.Error(t, err)
	require.ErrorContains(t, err, "connection lost after")

	listener := listen(t)
	require.NoError(t, listener.Close())
	s = newServer(t, listener.Addr().String())
	_, err = s.Srvr(t.Context())
	require.ErrorContains(t, err, "srvr of "+s.Addr()+": dial tcp")
}

// Every wait ends with the context, and the connection with it.
func TestCancelled(t *testing.T) {
	reached, hungUp := make(chan struct{}, 1), make(chan struct{}, 1)
	s := newServer(t, serve(t, listen(t), func(conn net.Conn, _ string) {
		_, _ = io.WriteString(conn, "Zookeeper version: 3.8")
		reached <- struct{}{}
		_, _ = conn.Read(make([]byte, 1))
		hungUp <- struct{}{}
	}))
	why := errors.New("the page was closed")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		<-reached
		cancel(why)
	}()
	_, err := s.Srvr(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, err, why)
	<-hungUp

	// One that has ended already opens no connection.
	s = newServer(t, "127.0.0.1:1", WithDialer(func(context.Context, string, string) (net.Conn, error) {
		require.Fail(t, "dialled")
		return nil, errors.ErrUnsupported
	}))
	_, err = s.Srvr(ctx)
	require.ErrorIs(t, err, context.Canceled)
}

// A server that accepts and is silent is given up after 5 s, or what WithTimeout says.
func TestTimeout(t *testing.T) {
	for name, c := range map[string]struct {
		opts []Option
		want time.Duration
	}{
		"by default": {nil, 5 * time.Second},
		"as set":     {[]Option{WithTimeout(time.Minute)}, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ours, theirs := net.Pipe()
				s := newServer(t, "zk1", append(c.opts, WithDialer(func(_ context.Context, network, address string) (net.Conn, error) {
					require.Equal(t, "tcp", network)
					require.Equal(t, "zk1:2181", address)
					return ours, nil
				}))...)
				began := time.Now()
				go func() { _, _ = io.Copy(io.Discard, theirs) }()
				err := s.Ruok(t.Context())
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.ErrorContains(t, err, "no complete answer within "+c.want.String())
				require.Equal(t, c.want, time.Since(began))
				_ = theirs.Close()
			})
		})
	}
}

// The context's own deadline is told from the timeout.
func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, "zk1", WithDialer(func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, errors.New("a dialer's own words")
		}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := s.Ruok(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotContains(t, err.Error(), "no complete answer")
	})
}

func TestBadWords(t *testing.T) {
	s := newServer(t, "127.0.0.1:1", WithDialer(func(context.Context, string, string) (net.Conn, error) {
		require.Fail(t, "dialled")
		return nil, errors.ErrUnsupported
	}))
	for _, word := range []string{"", "sr", "srvrs", "SRVR", "sr\nv", "\x00\x00\x00\x01"} {
		_, err := s.Command(t.Context(), word)
		require.ErrorIs(t, err, ErrBadArgument, "%q", word)
	}
}
