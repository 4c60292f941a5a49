package conformance

import (
	"encoding/binary"
	"io"
	"net"
	"time"

	"github.com/zookit/zookit/internal/jute"
)

// patience is how long a server may take for an answer.
const patience = 30 * time.Second

// voice is one connection.
type voice struct {
	nc  net.Conn
	xid int32
	at  *jute.ConnectResponse
}

// frame encodes records as one frame.
func frame(records ...jute.Record) []byte {
	e := jute.Encoder{B: make([]byte, 4)}
	for _, r := range records {
		if r != nil {
			r.Encode(&e)
		}
	}
	binary.BigEndian.PutUint32(e.B, uint32(len(e.B)-4))
	return e.B
}

// write sends records as one frame. A failure shows when the answer is read.
func (v *voice) write(records ...jute.Record) { v.send(frame(records...)) }

func (v *voice) send(frames []byte) {
	_ = v.nc.SetDeadline(time.Now().Add(patience))
	_, _ = v.nc.Write(frames)
}

// read returns the next frame.
func (v *voice) read() ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(v.nc, head[:]); err != nil {
		return nil, err
	}
	buf := make([]byte, binary.BigEndian.Uint32(head[:]))
	_, err := io.ReadFull(v.nc, buf)
	return buf, err
}

// hangUp ends the connection without a word, and returns when the server has seen it.
func (v *voice) hangUp() {
	_ = v.nc.SetDeadline(time.Now().Add(patience))
	if half, ok := v.nc.(*net.TCPConn); ok && half.CloseWrite() == nil {
		_, _ = io.Copy(io.Discard, v.nc)
	}
	_ = v.nc.Close()
}
