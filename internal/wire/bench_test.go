package wire

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
)

// stub is a server that answers every request as if it were a getData of 64 bytes.
// It allocates nothing while it serves, so that what a benchmark reports is the client's.
func stub(b *testing.B) (addr string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	b.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go answerGets(c)
		}
	}()
	return l.Addr().String()
}

func answerGets(c net.Conn) {
	defer c.Close()
	in, out := bufio.NewReaderSize(c, 64<<10), bufio.NewWriterSize(c, 64<<10)
	welcome := welcomeOf(sessionID, time.Minute)
	welcome.OldServer = true
	answer := frameOf(welcome)
	value := frameOf(&jute.ReplyHeader{Zxid: 1}, &jute.DataReply{Data: make([]byte, 64)})
	var request [256]byte
	for {
		if _, err := io.ReadFull(in, request[:4]); err != nil {
			return
		}
		body := request[:binary.BigEndian.Uint32(request[:4])]
		if _, err := io.ReadFull(in, body); err != nil {
			return
		}
		if answer == nil {
			answer = value
			copy(answer[4:8], body) // the xid
		}
		_, _ = out.Write(answer)
		answer = nil
		if in.Buffered() == 0 && out.Flush() != nil {
			return
		}
	}
}

// BenchmarkLinkGet compares reads through a link with the library's own, for one
// caller and for many at a time. reads/op and writes/op are the client's system calls.
func BenchmarkLinkGet(b *testing.B) {
	for _, callers := range []int{1, 128} {
		b.Run(fmt.Sprintf("%d/link", callers), func(b *testing.B) {
			var m *meter
			addr := stub(b)
			link := NewLink(b.Context(), Config{
				Dial: func(ctx context.Context) (net.Conn, error) {
					c, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
					m = &meter{Conn: c}
					return m, err
				},
				Timeout:          time.Minute,
				HandshakeTimeout: func(bool) time.Duration { return patience },
				HalfTick:         func(t time.Duration) time.Duration { return t / 4 },
				MaxReply:         1 << 20,
				Connected:        func(Session) {},
				Disconnected:     func(error) {},
			})
			c, err := link.Dial("", "", 0)
			require.NoError(b, err)
			var reader sync.WaitGroup
			reader.Go(func() { _, _ = io.Copy(io.Discard, c) })
			defer reader.Wait()
			defer link.Close()
			calling(b, callers, m, func() error {
				call := get("/some/node")
				link.Send(call)
				<-call.Done()
				if call.Err != nil {
					return call.Err
				}
				var reply jute.DataReply
				return call.Decode(&reply)
			})
		})
		b.Run(fmt.Sprintf("%d/library", callers), func(b *testing.B) {
			var m *meter
			addr := stub(b)
			connected := make(chan struct{})
			lib, events, err := zk.Connect([]string{addr}, time.Minute, zk.WithLogger(silent{}),
				zk.WithEventCallback(func(e zk.Event) {
					if e.State == zk.StateHasSession {
						close(connected)
					}
				}),
				zk.WithDialer(func(network, addr string, d time.Duration) (net.Conn, error) {
					c, err := net.DialTimeout(network, addr, d)
					m = &meter{Conn: c}
					return m, err
				}))
			require.NoError(b, err)
			defer func() {
				lib.Close()
				for range events {
				}
			}()
			<-connected
			calling(b, callers, m, func() error {
				_, _, err := lib.Get("/some/node")
				return err
			})
		})
	}
}

// calling runs op b.N times from so many goroutines.
func calling(b *testing.B, callers int, m *meter, op func() error) {
	b.ReportAllocs()
	before := m.since(metered{})
	b.ResetTimer()
	var next atomic.Int64
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for next.Add(1) <= int64(b.N) {
				if err := op(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.StopTimer()
	used := m.since(before)
	b.ReportMetric(float64(used.reads)/float64(b.N), "reads/op")
	b.ReportMetric(float64(used.writes)/float64(b.N), "writes/op")
}
