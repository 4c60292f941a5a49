package zktest

import (
	"fmt"
	"strings"

	"github.com/zookit/zookit/internal/jute"
)

const configNode = "/zookeeper/config"

// OwnAddr stands for the server's own address in the lines of [WithReconfig].
const OwnAddr = "{addr}"

// firstConfig is the version of a configuration that has never been changed; later ones
// have the transaction's number in the same epoch.
const firstConfig = 1 << 32

// ensemble is the configuration that the server shows and changes. There are no other
// servers behind it.
type ensemble struct {
	members members
	version int64
	synced  map[int64]bool
}

// WithReconfig switches reconfig on, and makes the server show the configuration of an
// ensemble of these servers, as lines like "server.1=host:2888:3888:participant;host:2181":
// two participants at least. [OwnAddr] behind the semicolon is the server's own address.
// There are no other servers: the node /zookeeper/config says so, and reconfig changes it as
// on a real server, with its checks in their order. By default nobody may write the node
// but the user of [WithSuperUser].
func WithReconfig(servers ...string) Option {
	return func(o *options) error {
		o.members = members{}
		for _, line := range servers {
			id, m, code := parseMember(strings.Replace(line, ";"+OwnAddr, ";1", 1))
			if code != jute.OK || m.client == "" {
				return fmt.Errorf("server %q: want server.ID=host:port:port[:role];[host:]port", line)
			}
			if _, twice := o.members[id]; twice {
				return fmt.Errorf("server %q: there is a server of that number already", line)
			}
			if strings.HasSuffix(line, ";"+OwnAddr) {
				m.client = OwnAddr
			}
			o.members[id] = m
		}
		if all, _ := o.members.voters(nil); all < 2 {
			return fmt.Errorf("%d participants: an ensemble that can be changed has two at least", all)
		}
		return nil
	}
}

// WithSuperUser lets those who authenticate with the scheme digest and this user and
// password do everything (superDigest). Without it there is no super user.
func WithSuperUser(user, password string) Option {
	return func(o *options) error {
		if user == "" || strings.Contains(user, ":") {
			return fmt.Errorf("super user %q: a name without a colon is needed", user)
		}
		o.super = digestID(user + ":" + password)
		return nil
	}
}

// newEnsemble returns the configuration that a server begins with, or nil.
func newEnsemble(o options, addr string) *ensemble {
	if o.members == nil {
		return nil
	}
	e := &ensemble{members: members{}, version: firstConfig, synced: map[int64]bool{}}
	for id, m := range o.members {
		if m.client == OwnAddr {
			m.client = addr
		}
		e.members[id] = m
		e.synced[id] = true
	}
	return e
}

// text is the configuration as the node has it.
func (e *ensemble) text() []byte {
	return fmt.Appendf(nil, "%s\nversion=%x", strings.Join(e.members.lines(), "\n"), e.version)
}

// SetSynced says which servers of the ensemble of [WithReconfig] are up and in step with
// the leader, by their numbers; until then those that it began with are. A reconfig is
// answered with [NewConfigNoQuorum] unless more than half of the new voters are among them.
func (s *Server) SetSynced(ids ...int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ensemble == nil {
		return
	}
	s.ensemble.synced = map[int64]bool{}
	for _, id := range ids {
		s.ensemble.synced[id] = true
	}
}

// reconfig changes the configuration. As on a real server the permission is looked at last,
// and the node is written twice: a persistent watch hears of it twice.
func (s *Server) reconfig(c *conn, r *jute.ReconfigRequest) result {
	e := s.ensemble
	if e == nil {
		s.tree.zxid++
		return result{code: jute.ReconfigDisabled}
	}
	reply := &jute.DataReply{}
	code := s.transact(&c.who, func(x *txn) jute.Code {
		if r.Config != -1 && r.Config != e.version {
			return jute.BadVersion
		}
		next, code := e.members.change(r)
		if code != jute.OK {
			return code
		}
		n := s.tree.find(configNode)
		switch all, synced := next.voters(e.synced); {
		case all < 2:
			return jute.BadArguments
		case synced <= all/2:
			return jute.NewConfigNoQuorum
		case !x.who.may(n.acl, permWrite):
			return jute.NoAuth
		}
		e.members, e.version = next, firstConfig+x.zxid
		x.touched = append(x.touched, configNode)
		n.data = e.text()
		n.stat.Version = -1
		n.stat.Mzxid, n.stat.Mtime = x.zxid, x.now
		for range 2 {
			x.emit(jute.EventNodeDataChanged, configNode, n.acl)
		}
		reply.Data, reply.Stat = n.data, n.visible()
		return jute.OK
	})
	return result{code: code, body: reply}
}

// showConfig writes the configuration into a new tree.
func (s *Server) showConfig() {
	if s.ensemble = newEnsemble(s.opts, s.Addr()); s.ensemble == nil {
		return
	}
	n := s.tree.find(configNode)
	n.data = s.ensemble.text()
	n.stat.Version, n.stat.Mzxid, n.stat.Mtime = -1, -1, s.now().UnixMilli()
}
