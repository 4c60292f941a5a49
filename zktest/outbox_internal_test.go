package zktest

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
)

func TestOutboxKeepsTheOrderAndWhatIsHeld(t *testing.T) {
	var b outbox
	hold := &Fault{}
	for _, o := range []outgoing{
		{frames: []byte("a")}, {frames: []byte("b")},
		{frames: []byte("c"), held: hold}, {frames: []byte("d")}, {frames: []byte("e"), last: true},
	} {
		b.add(o)
	}
	frames, last := b.take(nil)
	require.Equal(t, "ab", string(frames))
	require.False(t, last)
	frames, _ = b.take(frames)
	require.Empty(t, frames)
	b.release(hold)
	frames, last = b.take(frames)
	require.Equal(t, "cde", string(frames))
	require.True(t, last)
	frames, last = b.take(frames)
	require.Empty(t, frames)
	require.False(t, last)
}

// What is being written stays as it is while more is added, and so does what was added from a buffer that
// changes afterwards.
func TestOutboxCopies(t *testing.T) {
	var b outbox
	var written []byte
	for _, text := range []string{"first", "second", "third", "fourth"} {
		source := []byte(text)
		b.add(outgoing{frames: source})
		written, _ = b.take(written)
		b.add(outgoing{frames: []byte("xxxxxxxxx")})
		clear(source)
		require.Equal(t, text, string(written))
		written, _ = b.take(written)
	}
}

func TestLongBuffersAreNotKept(t *testing.T) {
	var b outbox
	b.take(make([]byte, spareLimit+1))
	require.Nil(t, b.spare)
	b.take(make([]byte, 10))
	require.Equal(t, 10, cap(b.spare))

	var f framer
	f.reply(jute.ReplyHeader{}, &jute.DataReply{Data: make([]byte, 2*spareLimit)})
	frame := f.reply(jute.ReplyHeader{Xid: 1}, nil)
	require.True(t, bytes.Equal([]byte{0, 0, 0, 16, 0, 0, 0, 1}, frame[:8]))
	require.LessOrEqual(t, cap(frame), spareLimit)
}
