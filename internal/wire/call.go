package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/zookit/zookit/internal/jute"
)

var (
	// ErrNotSent means that the call never left this process: it is safe to repeat.
	ErrNotSent = errors.New("not connected, request not sent")
	// ErrLost means that the connection ended after the call may have been sent and
	// before it was answered: the server may or may not have executed it.
	ErrLost = errors.New("connection lost before the reply")
	// ErrReplyTooLarge means that the server answered with more than [Config.MaxReply] bytes.
	ErrReplyTooLarge = errors.New("reply exceeds the limit")
)

// headerLen is the length prefix and the request header of a frame.
const headerLen = 12

// Call is one request and, once Done is closed, what became of it.
type Call struct {
	// Op is the operation.
	Op jute.Op
	// OnEnd, when set, runs when the call has ended and before Done is closed. If
	// the server answered it runs on the connection's reading goroutine, before any
	// later frame is looked at. It must not block.
	OnEnd func(*Call)
	// Tag is whatever the sender wants to find again; the link does not look at it.
	Tag any
	// Guards marks a call whose success proves, beside the session's life, that nobody
	// else has taken the session over; see [Link.Guard].
	Guards bool

	// Valid after Done is closed. Err is nil if the server answered; then Code, Zxid
	// and Body are its answer.
	Err  error
	Code jute.Code
	Zxid int64
	Body []byte

	enc    jute.Encoder // of the frame
	dec    jute.Decoder // of the answer
	xid    int32
	seq    uint64
	sentAt time.Time
	server string
	lib    bool
	done   chan struct{}
	small  [smallFrame]byte // the frame, if it is no longer
}

// smallFrame is how long a request may be to need no memory of its own.
const smallFrame = 112

// NewCall encodes a request. A nil body is a request with a header only.
func NewCall(op jute.Op, body jute.Record) *Call {
	c := &Call{Op: op, done: make(chan struct{})}
	c.enc.B = c.small[:headerLen]
	if body != nil {
		body.Encode(&c.enc)
	}
	binary.BigEndian.PutUint32(c.enc.B[8:], uint32(op))
	binary.BigEndian.PutUint32(c.enc.B, uint32(len(c.enc.B)-4))
	return c
}

// Size returns the length of the frame as the server counts it.
func (c *Call) Size() int { return len(c.enc.B) - 4 }

// ReplySize returns the length of the answer as the server counts it, valid after Done
// is closed and if Err is nil.
func (c *Call) ReplySize() int { return jute.ReplyHeaderLen + len(c.Body) }

// ClearWatch makes a read that has not been sent one that sets no watch: the flag is
// the last byte of the requests of getData, exists, getChildren and getChildren2.
func (c *Call) ClearWatch() { c.enc.B[len(c.enc.B)-1] = 0 }

// Done is closed when the call has ended, answered or not.
func (c *Call) Done() <-chan struct{} { return c.done }

// SentAt returns the time at which the call was handed to the connection. It is
// not later than the time at which the first of its bytes was sent.
func (c *Call) SentAt() time.Time { return c.sentAt }

// Server returns the address at the other end of the connection that took the call;
// "" if there was none. It is for whoever has sent the call.
func (c *Call) Server() string { return c.server }

// Decode reads the body of the reply.
func (c *Call) Decode(r jute.Record) error {
	c.dec = jute.DecoderOf(c.Body)
	r.Decode(&c.dec)
	if err := c.dec.Err(); err != nil {
		return fmt.Errorf("reply to %v: %w", c.Op, err)
	}
	return nil
}

func (c *Call) setXid(xid int32) {
	c.xid = xid
	binary.BigEndian.PutUint32(c.enc.B[4:], uint32(xid))
}

func (c *Call) end(err error) {
	c.Err = err
	if c.OnEnd != nil {
		c.OnEnd(c)
	}
	close(c.done)
}
