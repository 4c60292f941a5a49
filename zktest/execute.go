package zktest

import (
	"strings"

	"github.com/zookit/zookit/internal/jute"
)

// execute runs one request. The mutex is held.
func (s *Server) execute(c *conn, op jute.Op, body jute.Record) result {
	switch op {
	case jute.OpPing:
		return result{}
	case jute.OpCloseSession:
		s.endSession(c.session, c)
		return result{last: true}
	case jute.OpAuth:
		r := body.(*jute.AuthRequest)
		if !c.who.authenticate(r.Scheme, r.Auth, s.opts.super) {
			c.log().Warn("zktest: authentication failed", "scheme", r.Scheme[:min(len(r.Scheme), 32)])
			return result{code: jute.AuthFailed, last: true}
		}
		return result{}
	case jute.OpMulti:
		return s.multi(c, body.(*jute.MultiRequest))
	case jute.OpMultiRead:
		return s.multiRead(c, body.(*jute.MultiRequest))
	case jute.OpExists, jute.OpGetData, jute.OpGetChildren, jute.OpGetChildren2:
		r := body.(*jute.PathWatchRequest)
		return s.read(c, op, r.Path, r.Watch)
	case jute.OpGetACL:
		return s.getACL(c, body.(*jute.PathRequest).Path)
	case jute.OpSync:
		return result{body: &jute.PathReply{Path: body.(*jute.PathRequest).Path}}
	case jute.OpSetWatches:
		s.setWatches(c, body.(*jute.SetWatchesRequest))
		return result{}
	case jute.OpSetWatches2:
		s.setWatches2(c, body.(*jute.SetWatches2Request))
		return result{}
	case jute.OpAddWatch:
		r := body.(*jute.PathTypeRequest)
		return s.addWatch(c, r.Path, r.Type)
	case jute.OpCheckWatches, jute.OpRemoveWatches:
		r := body.(*jute.PathTypeRequest)
		return result{code: s.hasWatch(c, r.Path, r.Type, op == jute.OpRemoveWatches)}
	case jute.OpGetEphemerals:
		return s.getEphemerals(c, body.(*jute.PathRequest).Path)
	case jute.OpGetAllChildrenNumber:
		return s.countBelow(c, body.(*jute.PathRequest).Path)
	case jute.OpWhoAmI:
		return c.who.whoAmI()
	case jute.OpReconfig:
		return s.reconfig(c, body.(*jute.ReconfigRequest))
	default:
		return s.write(c, op, body)
	}
}

// write runs an operation that is a transaction by itself.
func (s *Server) write(c *conn, op jute.Op, body jute.Record) (res result) {
	res.code = s.transact(&c.who, func(x *txn) jute.Code {
		var code jute.Code
		var stat jute.Stat
		switch r := body.(type) {
		case *jute.CreateRequest:
			var path string
			path, code = x.create(op, r, -1)
			res.body = s.created(op, path)
		case *jute.CreateTTLRequest:
			var path string
			path, code = x.create(op, &r.CreateRequest, r.TTLMillis)
			res.body = s.created(op, path)
		case *jute.SetDataRequest:
			stat, code = x.set(r.Path, r.Data, r.Version)
			res.body = &stat
		case *jute.SetACLRequest:
			stat, code = x.setACL(r.Path, r.ACL, r.Version)
			res.body = &stat
		case *jute.PathVersionRequest:
			if op == jute.OpCheck {
				code = x.check(r.Path, r.Version)
			} else {
				code = x.delete(r.Path, r.Version)
			}
		}
		return code
	})
	return res
}

func (s *Server) created(op jute.Op, path string) jute.Record {
	n := s.tree.nodes[path]
	if n == nil {
		return nil
	}
	if op == jute.OpCreate {
		return &jute.PathReply{Path: path}
	}
	return &jute.Create2Reply{Path: path, Stat: n.visible()}
}

// read runs exists, getData, getChildren or getChildren2. A watch is left only by a
// read that succeeds, except that exists also leaves one on a node that is not there.
func (s *Server) read(c *conn, op jute.Op, path string, watch bool) result {
	n := c.door.view().find(path)
	kind := dataWatch
	if op == jute.OpGetChildren || op == jute.OpGetChildren2 {
		kind = childWatch
	}
	switch {
	case op == jute.OpExists && strings.IndexByte(path, 0) >= 0:
		return result{code: jute.BadArguments}
	case n == nil && op != jute.OpExists:
		return result{code: jute.NoNode}
	case op != jute.OpExists && !c.who.may(n.acl, permRead):
		return result{code: jute.NoAuth}
	}
	if watch {
		c.door.watches.add(c, kind, path, oneShot)
	}
	if n == nil {
		return result{code: jute.NoNode}
	}
	switch op {
	case jute.OpExists:
		stat := n.visible()
		return result{body: &stat}
	case jute.OpGetData:
		return result{body: &jute.DataReply{Data: n.data, Stat: n.visible()}}
	case jute.OpGetChildren:
		return result{body: &jute.ChildrenReply{Children: n.names()}}
	default:
		return result{body: &jute.Children2Reply{Children: n.names(), Stat: n.visible()}}
	}
}

func (s *Server) getACL(c *conn, path string) result {
	n := c.door.view().find(path)
	switch {
	case n == nil:
		return result{code: jute.NoNode}
	case !c.who.may(n.acl, permRead|permAdmin):
		return result{code: jute.NoAuth}
	}
	acl := n.acl
	if !c.who.may(n.acl, permAdmin) {
		acl = maskDigests(acl)
	}
	return result{body: &jute.ACLReply{ACL: acl, Stat: n.visible()}}
}
