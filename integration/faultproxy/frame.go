package faultproxy

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
)

// maxFrame is the longest frame that is read as a frame. ZooKeeper's own limit
// is about 1 MiB for requests; TLS records and four-letter words, read as a
// length, are all far above.
const maxFrame = 64 << 20

const (
	xidNotification int32 = -1

	requestHeader = 8  // xid, opcode
	replyHeader   = 16 // xid, zxid, error
)

// splitter cuts a stream into frames, and into arbitrary pieces once it is raw.
type splitter struct {
	r   *bufio.Reader
	raw bool
}

// next returns a whole frame with its length prefix, or bytes that are none:
// those of a raw stream, or the beginning of a frame that never came to its
// end. Bytes and an error can come together.
func (s *splitter) next() (data []byte, whole bool, err error) {
	if !s.raw {
		head, err := s.r.Peek(4)
		if err != nil {
			return append([]byte(nil), head...), false, err
		}
		length := int32(binary.BigEndian.Uint32(head))
		if length >= 0 && length <= maxFrame {
			data = make([]byte, 4+int(length))
			n, err := io.ReadFull(s.r, data)
			if errors.Is(err, io.ErrUnexpectedEOF) {
				err = io.EOF
			}
			return data[:n], err == nil, err
		}
		s.raw = true
	}
	data = make([]byte, s.r.Size())
	n, err := s.r.Read(data)
	return data[:n], false, err
}

// decodeRequest reads what a client has sent after the handshake. It reports
// false for a frame that is too short to be a request.
func decodeRequest(frame []byte) (Request, bool) {
	d := decoder{b: frame[4:]}
	if len(d.b) < requestHeader {
		return Request{}, false
	}
	r := Request{Xid: d.int32(), Op: d.int32()}
	switch {
	case r.Op == OpMulti || r.Op == OpMultiRead:
		r.Parts = d.parts()
		if len(r.Parts) > 0 {
			r.Path = r.Parts[0].Path
		}
	case beginsWithPath(r.Op):
		r.Path, _ = d.string()
	}
	return r, true
}

// decodeReply reads what a server has sent after the handshake; of a watch
// event also the path. It reports false for a frame that is too short.
func decodeReply(frame []byte) (reply Reply, ok bool) {
	d := decoder{b: frame[4:]}
	if len(d.b) < replyHeader {
		return Reply{}, false
	}
	reply.Request.Xid = d.int32()
	reply.Request.Op = OpUnknown
	reply.Zxid = d.int64()
	reply.Err = d.int32()
	if reply.Request.Xid == xidNotification {
		reply.Request.Op = OpNotification
		d.skip(8) // the event's type and the state
		reply.Request.Path, _ = d.string()
	}
	return reply, true
}

func beginsWithPath(op int32) bool {
	switch op {
	case OpCreate, OpDelete, OpExists, OpGetData, OpSetData, OpGetACL, OpSetACL, OpGetChildren, OpSync,
		OpGetChildren2, OpCheck, OpCreate2, OpCheckWatches, OpRemoveWatches, OpCreateContainer,
		OpDeleteContainer, OpCreateTTL, OpGetEphemerals, OpGetAllChildrenNumber, OpAddWatch:
		return true
	}
	return false
}

// decoder reads jute's encoding. After the first value that does not fit, it
// is bad and returns zero values.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) take(n int) []byte {
	if d.bad || n < 0 || n > len(d.b) {
		d.bad = true
		return nil
	}
	taken := d.b[:n]
	d.b = d.b[n:]
	return taken
}

func (d *decoder) skip(n int) { d.take(n) }

func (d *decoder) int32() int32 {
	if b := d.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

func (d *decoder) int64() int64 {
	if b := d.take(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

// string reads a string or a buffer; length -1 is jute's null.
func (d *decoder) string() (string, bool) {
	n := d.int32()
	if n == -1 {
		return "", !d.bad
	}
	b := d.take(int(n))
	return string(b), !d.bad
}

func (d *decoder) skipBuffer() {
	if n := d.int32(); n != -1 {
		d.skip(int(n))
	}
}

// parts reads the requests inside a multi as far as it understands them.
func (d *decoder) parts() []Part {
	var parts []Part
	for {
		op := d.int32()
		end := d.take(1)
		d.skip(4) // the error, only used in replies
		if d.bad || end[0] != 0 {
			return parts
		}
		path, ok := d.string()
		if !ok {
			return parts
		}
		parts = append(parts, Part{Op: op, Path: path})
		if !d.skipPart(op) {
			return parts
		}
	}
}

// skipPart skips what follows the path.
func (d *decoder) skipPart(op int32) bool {
	switch op {
	case OpCreate, OpCreate2, OpCreateContainer, OpCreateTTL:
		d.skipBuffer()
		for n := d.int32(); n > 0 && !d.bad; n-- {
			d.skip(4) // permissions
			d.skipBuffer()
			d.skipBuffer()
		}
		d.skip(4) // flags
		if op == OpCreateTTL {
			d.skip(8)
		}
	case OpSetData:
		d.skipBuffer()
		d.skip(4) // version
	case OpDelete, OpCheck:
		d.skip(4) // version
	case OpGetData, OpGetChildren:
		d.skip(1) // watch
	default:
		return false
	}
	return !d.bad
}
