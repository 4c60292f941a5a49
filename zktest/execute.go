package zktest

import "github.com/zookit/zookit/internal/jute"

// execute runs one request. The mutex is held.
func (s *Server) execute(c *conn, op jute.Op, body jute.Record) result {
	switch op {
	case jute.OpPing:
		return result{}
	case jute.OpCloseSession:
		s.endSession(c.session)
		return result{last: true}
	case jute.OpAuth:
		r := body.(*jute.AuthRequest)
		if !c.who.authenticate(r.Scheme, r.Auth) {
			s.log.Warn("zktest: authentication failed", "conn", c.id, "scheme", r.Scheme)
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
	case jute.OpCheckWatches, jute.OpRemoveWatches:
		r := body.(*jute.PathTypeRequest)
		return result{code: s.hasWatch(c, r.Path, r.Type, op == jute.OpRemoveWatches)}
	case jute.OpReconfig:
		s.tree.zxid++
		return result{code: jute.ReconfigDisabled}
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
	n := s.tree.find(path)
	kind := dataWatch
	if op == jute.OpGetChildren || op == jute.OpGetChildren2 {
		kind = childWatch
	}
	switch {
	case n == nil && op != jute.OpExists:
		return result{code: jute.NoNode}
	case op != jute.OpExists && !c.who.may(n.acl, permRead):
		return result{code: jute.NoAuth}
	}
	if watch {
		s.watches.add(c, kind, path)
	}
	if n == nil {
		return result{code: jute.NoNode}
	}
	stat := n.visible()
	switch op {
	case jute.OpExists:
		return result{body: &stat}
	case jute.OpGetData:
		return result{body: &jute.DataReply{Data: n.data, Stat: stat}}
	case jute.OpGetChildren:
		return result{body: &jute.ChildrenReply{Children: n.names()}}
	default:
		return result{body: &jute.Children2Reply{Children: n.names(), Stat: stat}}
	}
}

func (s *Server) getACL(c *conn, path string) result {
	n := s.tree.find(path)
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

// setWatches sets the watches of a client that has connected again. Those whose node
// changed while it was away fire at once, before the reply.
func (s *Server) setWatches(c *conn, r *jute.SetWatchesRequest) {
	for _, path := range r.Data {
		switch n := s.tree.find(path); {
		case n == nil:
			c.notify(event{kind: jute.EventNodeDeleted, path: path})
		case n.stat.Mzxid > r.RelativeZxid:
			c.notify(event{kind: jute.EventNodeDataChanged, path: path})
		default:
			s.watches.add(c, dataWatch, path)
		}
	}
	for _, path := range r.Exist {
		if s.tree.find(path) != nil {
			c.notify(event{kind: jute.EventNodeCreated, path: path})
		} else {
			s.watches.add(c, dataWatch, path)
		}
	}
	for _, path := range r.Child {
		switch n := s.tree.find(path); {
		case n == nil:
			c.notify(event{kind: jute.EventNodeDeleted, path: path})
		case n.stat.Pzxid > r.RelativeZxid:
			c.notify(event{kind: jute.EventNodeChildrenChanged, path: path})
		default:
			s.watches.add(c, childWatch, path)
		}
	}
}

// hasWatch looks for the connection's own watches of a kind, and takes them away if asked to.
func (s *Server) hasWatch(c *conn, path string, kind int32, remove bool) jute.Code {
	var kinds []watchKind
	switch kind {
	case jute.WatchChildren:
		kinds = []watchKind{childWatch}
	case jute.WatchData:
		kinds = []watchKind{dataWatch}
	case jute.WatchAny:
		kinds = []watchKind{childWatch, dataWatch}
	default:
		return jute.MarshallingError
	}
	found := false
	for _, k := range kinds {
		if remove {
			found = s.watches.remove(c, k, path) || found
		} else {
			found = s.watches.has(c, k, path) || found
		}
	}
	if !found {
		return jute.NoWatcher
	}
	return jute.OK
}
