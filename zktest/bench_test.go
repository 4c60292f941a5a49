package zktest_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

// The networks that a server can be on.
var networks = []struct {
	name string
	opts []zktest.Option
}{
	{"tcp", nil},
	{"memory", []zktest.Option{zktest.WithInMemoryNetwork()}},
}

// enter opens a session over whichever network the server is on.
func enter(tb testing.TB, s *zktest.Server) *wire {
	tb.Helper()
	return shake(tb, reach(tb, s))
}

// shake opens a session over a connection.
func shake(tb testing.TB, nc net.Conn) *wire {
	tb.Helper()
	w := &wire{t: tb, nc: nc}
	require.NotZero(tb, w.connect(&jute.ConnectRequest{TimeoutMillis: 60_000}).SessionID)
	return w
}

// BenchmarkStartToFirstOperation is what a test pays for a server of its own: from nothing to the
// answer to the first create, and the end of both sides.
func BenchmarkStartToFirstOperation(b *testing.B) {
	for _, network := range networks {
		b.Run(network.name+"/raw", func(b *testing.B) {
			firstOperation(b, network.opts, func(s *zktest.Server) (end func()) {
				nc, err := s.Dial(b.Context(), "tcp", s.Addr())
				require.NoError(b, err)
				w := shake(b, nc)
				w.mustCreate("/a", 0)
				return func() { require.NoError(b, w.nc.Close()) }
			})
		})
		b.Run(network.name+"/client", func(b *testing.B) {
			firstOperation(b, network.opts, func(s *zktest.Server) (end func()) {
				cl, err := client.Connect(b.Context(), s.Addr(), client.WithDialer(s.Dial))
				require.NoError(b, err)
				_, err = cl.Create(b.Context(), "/a", []byte("x"))
				require.NoError(b, err)
				return func() { require.NoError(b, cl.Close()) }
			})
		})
	}
}

// firstOperation reports the time to the first answer by itself, and its worst, and the goroutines
// that all the servers have left, which have to be none: with -benchtime 10000x, of ten thousand.
func firstOperation(b *testing.B, opts []zktest.Option, first func(*zktest.Server) (end func())) {
	var sum, worst time.Duration
	before := runtime.NumGoroutine()
	for b.Loop() {
		began := time.Now()
		s, err := zktest.NewServer(opts...)
		require.NoError(b, err)
		end := first(s)
		took := time.Since(began)
		sum, worst = sum+took, max(worst, took)
		end()
		require.NoError(b, s.Close())
	}
	// A goroutine that has told its end may still be there for a moment.
	for late := time.Now().Add(deadline); runtime.NumGoroutine() > before && time.Now().Before(late); {
		runtime.Gosched()
	}
	left := runtime.NumGoroutine() - before
	require.LessOrEqual(b, left, 0, "goroutines are left")
	b.ReportMetric(float64(left), "goroutines-left")
	b.ReportMetric(float64(sum.Microseconds())/1000/float64(b.N), "ms/start")
	b.ReportMetric(float64(worst.Microseconds())/1000, "ms/worst")
}

// BenchmarkPipelinedGets is one connection that asks for a value of 64 bytes over and over,
// up to a thousand times before it has the answer. The client does next to nothing: it writes the same
// bytes again and again, and counts those that come back. Run it with -cpu 1 for gets/s on one core,
// the client's share included.
func BenchmarkPipelinedGets(b *testing.B) {
	const batch, window = 125, 8
	for _, network := range networks {
		b.Run(network.name, func(b *testing.B) {
			s := zktest.Start(b, network.opts...)
			require.NoError(b, s.Create("/some/node", make([]byte, 64)))
			w := enter(b, s)
			requests, reply := getFrames(w, "/some/node", batch)
			answers := make(chan struct{}, window)
			for range window {
				answers <- struct{}{}
			}
			b.ReportAllocs()
			b.ResetTimer()
			var writer sync.WaitGroup
			writer.Go(func() {
				for n := b.N; n > 0; n -= batch {
					<-answers
					if _, err := w.nc.Write(requests[:min(n, batch)*len(requests)/batch]); err != nil {
						return
					}
				}
			})
			buf := make([]byte, batch*reply)
			for n := b.N; n > 0; n -= batch {
				_, err := io.ReadFull(w.nc, buf[:min(n, batch)*reply])
				require.NoError(b, err)
				answers <- struct{}{}
			}
			writer.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "gets/s")
			b.StopTimer()
			require.NoError(b, w.nc.Close())
		})
	}
}

// appendRequest adds the frame of a request.
func appendRequest(e *jute.Encoder, xid int32, op jute.Op, body jute.Record) {
	at := len(e.B)
	e.Int32(0)
	(&jute.RequestHeader{Xid: xid, Op: op}).Encode(e)
	body.Encode(e)
	binary.BigEndian.PutUint32(e.B[at:], uint32(len(e.B)-at-4))
}

// getFrames returns n requests for a node's value, one after the other, and how long the reply to
// each is, having seen to it that the replies are what they should be.
func getFrames(w *wire, path string, n int) (requests []byte, reply int) {
	e := jute.Encoder{}
	for i := range n {
		appendRequest(&e, int32(i+1), jute.OpGetData, &jute.PathWatchRequest{Path: path})
	}
	_, err := w.nc.Write(e.B)
	require.NoError(w.t, err)
	for i := range n {
		buf := w.read()
		d := jute.NewDecoder(buf)
		var h jute.ReplyHeader
		var body jute.DataReply
		h.Decode(d)
		body.Decode(d)
		require.NoError(w.t, d.Err())
		require.EqualValues(w.t, i+1, h.Xid)
		require.Len(w.t, body.Data, 64)
		reply = len(buf) + 4
	}
	return e.B, reply
}

// memoryInUse returns what the process needs: live objects, and the goroutines' stacks.
func memoryInUse() float64 {
	runtime.GC()
	runtime.GC() // what the first has found to be unused may have had a finalizer or a pool
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc + m.StackInuse)
}

// BenchmarkMemory is what sessions and nodes take, with both ends of the sessions' connections.
func BenchmarkMemory(b *testing.B) {
	const sessions, nodes = 10_000, 100_000
	for b.Loop() {
		before := memoryInUse()
		s, err := zktest.NewServer(zktest.WithInMemoryNetwork())
		require.NoError(b, err)
		conns := make([]net.Conn, sessions)
		for i := range conns {
			conns[i] = enter(b, s).nc
		}
		withSessions := memoryInUse()
		w := &wire{t: b, nc: conns[0]}
		for i := range nodes {
			if i%1000 == 0 {
				w.mustCreate(fmt.Sprintf("/parent-%03d", i/1000), 0)
			}
			w.mustCreate(fmt.Sprintf("/parent-%03d/node-%06d", i/1000, i), 0)
		}
		withNodes := memoryInUse()
		b.ReportMetric((withNodes-before)/1e6, "MB")
		b.ReportMetric((withSessions-before)/sessions, "B/session")
		b.ReportMetric((withNodes-withSessions)/nodes, "B/node")
		runtime.KeepAlive(conns)
		require.NoError(b, s.Close())
	}
}
