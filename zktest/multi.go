package zktest

import "github.com/zookit/zookit/internal/jute"

// multiOp returns the operation that the real server makes of a create within a
// multi: it looks at the flags, not at the number that the client sent.
func multiOp(op jute.Op, flags int32) jute.Op {
	switch {
	case flags == jute.FlagContainer:
		return jute.OpCreateContainer
	case flags == jute.FlagPersistentTTL || flags == jute.FlagPersistentSequentialTTL:
		return jute.OpCreateTTL
	case op == jute.OpCreateTTL, op == jute.OpCreate2, op == jute.OpCreateContainer:
		return jute.OpCreate
	default:
		return op
	}
}

// multi runs a transaction of several operations: all of them or none. The reply's
// code is OK also when it fails; the operations' results tell.
func (s *Server) multi(c *conn, r *jute.MultiRequest) result {
	for _, op := range r.Ops {
		if _, read := op.Body.(*jute.PathWatchRequest); read {
			s.tree.zxid++
			return result{code: jute.MarshallingError}
		}
	}
	reply := &jute.MultiReply{Results: make([]jute.MultiResult, len(r.Ops))}
	failed, unfit := -1, false
	code := s.transact(&c.who, func(x *txn) jute.Code {
		for i, op := range r.Ops {
			// The time to live is missing. It is missed only if nothing before has failed.
			if create, ok := op.Body.(*jute.CreateRequest); ok && multiOp(op.Op, create.Flags) == jute.OpCreateTTL {
				unfit = true
				return jute.MarshallingError
			}
			if code := s.multiStep(x, op, &reply.Results[i]); code != jute.OK {
				failed = i
				return code
			}
		}
		return jute.OK
	})
	if unfit {
		return result{code: code}
	}
	if failed >= 0 {
		for i := range reply.Results {
			res := jute.MultiResult{Op: jute.OpError}
			switch {
			case i == failed:
				res.Err = code
			case i > failed:
				res.Err = jute.RuntimeInconsistency
			}
			reply.Results[i] = res
		}
	}
	return result{body: reply}
}

func (s *Server) multiStep(x *txn, op jute.MultiOp, res *jute.MultiResult) (code jute.Code) {
	res.Op = op.Op
	create := func(r *jute.CreateRequest, ttl int64) {
		kind := multiOp(op.Op, r.Flags)
		if kind != jute.OpCreateTTL {
			ttl = -1
		}
		if res.Path, code = x.create(kind, r, ttl); code != jute.OK {
			return
		}
		res.Op = jute.OpCreate
		if kind != jute.OpCreate {
			res.Op = jute.OpCreate2 // whose result has a stat
			res.Stat = s.tree.nodes[res.Path].visible()
		}
	}
	switch r := op.Body.(type) {
	case *jute.CreateRequest:
		create(r, -1)
	case *jute.CreateTTLRequest:
		create(&r.CreateRequest, r.TTLMillis)
	case *jute.SetDataRequest:
		res.Stat, code = x.set(r.Path, r.Data, r.Version)
	case *jute.PathVersionRequest:
		if op.Op == jute.OpCheck {
			code = x.check(r.Path, r.Version)
		} else {
			code = x.delete(r.Path, r.Version)
		}
	}
	return code
}

// multiRead runs several reads, each with its own code.
func (s *Server) multiRead(c *conn, r *jute.MultiRequest) result {
	reply := &jute.MultiReply{}
	writes := 0
	for _, op := range r.Ops {
		if _, ok := op.Body.(*jute.PathWatchRequest); !ok {
			writes++
		}
	}
	if writes > 0 {
		// A mixture cannot be read; the first of nothing but writes fails with no results before it.
		return result{code: jute.MarshallingError, body: reply, both: writes == len(r.Ops)}
	}
	for _, op := range r.Ops {
		read := op.Body.(*jute.PathWatchRequest)
		one := s.read(c, op.Op, read.Path, false)
		res := jute.MultiResult{Op: op.Op}
		switch b := one.body.(type) {
		case *jute.DataReply:
			res.Data, res.Stat = b.Data, b.Stat
		case *jute.ChildrenReply:
			res.Children = b.Children
		default:
			res = jute.MultiResult{Op: jute.OpError, Err: one.code}
		}
		reply.Results = append(reply.Results, res)
	}
	return result{body: reply}
}
