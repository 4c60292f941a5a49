package wire

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
)

// What never reached the socket is safe to repeat, and is told apart from what may
// have been executed.
func TestNotSentAndLost(t *testing.T) {
	gone := errors.New("gone")
	t.Run("no connection", func(t *testing.T) {
		r := newRig(t, pipes(t))
		a, b := get("/a"), get("/b")
		ends := 0
		b.OnEnd = func(*Call) { ends++ }
		r.link.Send(a, b)
		require.Equal(t, 1, ends)
		require.ErrorIs(t, r.ended(a), ErrNotSent)
		require.ErrorIs(t, r.ended(b), ErrNotSent)
	})
	t.Run("a write that is blocked", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, pipes(t))
			r.connect()
			handed, queued := get("/a"), get("/b")
			r.link.Send(handed)
			synctest.Wait() // the server reads nothing: the write is under way
			r.link.Send(queued)
			r.link.Drop(gone)
			require.ErrorIs(t, r.ended(handed), ErrLost)
			require.ErrorIs(t, r.ended(handed), gone)
			require.NotErrorIs(t, handed.Err, ErrNotSent)
			require.ErrorIs(t, r.ended(queued), ErrNotSent)
			require.ErrorIs(t, queued.Err, gone)
			require.NotErrorIs(t, queued.Err, ErrLost)
		})
	})
	t.Run("read by the server", func(t *testing.T) {
		r := newRig(t, pipes(t))
		_, p := r.connect()
		answered, lost := get("/a"), get("/b")
		ends := 0
		lost.OnEnd = func(c *Call) {
			require.ErrorIs(t, c.Err, ErrLost)
			ends++
		}
		r.link.Send(answered, lost)
		hs := p.expect(jute.OpGetData, jute.OpGetData)
		p.reply(hs[0], 1, &jute.DataReply{})
		_ = p.raw.Close()
		require.NoError(t, r.ended(answered))
		require.ErrorIs(t, r.ended(lost), ErrLost)
		require.Equal(t, 1, ends)
	})
	t.Run("after the end", func(t *testing.T) {
		r := newRig(t, pipes(t))
		r.connect()
		r.link.Close()
		call := get("/a")
		r.link.Send(call)
		require.ErrorIs(t, r.ended(call), ErrNotSent)
	})
}

// Many goroutines send while connections come and go: each call ends exactly once,
// and as not sent if the server has not seen it. (The reverse does not hold: what
// was handed to the socket may be lost on the way.)
func TestEachCallEndsOnceAndHonestly(t *testing.T) {
	r := newRig(t, loopback(t))
	r.start()
	var mu sync.Mutex
	seen := map[string]bool{}
	r.wg.Go(func() {
		defer r.link.Close()
		defer r.over.Store(true)
		for range 10 {
			p := r.net.accept()
			p.hello()
			p.welcome(sessionID, sessionTimeout)
			for i := 0; ; i++ {
				h, body := p.request()
				if h.Op != jute.OpGetData {
					continue
				}
				var q jute.PathWatchRequest
				q.Decode(body)
				mu.Lock()
				seen[q.Path] = true
				mu.Unlock()
				if i == 100 {
					_ = p.raw.Close()
					break
				}
				p.reply(h, int64(i+1), &jute.DataReply{})
			}
		}
	})
	var senders sync.WaitGroup
	for g := range 8 {
		senders.Go(func() {
			for i := 0; !r.over.Load(); i++ {
				path := fmt.Sprintf("/%d/%d", g, i)
				call := get(path)
				r.link.Send(call)
				switch err := r.ended(call); {
				case err == nil, errors.Is(err, ErrLost):
				case errors.Is(err, ErrNotSent):
					mu.Lock()
					if seen[path] {
						t.Errorf("%s: not sent, says the link; the server has seen it", path)
					}
					mu.Unlock()
				default:
					t.Errorf("%s: %v", path, err)
				}
			}
		})
	}
	senders.Wait()
}

// An answer over the limit ends that call and nothing else.
func TestReplyTooLargeEndsThatCallOnly(t *testing.T) {
	r := newRig(t, pipes(t), func(c *Config) { c.MaxReply = 1000 })
	_, p := r.connect()
	for _, size := range []int{1, 100_000} {
		large, bystander := get("/large"), get("/small")
		r.link.Send(large, bystander)
		hs := p.expect(jute.OpGetData, jute.OpGetData)
		limit := 1000 - jute.ReplyHeaderLen
		p.reply(hs[0], 9, filler(limit+size))
		p.reply(hs[1], 10, filler(limit))
		require.ErrorIs(t, r.ended(large), ErrReplyTooLarge)
		require.NoError(t, r.ended(bystander))
		require.Len(t, bystander.Body, limit)
	}
	require.Equal(t, int64(10), r.link.LastZxid())
	r.quiet()

	// There is no call to end for an event: it must not be lost silently.
	p.send(&jute.ReplyHeader{Xid: jute.XidNotification}, filler(1000))
	require.ErrorIs(t, r.next("disconnected").err, errFrame)
}

