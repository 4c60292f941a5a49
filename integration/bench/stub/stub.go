// Package stub is a server that costs next to nothing: it answers each request at once, from memory that it has
// laid out before, and keeps no data. What is measured against it is the client.
//
// It answers create, create2, exists, getData, setData, delete, getChildren2 and ping, all with success; a getData with as many bytes as it was made for.
package stub

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
)

// Operations of the protocol.
const (
	opCreate       = 1
	opDelete       = 2
	opExists       = 3
	opGetData      = 4
	opSetData      = 5
	opPing         = 11
	opGetChildren2 = 12
	opCreate2      = 15
	opClose        = -11
)

const (
	statSize  = 68
	replySize = 16 // xid, zxid, error
	sessionMS = 30_000
	// maxRequest bounds what a client may send.
	maxRequest = 4 << 20
)

// Server is a stub. Close it.
type Server struct {
	listener net.Listener
	size     int
	all      sync.WaitGroup

	mu     sync.Mutex
	closed bool
	conns  map[net.Conn]struct{}
}

// New is a server on a port of its own, whose nodes have so many bytes.
func New(size int) (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("stub: %w", err)
	}
	s := &Server{listener: l, size: size, conns: map[net.Conn]struct{}{}}
	s.all.Go(s.accept)
	return s, nil
}

// Addr is where clients reach it.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Close ends all connections and waits for their end.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	for c := range s.conns {
		_ = c.Close()
	}
	s.mu.Unlock()
	err := s.listener.Close()
	s.all.Wait()
	return err
}

func (s *Server) accept() {
	for session := int64(1); ; session++ {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.closed {
			_ = c.Close()
		}
		s.conns[c] = struct{}{}
		s.mu.Unlock()
		s.all.Go(func() {
			_ = s.serve(c, session)
			_ = c.Close()
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.conns, c)
		})
	}
}

// welcome is the answer to a handshake.
func welcome(session int64) []byte {
	b := binary.BigEndian.AppendUint32(nil, 0) // the protocol's version
	b = binary.BigEndian.AppendUint32(b, sessionMS)
	b = binary.BigEndian.AppendUint64(b, uint64(session)) //nolint:gosec // a number
	b = binary.BigEndian.AppendUint32(b, 16)
	b = append(b, make([]byte, 16)...) // the password
	return append(b, 0)                // not read-only
}

func (s *Server) serve(c net.Conn, session int64) error {
	in, out := bufio.NewReaderSize(c, 64<<10), bufio.NewWriterSize(c, 64<<10)
	request := make([]byte, 4096)
	next := func() ([]byte, error) {
		if _, err := io.ReadFull(in, request[:4]); err != nil {
			return nil, err
		}
		n := int(binary.BigEndian.Uint32(request[:4]))
		if n < 8 || n > maxRequest {
			return nil, fmt.Errorf("stub: a frame of %d bytes", n)
		}
		if n > len(request) {
			request = make([]byte, n)
		}
		_, err := io.ReadFull(in, request[:n])
		return request[:n], err
	}
	if _, err := next(); err != nil {
		return err
	}
	greeting := welcome(session)
	frame := binary.BigEndian.AppendUint32(nil, uint32(len(greeting))) //nolint:gosec // a length
	if _, err := out.Write(append(frame, greeting...)); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return err
	}
	data := make([]byte, 4+s.size+statSize)
	binary.BigEndian.PutUint32(data, uint32(s.size)) //nolint:gosec // a size
	reply := make([]byte, 0, 4+replySize+len(data))
	for zxid := uint64(1); ; zxid++ {
		body, err := next()
		if err != nil {
			return err
		}
		reply = append(reply[:0], 0, 0, 0, 0)
		reply = append(reply, body[:4]...)
		reply = binary.BigEndian.AppendUint64(reply, zxid)
		reply = append(reply, 0, 0, 0, 0)
		op := int32(binary.BigEndian.Uint32(body[4:])) //nolint:gosec // an operation
		reply = answer(reply, op, body[8:], data)
		binary.BigEndian.PutUint32(reply, uint32(len(reply)-4)) //nolint:gosec // a length
		if _, err := out.Write(reply); err != nil {
			return err
		}
		if in.Buffered() == 0 {
			if err := out.Flush(); err != nil {
				return err
			}
		}
		if op == opClose {
			return out.Flush()
		}
	}
}

// answer appends what follows the header of a reply.
func answer(reply []byte, op int32, body, data []byte) []byte {
	stat := data[len(data)-statSize:]
	switch op {
	case opGetData:
		return append(reply, data...)
	case opExists, opSetData:
		return append(reply, stat...)
	case opGetChildren2:
		return append(append(reply, 0, 0, 0, 0), stat...)
	case opCreate, opCreate2:
		if len(body) >= 4 {
			n := 4 + int(binary.BigEndian.Uint32(body))
			reply = append(reply, body[:min(n, len(body))]...) // the path
		}
		if op == opCreate2 {
			reply = append(reply, stat...)
		}
	case opDelete, opPing:
	}
	return reply
}
