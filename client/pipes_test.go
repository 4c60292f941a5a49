package client_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"maps"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/internal/jute"
)

// pipes is a ZooKeeper of a few lines whose connections are pipes. It is for tests in
// a bubble of testing/synctest, where the sockets of zktest would stop the clock. It
// has no tree: everything that is asked for is granted, unless its fields, which may
// be changed through set, say otherwise.
type pipes struct {
	mu       sync.Mutex
	wg       sync.WaitGroup
	conns    map[*pipe]struct{}
	accepted int
	sessions int64
	zxid     int64
	log      []frame
	asked    []frame // by the word isro

	// dial, if set, decides about a connection.
	dial func(ctx context.Context, addr string) error
	// greet, if set, decides about a handshake: false closes the connection without an answer.
	greet func(*jute.ConnectRequest) bool
	// expired, if set, tells which sessions the servers do not have any more.
	expired func(session int64) bool
	// readOnly, if set, tells of which addresses the servers are in read-only mode: they
	// take who asks for that, and make sessions that no other server knows. If they are
	// adopting they take those of the quorum as well.
	readOnly func(addr string) bool
	adopting bool
	local    map[int64]bool
	// answer, if set, decides what becomes of a request; the handshake is none.
	answer func(frame) reaction
}

// frame is what has arrived at the servers. session is the one asked for in a
// handshake, then that of the connection.
type frame struct {
	at      time.Time
	addr    string
	conn    int // from 1
	op      jute.Op
	session int64
	body    []byte
}

// reaction is what a server does upon a request.
type reaction struct {
	ignore bool
	hangUp bool
	code   jute.Code
	body   jute.Record
	after  time.Duration // the answer takes this long
}

type pipe struct {
	net.Conn
	addr    string
	id      int
	stalled bool // a request was ignored: those behind it, pings included, are not answered either
}

var errHangUp = errors.New("the server hangs up")

// newPipes makes servers that end with the test.
func newPipes(t testing.TB) *pipes {
	p := &pipes{conns: map[*pipe]struct{}{}, local: map[int64]bool{}, zxid: 1 << 32}
	t.Cleanup(func() {
		p.cut()
		p.wg.Wait()
	})
	return p
}

// connect opens a client of the servers, which is closed when the test ends.
func (p *pipes) connect(t testing.TB, servers string, opts ...client.Option) *client.Client {
	t.Helper()
	cl, err := client.Connect(t.Context(), servers, append([]client.Option{client.WithDialer(p.Dial)}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = cl.Close() })
	return cl
}

// set changes how the servers behave from now on.
func (p *pipes) set(change func(*pipes)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
}

// mute makes the servers read everything and answer nothing, or ends that.
func (p *pipes) mute(on bool) {
	p.set(func(p *pipes) {
		p.answer = nil
		if on {
			p.answer = func(frame) reaction { return reaction{ignore: true} }
			p.dial = func(ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() }
		} else {
			p.dial = nil
		}
	})
}

// cut closes all connections.
func (p *pipes) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		_ = c.Close()
	}
}

// seen lists the frames of some operations, of which OpConnect stands for handshakes;
// without arguments all that are an operation of the client's user.
func (p *pipes) seen(ops ...jute.Op) []frame {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []frame
	for _, f := range p.log {
		own := f.op == jute.OpConnect || f.op == jute.OpPing || f.op == jute.OpCloseSession
		if len(ops) == 0 && !own || slices.Contains(ops, f.op) {
			out = append(out, f)
		}
	}
	return out
}

// event sends a watch event over all connections.
func (p *pipes) event(kind int32, path string) {
	p.mu.Lock()
	conns := slices.Collect(maps.Keys(p.conns))
	p.mu.Unlock()
	for _, c := range conns {
		c.write(&jute.ReplyHeader{Xid: jute.XidNotification, Zxid: -1}, &jute.WatcherEvent{Type: kind, State: 3, Path: path})
	}
}

// Dial is for [client.WithDialer].
func (p *pipes) Dial(ctx context.Context, _, addr string) (net.Conn, error) {
	p.mu.Lock()
	dial := p.dial
	p.mu.Unlock()
	if dial != nil {
		if err := dial(ctx, addr); err != nil {
			return nil, err
		}
	}
	near, far := net.Pipe()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.accepted++
	c := &pipe{Conn: far, addr: addr, id: p.accepted}
	p.conns[c] = struct{}{}
	p.wg.Go(func() {
		_ = p.serve(c)
		_ = c.Close()
		p.mu.Lock()
		delete(p.conns, c)
		p.mu.Unlock()
	})
	return &dialled{Conn: near, to: addr}, nil
}

// dialled is the client's end of a pipe.
type dialled struct {
	net.Conn
	to string
}

type pipeAddr string

// Network implements net.Addr.
func (pipeAddr) Network() string { return "pipe" }

// String implements net.Addr.
func (a pipeAddr) String() string { return string(a) }

// RemoteAddr implements net.Conn.
func (d *dialled) RemoteAddr() net.Addr { return pipeAddr(d.to) }

