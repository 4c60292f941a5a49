package wire

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/zookit/zookit/internal/jute"
)

var errFrame = errors.New("not a ZooKeeper frame")

// length is what the prefix of a frame says.
func length(prefix []byte) (int, error) {
	n := int32(binary.BigEndian.Uint32(prefix))
	if n < 0 {
		return 0, fmt.Errorf("%w: length %d", errFrame, n)
	}
	return int(n), nil
}

// readLength reads the length prefix of a frame.
func readLength(r *bufio.Reader) (int, error) {
	prefix, err := r.Peek(4) // in the reader's own memory
	if err != nil {
		return 0, err
	}
	n, err := length(prefix)
	if err == nil {
		_, err = r.Discard(len(prefix))
	}
	return n, err
}

// readFrame reads one frame of at most limit bytes.
func readFrame(r io.Reader, limit int) ([]byte, error) {
	var prefix [4]byte
	if _, err := io.ReadFull(r, prefix[:]); err != nil {
		return nil, err
	}
	n, err := length(prefix[:])
	if err != nil {
		return nil, err
	}
	if n > limit {
		return nil, fmt.Errorf("%w: length %d exceeds %d", errFrame, n, limit)
	}
	frame := make([]byte, n)
	_, err = io.ReadFull(r, frame)
	return frame, err
}

// frameOf encodes a header and a body with their length prefix.
func frameOf(records ...jute.Record) []byte {
	e := jute.Encoder{B: make([]byte, 4, 64)}
	for _, r := range records {
		r.Encode(&e)
	}
	binary.BigEndian.PutUint32(e.B, uint32(len(e.B)-4))
	return e.B
}

// lazyDeadline bounds every read (or write) of a socket by limit. Setting a
// deadline costs more than reading a small frame, so it is moved only when an
// eighth of it has gone by: a silence is noticed after 7/8 to 8/8 of limit.
type lazyDeadline struct {
	limit time.Duration
	armed time.Time
	set   func(time.Time) error
}

func (l *lazyDeadline) touch() error {
	now := time.Now()
	if now.Sub(l.armed) < l.limit/8 {
		return nil
	}
	l.armed = now
	return l.set(now.Add(l.limit))
}

// quietReader reads from a socket that must not be silent for longer than its limit.
type quietReader struct {
	raw net.Conn
	lazyDeadline
}

func (q *quietReader) Read(p []byte) (int, error) {
	if err := q.touch(); err != nil {
		return 0, err
	}
	return q.raw.Read(p)
}
