package client

import (
	"time"

	"github.com/zookit/zookit/internal/jute"
)

// AnyVersion, as the version of a set, delete or check, matches every version.
const AnyVersion int32 = -1

// Stat is what ZooKeeper keeps about a node.
type Stat struct {
	// Czxid is the transaction that created the node. It grows with every node made
	// in the ensemble, which makes it a fencing token.
	Czxid int64
	// Mzxid is the transaction that last changed the data.
	Mzxid int64
	// Pzxid is the transaction that last added or removed a child.
	Pzxid int64
	// Ctime and Mtime are the leader's clock at Czxid and Mzxid.
	Ctime, Mtime time.Time
	// Version counts the changes of the data, Cversion those of the children,
	// Aversion those of the ACL. They start at 0 and wrap around.
	Version, Cversion, Aversion int32
	// EphemeralOwner is the session that an ephemeral node belongs to, otherwise 0.
	EphemeralOwner int64
	// DataLength is the length of the data in bytes, NumChildren the number of children.
	DataLength, NumChildren int
}

func statOf(s *jute.Stat) Stat {
	return Stat{
		Czxid: s.Czxid, Mzxid: s.Mzxid, Pzxid: s.Pzxid,
		Ctime: time.UnixMilli(s.Ctime), Mtime: time.UnixMilli(s.Mtime),
		Version: s.Version, Cversion: s.Cversion, Aversion: s.Aversion,
		EphemeralOwner: s.EphemeralOwner, DataLength: int(s.DataLength), NumChildren: int(s.NumChildren),
	}
}
