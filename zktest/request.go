package zktest

import (
	"fmt"
	"time"

	"github.com/zookit/zookit/internal/jute"
)

// Request is one request as the server received it. Paths are the server's: a
// client's chroot is part of them.
type Request struct {
	Op      Op
	Path    string
	Session int64
	Xid     int32
	// Conn numbers the connections in the order in which they were accepted.
	Conn int
	Time time.Time
	// Version, Flags, Watch and Data are what the operation has of them. Data must
	// not be changed, and is not kept for [Server.Requests].
	Version int32
	Flags   int32
	Watch   bool
	Data    []byte
	// Multi holds the operations of a multi or multiRead, whose own Path is empty.
	Multi []Request
}

// newBody returns an empty record of the operation's body, or nil for an operation
// that the server does not know. ok is true with no record for one without a body.
func newBody(op jute.Op) (body jute.Record, ok bool) {
	switch op {
	case jute.OpCreate, jute.OpCreate2, jute.OpCreateContainer:
		return &jute.CreateRequest{}, true
	case jute.OpCreateTTL:
		return &jute.CreateTTLRequest{}, true
	case jute.OpDelete, jute.OpCheck:
		return &jute.PathVersionRequest{}, true
	case jute.OpExists, jute.OpGetData, jute.OpGetChildren, jute.OpGetChildren2:
		return &jute.PathWatchRequest{}, true
	case jute.OpSetData:
		return &jute.SetDataRequest{}, true
	case jute.OpGetACL, jute.OpSync:
		return &jute.PathRequest{}, true
	case jute.OpSetACL:
		return &jute.SetACLRequest{}, true
	case jute.OpMulti, jute.OpMultiRead:
		return &jute.MultiRequest{}, true
	case jute.OpCheckWatches, jute.OpRemoveWatches:
		return &jute.PathTypeRequest{}, true
	case jute.OpAuth:
		return &jute.AuthRequest{}, true
	case jute.OpSetWatches:
		return &jute.SetWatchesRequest{}, true
	case jute.OpPing, jute.OpCloseSession, jute.OpReconfig:
		return nil, true
	default:
		return nil, false
	}
}

// describe fills in what a body says.
func (r *Request) describe(body jute.Record) {
	switch b := body.(type) {
	case *jute.CreateRequest:
		r.Path, r.Data, r.Flags = b.Path, b.Data, b.Flags
	case *jute.CreateTTLRequest:
		r.Path, r.Data, r.Flags = b.Path, b.Data, b.Flags
	case *jute.PathVersionRequest:
		r.Path, r.Version = b.Path, b.Version
	case *jute.PathWatchRequest:
		r.Path, r.Watch = b.Path, b.Watch
	case *jute.SetDataRequest:
		r.Path, r.Data, r.Version = b.Path, b.Data, b.Version
	case *jute.PathRequest:
		r.Path = b.Path
	case *jute.SetACLRequest:
		r.Path, r.Version = b.Path, b.Version
	case *jute.PathTypeRequest:
		r.Path = b.Path
	case *jute.MultiRequest:
		for _, op := range b.Ops {
			sub := Request{Op: Op(op.Op), Session: r.Session, Xid: r.Xid, Conn: r.Conn, Time: r.Time}
			sub.describe(op.Body)
			r.Multi = append(r.Multi, sub)
		}
	}
}

// result is the outcome of one request: a code with or without a body.
type result struct {
	code jute.Code
	body jute.Record
	last bool // the server hangs up after this answer
}

