package conformance

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/zookit/zookit/internal/jute"
)

// show puts a record into one line.
func show(r jute.Record) string {
	if r == nil {
		return ""
	}
	switch m := r.(type) {
	case *jute.DataReply:
		data := "no data"
		if m.Data != nil {
			data = strconv.Quote(string(m.Data))
		}
		return fmt.Sprintf("%s %+v", data, m.Stat)
	case *jute.ReconfigRequest:
		return fmt.Sprintf("joining %q leaving %q members %q version %v", m.Joining, m.Leaving, m.NewMembers, m.Config > 1<<32)
	case *jute.MultiRequest:
		var b strings.Builder
		for _, op := range m.Ops {
			fmt.Fprintf(&b, "[%v %+v]", op.Op, op.Body)
		}
		return b.String()
	}
	return fmt.Sprintf("%+v", r)
}

// since numbers a transaction from the beginning of the conversation.
func (k *talk) since(zxid int64) int64 {
	if zxid > 0 {
		return zxid - k.base
	}
	return zxid
}

// replyTo returns an empty record of the body of the reply.
func replyTo(op jute.Op) jute.Record {
	switch op {
	case jute.OpCreate, jute.OpSync:
		return &jute.PathReply{}
	case jute.OpCreate2, jute.OpCreateContainer, jute.OpCreateTTL:
		return &jute.Create2Reply{}
	case jute.OpExists, jute.OpSetData, jute.OpSetACL:
		return &jute.Stat{}
	case jute.OpGetData, jute.OpReconfig:
		return &jute.DataReply{}
	case jute.OpGetChildren, jute.OpGetEphemerals:
		return &jute.ChildrenReply{}
	case jute.OpGetChildren2:
		return &jute.Children2Reply{}
	case jute.OpGetACL:
		return &jute.ACLReply{}
	case jute.OpMulti, jute.OpMultiRead:
		return &jute.MultiReply{}
	case jute.OpGetAllChildrenNumber, jute.OpAddWatch:
		return &jute.CountReply{} // an int is also the body of addWatch
	case jute.OpWhoAmI:
		return &jute.WhoAmIReply{}
	default:
		return nil
	}
}

// seeConfig takes the version out of what may be the configuration of an ensemble.
func (k *talk) seeConfig(r *jute.DataReply) {
	servers, hex, ok := strings.Cut(string(r.Data), "version=")
	version, err := strconv.ParseInt(hex, 16, 64)
	if !ok || err != nil {
		return
	}
	k.config, k.version = servers, version
	r.Data = fmt.Appendf(nil, "%sversion=first%+d", servers, min(version-1<<32, max(1, version&0xffffffff-k.base&0xffffffff)))
}

// level takes out of a reply what no two servers have in common.
func (k *talk) level(r jute.Record) {
	stat := func(s *jute.Stat) {
		s.Czxid, s.Mzxid, s.Pzxid = k.since(s.Czxid), k.since(s.Mzxid), k.since(s.Pzxid)
		s.Ctime, s.Mtime = min(s.Ctime, 1), min(s.Mtime, 1)
		if id, ok := k.sessions[s.EphemeralOwner]; ok {
			s.EphemeralOwner = id
		}
	}
	switch b := r.(type) {
	case *jute.Create2Reply:
		stat(&b.Stat)
	case *jute.Stat:
		stat(b)
	case *jute.DataReply:
		stat(&b.Stat)
		k.seeConfig(b)
	case *jute.ChildrenReply:
		slices.Sort(b.Children)
	case *jute.Children2Reply:
		slices.Sort(b.Children)
		stat(&b.Stat)
	case *jute.WhoAmIReply:
		slices.SortFunc(b.Identities, func(x, y jute.ClientInfo) int {
			return strings.Compare(x.Scheme+":"+x.User, y.Scheme+":"+y.User)
		})
	case *jute.ACLReply:
		stat(&b.Stat)
	case *jute.MultiReply:
		for i := range b.Results {
			slices.Sort(b.Results[i].Children)
			stat(&b.Results[i].Stat)
		}
	}
}