func (p *pipes) serve(c *pipe) error {
	var word [4]byte
	if _, err := io.ReadFull(c, word[:]); err != nil {
		return err
	}
	ro := p.isReadOnly(c.addr)
	if string(word[:]) == "isro" {
		p.mu.Lock()
		p.asked = append(p.asked, frame{at: time.Now(), addr: c.addr, conn: c.id})
		p.mu.Unlock()
		_, err := io.WriteString(c, map[bool]string{true: "ro", false: "rw"}[ro])
		return err
	}
	buf := make([]byte, binary.BigEndian.Uint32(word[:]))
	if _, err := io.ReadFull(c, buf); err != nil {
		return err
	}
	var hello jute.ConnectRequest
	hello.Decode(jute.NewDecoder(buf))
	p.mu.Lock()
	p.log = append(p.log, frame{at: time.Now(), addr: c.addr, conn: c.id, op: jute.OpConnect, session: hello.SessionID})
	greet, expired, local := p.greet, p.expired, p.local[hello.SessionID]
	p.mu.Unlock()
	if ro && (!hello.ReadOnly || hello.SessionID != 0 && !local && !p.adopting) {
		return errHangUp
	}
	if !ro && local {
		expired = p.isLocal
	}
	if greet != nil && !greet(&hello) {
		return errHangUp
	}
	id := hello.SessionID
	if id != 0 && expired != nil && expired(id) {
		c.write(&jute.ConnectResponse{Password: make([]byte, 16), OldServer: hello.OldClient})
		return errHangUp
	}
	if id == 0 {
		p.mu.Lock()
		p.sessions++
		p.zxid++
		id = p.sessions
		if ro {
			p.local[id] = true
		}
		p.mu.Unlock()
	}
	c.write(&jute.ConnectResponse{TimeoutMillis: hello.TimeoutMillis, SessionID: id, Password: make([]byte, 16), ReadOnly: ro, OldServer: hello.OldClient})
	for {
		buf, err := c.read()
		if err != nil {
			return err
		}
		if err := p.handle(c, buf, id); err != nil {
			return err
		}
	}
}

func (p *pipes) isReadOnly(addr string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.readOnly != nil && p.readOnly(addr)
}

// isro lists the questions whether a server is read-only.
func (p *pipes) isro() []frame {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.asked)
}

func (p *pipes) isLocal(session int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.local[session]
}

func (p *pipes) handle(c *pipe, buf []byte, session int64) error {
	var h jute.RequestHeader
	h.Decode(jute.NewDecoder(buf))
	f := frame{at: time.Now(), addr: c.addr, conn: c.id, op: h.Op, session: session, body: buf[8:]}
	p.mu.Lock()
	p.log = append(p.log, f)
	answer := p.answer
	p.mu.Unlock()
	var r reaction
	if answer != nil {
		r = answer(f)
	}
	time.Sleep(r.after) // the bubble's time
	switch {
	case r.hangUp:
		return errHangUp
	case r.ignore, c.stalled:
		c.stalled = true
		return nil
	}
	p.mu.Lock()
	if h.Op.Commits() {
		p.zxid++
	}
	zxid := p.zxid
	p.mu.Unlock()
	if h.Op == jute.OpPing {
		h.Xid = jute.XidPing
	}
	if r.body == nil && r.code == jute.OK {
		r.body = grant(f, zxid)
	}
	c.write(&jute.ReplyHeader{Xid: h.Xid, Zxid: zxid, Err: r.code}, r.body)
	return nil
}

// grant is the answer to a request that succeeds.
func grant(f frame, zxid int64) jute.Record {
	d := jute.NewDecoder(f.body)
	switch f.op {
	case jute.OpMulti:
		var r jute.MultiRequest
		r.Decode(d)
		reply := &jute.MultiReply{Results: make([]jute.MultiResult, len(r.Ops))}
		for i, op := range r.Ops {
			reply.Results[i].Op = op.Op
		}
		return reply
	case jute.OpCreate2:
		var r jute.CreateRequest
		r.Decode(d)
		return &jute.Create2Reply{Path: r.Path, Stat: jute.Stat{Czxid: zxid, EphemeralOwner: f.session}}
	case jute.OpGetData:
		return &jute.DataReply{Data: []byte("data"), Stat: jute.Stat{EphemeralOwner: f.session}}
	case jute.OpExists, jute.OpSetData:
		return &jute.Stat{}
	case jute.OpGetChildren2:
		return &jute.Children2Reply{}
	case jute.OpSync:
		return &jute.PathReply{Path: "/"}
	default:
		return nil
	}
}

func (c *pipe) read() ([]byte, error) {
	var n [4]byte
	if _, err := io.ReadFull(c, n[:]); err != nil {
		return nil, err
	}
	buf := make([]byte, binary.BigEndian.Uint32(n[:]))
	_, err := io.ReadFull(c, buf)
	return buf, err
}

// write sends one frame; a client that has hung up is noticed by the next read.
func (c *pipe) write(records ...jute.Record) {
	e := jute.Encoder{B: make([]byte, 4)}
	for _, r := range records {
		if r != nil {
			r.Encode(&e)
		}
	}
	binary.BigEndian.PutUint32(e.B, uint32(len(e.B)-4))
	_, _ = c.Write(e.B)
}