// request executes one frame after the handshake. last is true when the connection
// takes no more requests.
func (c *conn) request(buf []byte) (last bool, err error) {
	d := jute.NewDecoder(buf)
	var h jute.RequestHeader
	h.Decode(d)
	if d.Err() != nil {
		return false, fmt.Errorf("request header: %w", d.Err())
	}
	body, known := newBody(h.Op)
	if body != nil {
		body.Decode(d)
	}
	if !c.s.lockThawed(c) {
		return false, errCut
	}
	r := Request{Op: Op(h.Op), Session: c.who.session, Xid: h.Xid, Conn: c.id, Time: time.Now()}
	hook := c.s.hook
	c.s.mu.Unlock()
	if d.Err() == nil && body != nil {
		r.describe(body)
	}
	if hook != nil {
		hook(r)
		r.Time = time.Now()
	}
	if !c.s.lockThawed(c) {
		return false, errCut
	}
	defer c.s.mu.Unlock()
	c.s.touch(c.session)
	c.s.record(r)
	f := c.s.match(r)
	if f != nil && f.kind == faultDrop {
		c.s.cut(c)
		f.fire(r)
		return false, errCut
	}
	var res result
	switch {
	case f != nil && f.kind == faultFail:
		c.s.spend(h.Op)
		res = result{code: jute.Code(f.code)}
	case d.Err() != nil:
		c.s.log.Warn("zktest: request cannot be read", "conn", c.id, "op", h.Op, "err", d.Err())
		c.s.spend(h.Op)
		res = result{code: jute.MarshallingError}
	case !known:
		c.s.log.Warn("zktest: operation is not implemented", "conn", c.id, "op", h.Op)
		res = result{code: jute.Unimplemented, last: true}
	default:
		res = c.s.execute(c, h.Op, body)
	}
	c.answer(h, res, f, r)
	return res.last, nil
}

// spend uses up the zxid of a write that fails before it is a transaction.
func (s *Server) spend(op jute.Op) {
	if op.Commits() || op == jute.OpCheck {
		s.tree.zxid++
	}
}

// answer queues the reply, or does with it what a fault says. The mutex is held.
func (c *conn) answer(h jute.RequestHeader, res result, f *Fault, r Request) {
	head := &jute.ReplyHeader{Xid: h.Xid, Zxid: c.s.tree.zxid, Err: res.code}
	switch {
	case h.Op == jute.OpPing:
		head.Xid = jute.XidPing
	case h.Op == jute.OpAuth:
		head.Zxid = 0
	case res.last && res.code == jute.Unimplemented:
		head.Zxid = -1
	}
	o := outgoing{last: res.last}
	if res.code == jute.OK {
		o.frame = frame(head, res.body)
	} else {
		o.frame = frame(head)
	}
	c.deliver(o, f, r)
}

// deliver queues a frame, or does with it what a fault says. The mutex is held.
func (c *conn) deliver(o outgoing, f *Fault, r Request) {
	switch {
	case f != nil && f.kind == faultSwallow:
		c.s.cut(c)
	case f != nil && f.kind == faultHold:
		o.held = f
		f.conn = c
		c.push(o)
	default:
		c.push(o)
	}
	if f != nil {
		f.fire(r)
	}
}

// connect executes the handshake.
func (c *conn) connect(buf []byte) (last bool, err error) {
	d := jute.NewDecoder(buf)
	var req jute.ConnectRequest
	req.Decode(d)
	if d.Err() != nil {
		return false, fmt.Errorf("handshake: %w", d.Err())
	}
	if !c.s.lockThawed(c) {
		return false, errCut
	}
	r := Request{Op: OpConnect, Session: req.SessionID, Conn: c.id, Time: time.Now()}
	hook := c.s.hook
	c.s.mu.Unlock()
	if hook != nil {
		hook(r)
		r.Time = time.Now()
	}
	if !c.s.lockThawed(c) {
		return false, errCut
	}
	defer c.s.mu.Unlock()
	c.s.record(r)
	f := c.s.match(r)
	if f != nil && f.kind == faultDrop {
		c.s.cut(c)
		f.fire(r)
		return false, errCut
	}
	resp := refusal(&req)
	if f == nil || f.kind != faultFail {
		var ok bool
		if resp, ok = c.s.handshake(c, &req); !ok {
			c.s.cut(c)
			return false, errCut
		}
	}
	last = resp.SessionID == 0
	c.deliver(outgoing{frame: frame(resp), last: last}, f, r)
	return last, nil
}
