package zktest

import (
	"bytes"
	"fmt"
	"time"

	"github.com/zookit/zookit/internal/jute"
)

// Request is one request as the server received it. Paths are the server's: a
// client's chroot is part of them.
type Request struct {
	// Op is the operation, and Path the node; there is none for a ping, say.
	Op   Op
	Path string
	// Session is the session of the connection; of a handshake the one that is to be taken up,
	// or 0.
	Session int64
	// Xid is the number that the client has given the request; of a handshake 0.
	Xid int32
	// Conn numbers the connections in the order in which they were accepted.
	Conn int
	// Door is the index of the door at which the request came in.
	Door int
	// Time is when it was about to be executed.
	Time time.Time
	// Version, Flags, Watch and Data are what the operation has of them; the mode of
	// addWatch and the type of removeWatches are Flags. Data must not be changed, and is
	// not kept for [Server.Requests].
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
	case jute.OpGetACL, jute.OpSync, jute.OpGetEphemerals, jute.OpGetAllChildrenNumber:
		return &jute.PathRequest{}, true
	case jute.OpSetACL:
		return &jute.SetACLRequest{}, true
	case jute.OpMulti, jute.OpMultiRead:
		return &jute.MultiRequest{}, true
	case jute.OpCheckWatches, jute.OpRemoveWatches, jute.OpAddWatch:
		return &jute.PathTypeRequest{}, true
	case jute.OpReconfig:
		return &jute.ReconfigRequest{}, true
	case jute.OpAuth:
		return &jute.AuthRequest{}, true
	case jute.OpSetWatches:
		return &jute.SetWatchesRequest{}, true
	case jute.OpSetWatches2:
		return &jute.SetWatches2Request{}, true
	case jute.OpPing, jute.OpCloseSession, jute.OpWhoAmI:
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
		r.Path, r.Flags = b.Path, b.Type
	case *jute.MultiRequest:
		for _, op := range b.Ops {
			sub := Request{Op: Op(op.Op), Session: r.Session, Xid: r.Xid, Conn: r.Conn, Door: r.Door, Time: r.Time}
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
	both bool // the body goes with the code
}

// keepsBytes tells whether the body of an operation goes on being used after the request.
func keepsBytes(op jute.Op) bool {
	switch op {
	case jute.OpCreate, jute.OpCreate2, jute.OpCreateContainer, jute.OpCreateTTL, jute.OpSetData, jute.OpMulti:
		return true
	default:
		return false
	}
}

// call is a request on its way to its reply.
type call struct {
	head       jute.RequestHeader
	body       jute.Record // nil for an operation that has none
	known      bool
	unreadable error // of the body
	fault      *Fault
	seen       Request // as observers see it
}

// request executes one frame after the handshake, which came from next. last is true when the
// connection takes no more requests.
func (c *conn) request(buf []byte) (last bool, err error) {
	d := &c.in
	*d = *jute.NewDecoder(buf)
	var q call
	q.head.Decode(d)
	if d.Err() != nil {
		return false, fmt.Errorf("request header: %w", d.Err())
	}
	if len(buf) <= inBuffer && keepsBytes(q.head.Op) {
		*d = *jute.NewDecoder(bytes.Clone(buf[len(buf)-d.Rest():]))
	}
	q.body, q.known = newBody(q.head.Op)
	if q.body != nil {
		q.body.Decode(d)
		q.unreadable = d.Err()
	}
	if !c.s.lockThawed(c) {
		return false, errCut
	}
	q.seen = Request{Op: Op(q.head.Op), Session: c.who.session, Xid: q.head.Xid, Conn: c.id, Door: c.door.index, Time: time.Now()}
	hook := c.s.hook
	c.s.mu.Unlock()
	if q.unreadable == nil && q.body != nil {
		q.seen.describe(q.body)
	}
	if hook != nil {
		hook(q.seen)
		q.seen.Time = time.Now()
	}
	if !c.s.lockServing(c, needsLeader(q.head.Op) || q.head.Op == jute.OpCloseSession) {
		return false, errCut
	}
	defer c.s.mu.Unlock()
	if c.door.rejoined == nil || c.session.local { // otherwise the leader does not hear of it
		c.s.touch(c.session)
	}
	c.s.record(q.seen)
	c.received++
	c.door.received++
	c.lastOp, c.lastXid = lastOp(q.head.Op), q.head.Xid
	q.fault = c.s.match(q.seen)
	switch {
	case q.fault != nil && q.fault.kind == faultDrop:
		c.s.cut(c)
		q.fault.fire(q.seen)
		return false, errCut
	case c.door.lag != nil:
		return c.requestBehind(q)
	}
	res := c.run(&q)
	c.answer(&q, res)
	return res.last, nil
}

// requestBehind executes a request at a door that lags: now, or when the door has caught up
// so far. The mutex is held.
func (c *conn) requestBehind(q call) (last bool, err error) {
	f := q.fault
	failed := f != nil && f.kind == faultFail || !q.known || q.unreadable != nil || c.door.readOnly
	committed := !failed && commits(q.head.Op)
	switch {
	case committed || q.head.Op == jute.OpAuth:
		res := c.run(&q)
		return res.last, c.putOff(committed, f, q.seen, func() { c.answer(&q, res) })
	default:
		return !q.known, c.putOff(false, f, q.seen, func() { c.answer(&q, c.run(&q)) })
	}
}

// commits tells whether a follower waits for the leader's word on an operation.
func commits(op jute.Op) bool {
	return op.Commits() || op == jute.OpCheck || op == jute.OpSync || op == jute.OpCloseSession
}

// putOff is wait for a request with a fault or without. A reply that is to be swallowed is
// not waited for. The mutex is held.
func (c *conn) putOff(committed bool, f *Fault, r Request, say func()) error {
	if f != nil {
		if f.kind == faultSwallow {
			c.s.cut(c)
		}
		f.conn = c
		f.fire(r)
	}
	if c.dead {
		return errCut
	}
	c.wait(committed, say)
	return nil
}

// run executes a request, unless something is wrong with it. The mutex is held.
func (c *conn) run(q *call) result {
	op := q.head.Op
	switch {
	case q.fault != nil && q.fault.kind == faultFail:
		c.spend(op)
		return result{code: jute.Code(q.fault.code)}
	case c.door.readOnly && needsLeader(op):
		return result{code: jute.NotReadOnly}
	case q.unreadable != nil:
		c.log().Warn("zktest: request cannot be read", "op", op, "err", q.unreadable)
		if op != jute.OpReconfig { // which is read before it gets a zxid
			c.spend(op)
		}
		return result{code: jute.MarshallingError}
	case !q.known:
		c.log().Warn("zktest: operation is not implemented", "op", op)
		return result{code: jute.Unimplemented, last: true}
	case !c.owns() && (op.Commits() || op == jute.OpCheck):
		// SessionMoved: a real server answers it by hanging up, behind the earlier replies.
		c.spend(op)
		return result{code: jute.SessionMoved, last: true}
	default:
		return c.s.execute(c, op, q.body)
	}
}

// owns tells whether the session is alive, and at the connection's door.
func (c *conn) owns() bool {
	return c.session.door == c.door && c.s.sessions[c.session.id] == c.session
}

// spend uses up the zxid of a write that fails before it is a transaction.
func (c *conn) spend(op jute.Op) {
	if !c.door.readOnly && (op.Commits() || op == jute.OpCheck) {
		c.s.tree.zxid++
	}
}

// answer queues the reply, or does with it what a fault says. The mutex is held.
func (c *conn) answer(q *call, res result) {
	head := jute.ReplyHeader{Xid: q.head.Xid, Zxid: c.door.view().zxid, Err: res.code}
	switch {
	case q.head.Op == jute.OpPing:
		head.Xid = jute.XidPing
	case q.head.Op == jute.OpAuth:
		head.Zxid = 0
	case res.last && res.code == jute.Unimplemented:
		head.Zxid = -1
	}
	c.lastZxid = c.door.view().zxid
	o := outgoing{last: res.last}
	switch {
	case res.code == jute.OK || res.both:
		o.frames = c.s.framer.reply(head, res.body)
	case res.last && res.code == jute.SessionMoved:
	default:
		o.frames = c.s.framer.reply(head, nil)
	}
	c.deliver(o, q.fault, q.seen)
}

// deliver queues a frame, or does with it what a fault says. The mutex is held.
func (c *conn) deliver(o outgoing, f *Fault, r Request) {
	switch {
	case f != nil && f.kind == faultSwallow:
		c.s.cut(c)
	case f != nil && (f.kind == faultHold || f.kind == faultDelay && f.delay > 0):
		if !f.let {
			o.held = f
		}
		f.conn = c
		c.push(o)
		if f.kind == faultDelay {
			c.later = append(c.later, time.AfterFunc(f.delay, f.release))
		}
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
	r := Request{Op: OpConnect, Session: req.SessionID, Conn: c.id, Door: c.door.index, Time: time.Now()}
	hook := c.s.hook
	c.s.mu.Unlock()
	if hook != nil {
		hook(r)
		r.Time = time.Now()
	}
	if !c.s.lockServing(c, true) {
		return false, errCut
	}
	defer c.s.mu.Unlock()
	c.s.record(r)
	c.received++
	c.door.received++
	c.lastOp = "SESS"
	f := c.s.match(r)
	if f != nil && f.kind == faultDrop {
		c.s.cut(c)
		f.fire(r)
		return false, errCut
	}
	var answer jute.Record = refusal(&req)
	if f == nil || f.kind != faultFail {
		var ok bool
		if answer, ok = c.s.handshake(c, &req); !ok {
			c.s.cut(c)
			if f != nil {
				f.fire(r)
			}
			return false, errCut
		}
	}
	last = c.session == nil && !c.ignored
	say := func() { c.deliver(outgoing{frames: c.s.framer.handshake(answer), last: last}, f, r) }
	if c.door.lag != nil {
		opened := req.SessionID == 0 && c.session != nil && !c.session.local
		return last, c.putOff(opened, f, r, say)
	}
	say()
	return last, nil
}
