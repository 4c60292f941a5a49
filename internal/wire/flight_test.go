package wire

import (
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
)

// meter counts what is asked of a socket.
type meter struct {
	net.Conn
	mu sync.Mutex
	metered
}

type metered struct{ reads, writes, readDeadlines, writeDeadlines int }

func (m *meter) count(what *int) {
	m.mu.Lock()
	*what++
	m.mu.Unlock()
}

func (m *meter) Read(p []byte) (int, error)  { m.count(&m.reads); return m.Conn.Read(p) }
func (m *meter) Write(p []byte) (int, error) { m.count(&m.writes); return m.Conn.Write(p) }
func (m *meter) SetReadDeadline(t time.Time) error {
	m.count(&m.readDeadlines)
	return m.Conn.SetReadDeadline(t)
}
func (m *meter) SetWriteDeadline(t time.Time) error {
	m.count(&m.writeDeadlines)
	return m.Conn.SetWriteDeadline(t)
}

// since is what was asked after the handshake.
func (m *meter) since(before metered) metered {
	m.mu.Lock()
	defer m.mu.Unlock()
	return metered{
		reads: m.reads - before.reads, writes: m.writes - before.writes,
		readDeadlines: m.readDeadlines - before.readDeadlines, writeDeadlines: m.writeDeadlines - before.writeDeadlines,
	}
}

// measured is a rig with a connection whose socket is metered, and no library.
func measured(t *testing.T) (*rig, *peer, *meter, metered) {
	n := pipes(t)
	var m *meter
	n.wrap = func(c net.Conn) net.Conn {
		m = &meter{Conn: c}
		return m
	}
	r := newRig(t, n)
	_, p := r.connect()
	synctest.Wait()
	return r, p, m, metered{reads: m.reads - 1, writes: m.writes, readDeadlines: m.readDeadlines - 1, writeDeadlines: m.writeDeadlines}
}

// Calls that are given together leave in one write and in their order, and as many
// answers are read at once as the server sends at once. The library alone makes
// one write and two reads for each.
func TestOneFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, p, m, before := measured(t)
		var calls []*Call
		for range 100 {
			calls = append(calls, get("/a"))
		}
		r.link.Send(calls...)
		var answers []byte
		for i := range calls {
			h := p.expect(jute.OpGetData)[0]
			require.Equal(t, firstXid-int32(i), h.Xid)
			answers = append(answers, frameOf(&jute.ReplyHeader{Xid: h.Xid, Zxid: int64(i + 1)}, &jute.DataReply{})...)
		}
		p.write(answers...)
		for i, c := range calls {
			require.NoError(t, r.ended(c))
			require.Equal(t, int64(i+1), c.Zxid)
		}
		synctest.Wait()
		got := m.since(before)
		require.Equal(t, 1, got.writes)
		require.Equal(t, 1, got.writeDeadlines)
		require.LessOrEqual(t, got.reads, len(answers)/(16<<10)+2, "one for each buffer, and the one that waits for more")
		require.Equal(t, 1, got.readDeadlines)
	})
}

// While a write is under way the calls of everybody else gather for the next one.
func TestCallsGatherWhileWriting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, p, m, before := measured(t)
		r.link.Send(get("/first"))
		synctest.Wait() // its write is under way: nobody reads yet
		for range 10 {
			r.wg.Go(func() {
				for range 10 {
					r.link.Send(get("/more"))
				}
			})
		}
		synctest.Wait()
		for range 101 {
			p.expect(jute.OpGetData)
		}
		synctest.Wait()
		require.Equal(t, 2, m.since(before).writes)
	})
}

