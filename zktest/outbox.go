package zktest

import (
	"encoding/binary"
	"slices"

	"github.com/zookit/zookit/internal/jute"
)

// spareLimit bounds the buffers that are kept to be used again, so that one long reply does
// not stay for good.
const spareLimit = 64 << 10

// framer encodes one frame after the other into the same buffer. It is guarded by the
// server's mutex, and so is what it returns: that is good until the next frame.
type framer struct {
	e jute.Encoder
}

func (f *framer) begin() {
	if cap(f.e.B) > spareLimit {
		f.e.B = nil
	}
	f.e.B = append(f.e.B[:0], 0, 0, 0, 0)
}

func (f *framer) end() []byte {
	binary.BigEndian.PutUint32(f.e.B, uint32(len(f.e.B)-4))
	return f.e.B
}

// reply is the frame of a header and of what comes with it; a nil body is none.
func (f *framer) reply(head jute.ReplyHeader, body jute.Record) []byte {
	f.begin()
	head.Encode(&f.e)
	if body != nil {
		body.Encode(&f.e)
	}
	return f.end()
}

// handshake is the frame of the answer to a handshake, which has no header.
func (f *framer) handshake(answer jute.Record) []byte {
	f.begin()
	answer.Encode(&f.e)
	return f.end()
}

// outgoing is a run of frames to be written. While it is held, what comes after it waits too.
type outgoing struct {
	frames []byte
	held   *Fault
	last   bool // the server hangs up after it
}

// outbox is what a connection has still to write, in order. It is guarded by the server's mutex.
type outbox struct {
	queue []outgoing
	spare []byte
}

// add puts a copy of o behind what is there.
func (b *outbox) add(o outgoing) {
	if n := len(b.queue); n > 0 && b.queue[n-1].held == nil && o.held == nil {
		tail := &b.queue[n-1]
		tail.frames, tail.last = append(tail.frames, o.frames...), o.last
		return
	}
	o.frames = append(b.spare, o.frames...)
	b.spare = nil
	b.queue = append(b.queue, o)
}

// take removes what may be written now. The buffer that it returned before can be given
// back, to be used again.
func (b *outbox) take(written []byte) (frames []byte, last bool) {
	if cap(written) <= spareLimit {
		b.spare = written[:0]
	}
	n := 0
	for ; n < len(b.queue) && b.queue[n].held == nil; n++ {
		if n == 0 {
			frames = b.queue[n].frames
		} else {
			frames = append(frames, b.queue[n].frames...)
		}
		last = b.queue[n].last
	}
	b.queue = slices.Delete(b.queue, 0, n)
	return frames, last
}

// release lets go what a fault holds.
func (b *outbox) release(f *Fault) {
	for i := range b.queue {
		if b.queue[i].held == f {
			b.queue[i].held = nil
		}
	}
}
