package stage

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/zookit/zookit/internal/jute"
)

// EndSession ends a session at the servers, whose client is alive and well and hears of it from them: as if
// the leader had expired it. Any of the servers will do.
func (st *Stage) EndSession(ctx context.Context, server string, id int64) error {
	fail := func(err error) error { return fmt.Errorf("ending session %#x at %s: %w", uint64(id), server, err) }
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", server)
	if err != nil {
		return fail(err)
	}
	defer func() { _ = conn.Close() }()
	deadline := time.Now().Add(10 * time.Second)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	if err := conn.SetDeadline(deadline); err != nil {
		return fail(err)
	}
	timeout := int32(st.Session.Milliseconds())
	if err := send(conn, &jute.ConnectRequest{TimeoutMillis: timeout, SessionID: id, Password: password(id)}); err != nil {
		return fail(err)
	}
	reply, err := receive(conn)
	if err != nil {
		return fail(err)
	}
	var answer jute.ConnectResponse
	d := jute.NewDecoder(reply)
	answer.Decode(d)
	if answer.SessionID != id {
		return nil // it has ended already
	}
	if err := send(conn, &jute.RequestHeader{Xid: 1, Op: jute.OpCloseSession}); err != nil {
		return fail(err)
	}
	if _, err := receive(conn); err != nil {
		return fail(err)
	}
	return nil
}

func send(w io.Writer, r jute.Record) error {
	e := jute.Encoder{B: make([]byte, 4)}
	r.Encode(&e)
	binary.BigEndian.PutUint32(e.B, uint32(len(e.B)-4))
	_, err := w.Write(e.B)
	return err
}

func receive(r io.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	frame := make([]byte, binary.BigEndian.Uint32(head[:]))
	_, err := io.ReadFull(r, frame)
	return frame, err
}

// password is that of a session, which servers make of its id alone: the first bytes of java.util.Random, seeded
// with the id and a constant (ZooKeeperServer.generatePasswd).
func password(id int64) []byte {
	const (
		superSecret = 0xB3415C00
		multiplier  = 0x5DEECE66D
		mask        = 1<<48 - 1
	)
	seed := (uint64(id) ^ superSecret ^ multiplier) & mask
	out := make([]byte, 0, 16)
	for len(out) < 16 {
		seed = (seed*multiplier + 0xB) & mask
		out = binary.LittleEndian.AppendUint32(out, uint32(seed>>16))
	}
	return out
}