// A limit below the reply header is a strange wish, not a reason to panic.
func TestReplyLimitBelowHeader(t *testing.T) {
	r := newRig(t, pipes(t), func(c *Config) { c.MaxReply = 4 })
	_, p := r.connect()
	call := get("/a")
	r.link.Send(call)
	p.reply(p.expect(jute.OpGetData)[0], 1)
	require.ErrorIs(t, r.ended(call), ErrReplyTooLarge)
}

// filler is a body of that many bytes.
type filler int

func (f filler) Encode(e *jute.Encoder) { e.B = append(e.B, make([]byte, f)...) }
func (filler) Decode(*jute.Decoder)     {}

// What the server says reaches the call, errors included, and a body can be decoded.
func TestAnswers(t *testing.T) {
	r := newRig(t, pipes(t))
	_, p := r.connect()
	found, missing, none := get("/a"), get("/b"), NewCall(jute.OpWhoAmI, nil)
	require.Equal(t, 8+4+2+1, found.Size())
	require.Equal(t, 8, none.Size())
	var atReply jute.Code
	missing.OnEnd = func(c *Call) {
		select {
		case <-c.Done():
			t.Error("Done is closed before OnEnd has run")
		default:
		}
		atReply = c.Code
	}
	r.link.Send(found, missing, none)
	hs := p.expect(jute.OpGetData, jute.OpGetData, jute.OpWhoAmI)
	want := jute.DataReply{Data: []byte("value"), Stat: jute.Stat{Czxid: 3, DataLength: 5}}
	p.reply(hs[0], 11, &want)
	p.send(&jute.ReplyHeader{Xid: hs[1].Xid, Zxid: 12, Err: jute.NoNode})
	p.reply(hs[2], 13)
	require.NoError(t, r.ended(none))

	require.NoError(t, found.Err)
	require.Equal(t, int64(11), found.Zxid)
	var got jute.DataReply
	require.NoError(t, found.Decode(&got))
	require.Equal(t, want, got)
	require.NoError(t, missing.Err)
	require.Equal(t, jute.NoNode, missing.Code)
	require.Equal(t, jute.NoNode, atReply)
	require.ErrorIs(t, missing.Decode(&got), jute.ErrMalformed)
	require.ErrorContains(t, missing.Decode(&got), "getData")
	require.False(t, found.SentAt().IsZero())
}

// Without the cure a null or absurd vector in a reply makes the library allocate
// four thousand million elements.
func TestB5_AbsurdVectorsInReplies(t *testing.T) {
	for name, count := range map[string]int32{"null": -1, "negative": -2, "huge": math.MaxInt32} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, pipes(t))
			_, p := r.connect()
			call := NewCall(jute.OpGetChildren2, &jute.PathWatchRequest{Path: "/"})
			r.link.Send(call)
			body := &jute.Encoder{}
			body.Int32(count)
			(&jute.Stat{NumChildren: 3}).Encode(body)
			p.reply(p.expect(jute.OpGetChildren2)[0], 1, raw(body.B))
			require.NoError(t, r.ended(call))
			var got jute.Children2Reply
			err := call.Decode(&got)
			if count == -1 {
				require.NoError(t, err)
				require.Empty(t, got.Children)
				require.Equal(t, int32(3), got.Stat.NumChildren)
				return
			}
			require.ErrorIs(t, err, jute.ErrMalformed)
		})
	}
}

// raw is a body as it is.
type raw []byte

func (b raw) Encode(e *jute.Encoder) { e.B = append(e.B, b...) }
func (raw) Decode(*jute.Decoder)     {}

// The link's xids are negative, never one that the protocol has given a meaning,
// and differ from the library's; they start again before they turn positive.
func TestXids(t *testing.T) {
	r := newRig(t, pipes(t))
	c, p := r.connect()
	xid := func() int32 {
		call := get("/a")
		r.link.Send(call)
		h := p.expect(jute.OpGetData)[0]
		p.reply(h, 1, &jute.DataReply{})
		require.NoError(t, r.ended(call))
		return h.Xid
	}
	require.Equal(t, firstXid, xid())
	require.Equal(t, firstXid-1, xid())
	c.mu.Lock()
	c.xid = math.MinInt32
	c.mu.Unlock()
	require.Equal(t, int32(math.MinInt32), xid())
	require.Equal(t, firstXid, xid())
}