// A call that is larger than all buffers passes in one piece, and the buffer is
// not kept.
func TestLargeRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, p, m, before := measured(t)
		data := slices.Repeat([]byte("0123456789"), 100_000)
		large, small := NewCall(jute.OpSetData, &jute.SetDataRequest{Path: "/a", Data: data}), get("/a")
		r.link.Send(large)
		h, body := p.request()
		var got jute.SetDataRequest
		got.Decode(body)
		require.NoError(t, body.Err())
		require.Equal(t, data, got.Data)
		p.reply(h, 1, &jute.Stat{})
		require.NoError(t, r.ended(large))
		r.link.mu.Lock()
		c := r.link.cur
		r.link.mu.Unlock()
		for _, call := range []*Call{get("/a"), get("/a"), small} {
			r.link.Send(call)
			p.reply(p.expect(jute.OpGetData)[0], 2, &jute.DataReply{Data: data})
			require.NoError(t, r.ended(call))
			c.mu.Lock()
			kept := cap(c.out)
			c.mu.Unlock()
			require.LessOrEqual(t, kept, keptBuffer)
		}
		var reply jute.DataReply
		require.NoError(t, small.Decode(&reply))
		require.Equal(t, data, reply.Data)
		require.Equal(t, 4, m.since(before).writes)
	})
}

// Deadlines are moved when an eighth of them has gone by, not with every frame.
func TestDeadlinesAreLazy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, p, m, before := measured(t)
		const calls, apart = 1000, 10 * time.Millisecond
		for i := range calls {
			c := get("/a")
			r.link.Send(c)
			p.reply(p.expect(jute.OpGetData)[0], int64(i+1), &jute.DataReply{})
			require.NoError(t, r.ended(c))
			time.Sleep(apart)
		}
		silence := sessionTimeout * 2 / 3
		most := int(calls*apart/(silence/8)) + 1
		got := m.since(before)
		require.Equal(t, calls, got.writes)
		require.LessOrEqual(t, got.readDeadlines, most)
		require.LessOrEqual(t, got.writeDeadlines, most)
		require.Greater(t, got.readDeadlines, most/2)
	})
}

// A server that falls silent is noticed when two thirds of the session timeout
// have passed without a frame, or up to an eighth of that earlier; never while frames
// arrive, pings and events alike.
func TestSilenceIsNoticed(t *testing.T) {
	for name, keepUp := range map[string]func(*rig, *peer){
		"from the first": func(*rig, *peer) {},
		"after many pings": func(_ *rig, p *peer) {
			for range 20 {
				p.reply(p.expect(jute.OpPing)[0], 0)
			}
		},
		"after events only": func(r *rig, p *peer) {
			r.wg.Go(func() { p.drained() })
			for range 20 {
				time.Sleep(sessionTimeout / 2)
				p.event("/a", 1)
			}
		},
		"in the middle of a frame": func(_ *rig, p *peer) { p.write(0, 0, 1) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, pipes(t))
				r.start()
				p := r.welcomed()
				keepUp(r, p)
				last := time.Now()
				n := r.skipTo("disconnected")
				require.ErrorIs(t, n.err, os.ErrDeadlineExceeded)
				limit := sessionTimeout * 2 / 3
				require.LessOrEqual(t, n.at.Sub(last), limit)
				require.GreaterOrEqual(t, n.at.Sub(last), limit*7/8)
			})
		})
	}
}

// A server that takes nothing any more, though it still sends, is left as well.
func TestBlockedWriteIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, p, _, _ := measured(t)
		stop := make(chan struct{})
		r.wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(time.Second):
					_, _ = p.raw.Write(frameOf(&jute.ReplyHeader{Xid: jute.XidPing}))
				}
			}
		})
		defer close(stop)
		began := time.Now()
		call := get("/a")
		r.link.Send(call)
		n := r.next("disconnected")
		require.ErrorContains(t, n.err, "write")
		require.LessOrEqual(t, n.at.Sub(began), sessionTimeout*2/3)
		require.ErrorIs(t, r.ended(call), ErrLost)
	})
}

// The negotiated timeout counts, not the one asked for.
func TestSilenceFollowsNegotiatedTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, pipes(t))
		done := r.dialling()
		p := r.net.accept()
		p.hello()
		p.welcome(sessionID, 3*time.Second)
		r.established(done)
		began := time.Now()
		_, _ = io.Copy(io.Discard, p.raw)
		require.LessOrEqual(t, time.Since(began), 2*time.Second)
		require.GreaterOrEqual(t, time.Since(began), 2*time.Second*7/8)
	})
}
