package faultproxy

import (
	"fmt"
	"strings"
	"time"
)

// Opcodes of ZooKeeper's protocol, and three of our own below OpConnect.
const (
	OpNotification         int32 = 0 // a watch event: it answers no request
	OpCreate               int32 = 1
	OpDelete               int32 = 2
	OpExists               int32 = 3
	OpGetData              int32 = 4
	OpSetData              int32 = 5
	OpGetACL               int32 = 6
	OpSetACL               int32 = 7
	OpGetChildren          int32 = 8
	OpSync                 int32 = 9
	OpPing                 int32 = 11
	OpGetChildren2         int32 = 12
	OpCheck                int32 = 13
	OpMulti                int32 = 14
	OpCreate2              int32 = 15
	OpReconfig             int32 = 16
	OpCheckWatches         int32 = 17
	OpRemoveWatches        int32 = 18
	OpCreateContainer      int32 = 19
	OpDeleteContainer      int32 = 20
	OpCreateTTL            int32 = 21
	OpMultiRead            int32 = 22
	OpAuth                 int32 = 100
	OpSetWatches           int32 = 101
	OpSASL                 int32 = 102
	OpGetEphemerals        int32 = 103
	OpGetAllChildrenNumber int32 = 104
	OpSetWatches2          int32 = 105
	OpAddWatch             int32 = 106
	OpWhoAmI               int32 = 107
	OpCloseSession         int32 = -11

	// OpConnect stands for the handshake, the first frame of a connection in
	// each direction, which has no header on the wire.
	OpConnect int32 = -100
	// OpUnknown is the opcode of a reply that answers no request that was seen.
	OpUnknown int32 = -101
)

var opNames = map[int32]string{
	OpNotification: "notification", OpCreate: "create", OpDelete: "delete", OpExists: "exists",
	OpGetData: "getData", OpSetData: "setData", OpGetACL: "getACL", OpSetACL: "setACL",
	OpGetChildren: "getChildren", OpSync: "sync", OpPing: "ping", OpGetChildren2: "getChildren2",
	OpCheck: "check", OpMulti: "multi", OpCreate2: "create2", OpReconfig: "reconfig",
	OpCheckWatches: "checkWatches", OpRemoveWatches: "removeWatches", OpCreateContainer: "createContainer",
	OpDeleteContainer: "deleteContainer", OpCreateTTL: "createTTL", OpMultiRead: "multiRead",
	OpAuth: "auth", OpSetWatches: "setWatches", OpSASL: "sasl", OpGetEphemerals: "getEphemerals",
	OpGetAllChildrenNumber: "getAllChildrenNumber", OpSetWatches2: "setWatches2", OpAddWatch: "addWatch",
	OpWhoAmI: "whoAmI", OpCloseSession: "closeSession", OpConnect: "connect", OpUnknown: "unknown",
}

// OpName returns ZooKeeper's name for an opcode, or the number.
func OpName(op int32) string {
	if name, ok := opNames[op]; ok {
		return name
	}
	return fmt.Sprintf("op(%d)", op)
}

// Request is one frame that a client has sent. For a watch event, which the
// server sends unasked, it stands for the event: Xid is -1, Op is
// OpNotification and Path is the node.
type Request struct {
	Conn int   // the number of the connection, from 1 in order of acceptance
	Xid  int32 // 0 for the handshake
	Op   int32
	Path string // the path that the request names; of a multi, that of its first part
	// Parts are the requests inside a multi or multiRead.
	Parts []Part
	At    time.Time // when the proxy had received the frame
}

// Part is one request inside a multi.
type Part struct {
	Op   int32
	Path string
}

// String is meant for the messages of failing tests.
func (r Request) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "connection %d xid %d %s", r.Conn, r.Xid, OpName(r.Op))
	if len(r.Parts) == 0 && r.Path != "" {
		fmt.Fprintf(&b, " %s", r.Path)
	}
	for i, part := range r.Parts {
		separator := ", "
		if i == 0 {
			separator = " "
		}
		fmt.Fprintf(&b, "%s%s %s", separator, OpName(part.Op), part.Path)
	}
	return b.String()
}

// Reply is one frame that a server has sent.
type Reply struct {
	// Request is what the reply answers. Its Op is OpUnknown where no such
	// request was seen, and OpNotification for a watch event.
	Request Request
	Zxid    int64     // 0 for the handshake
	Err     int32     // ZooKeeper's error code, 0 for none
	At      time.Time // when the proxy had received the frame
}
