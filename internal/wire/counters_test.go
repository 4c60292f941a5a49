package wire

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
)

// The mean begins with the first round trip and moves by an eighth of the difference.
func TestRoundTrip(t *testing.T) {
	var c Counters
	last, mean := c.RoundTrip()
	require.Zero(t, last+mean)
	c.took(80 * time.Millisecond)
	_, mean = c.RoundTrip()
	require.Equal(t, 80*time.Millisecond, mean)
	c.took(160 * time.Millisecond)
	last, mean = c.RoundTrip()
	require.Equal(t, []time.Duration{160 * time.Millisecond, 90 * time.Millisecond}, []time.Duration{last, mean})
}

// Everything that goes over a connection is counted once, and a call knows its server.
func TestCounters(t *testing.T) {
	r := newRig(t, pipes(t))
	counters := r.link.cfg.Counters
	none := get("/none")
	r.link.Send(none)
	require.ErrorIs(t, r.ended(none), ErrNotSent)
	require.Empty(t, none.Server())
	require.Zero(t, counters.Requests.Load())

	_, p := r.connect()
	a, b := get("/a"), get("/b")
	size := uint64(a.Size() + b.Size() + 2*4)
	r.link.Send(a, b)
	require.Equal(t, "pipe", a.Server())
	hs := p.expect(jute.OpGetData, jute.OpGetData)
	require.Equal(t, 2, r.link.InFlight())
	p.reply(hs[0], 1, &jute.DataReply{Data: []byte("12345")})
	require.NoError(t, r.ended(a))
	require.Equal(t, jute.ReplyHeaderLen+4+5+68, a.ReplySize())
	require.Equal(t, 1, r.link.InFlight())
	require.Equal(t, []uint64{2, 1, 0, size, uint64(4 + a.ReplySize())}, []uint64{
		counters.Requests.Load(), counters.Replies.Load(), counters.Events.Load(), counters.BytesSent.Load(), counters.BytesReceived.Load(),
	})
	r.link.Close()
	require.Zero(t, r.link.InFlight())
}
