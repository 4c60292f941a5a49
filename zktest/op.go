package zktest

import "github.com/zookit/zookit/internal/jute"

// Op is an operation of ZooKeeper's protocol, by its number on the wire.
type Op int32

// The operations that a client can send.
const (
	OpCreate               = Op(jute.OpCreate)
	OpDelete               = Op(jute.OpDelete)
	OpExists               = Op(jute.OpExists)
	OpGetData              = Op(jute.OpGetData)
	OpSetData              = Op(jute.OpSetData)
	OpGetACL               = Op(jute.OpGetACL)
	OpSetACL               = Op(jute.OpSetACL)
	OpGetChildren          = Op(jute.OpGetChildren)
	OpSync                 = Op(jute.OpSync)
	OpPing                 = Op(jute.OpPing)
	OpGetChildren2         = Op(jute.OpGetChildren2)
	OpCheck                = Op(jute.OpCheck)
	OpMulti                = Op(jute.OpMulti)
	OpCreate2              = Op(jute.OpCreate2)
	OpCheckWatches         = Op(jute.OpCheckWatches)
	OpRemoveWatches        = Op(jute.OpRemoveWatches)
	OpCreateContainer      = Op(jute.OpCreateContainer)
	OpCreateTTL            = Op(jute.OpCreateTTL)
	OpMultiRead            = Op(jute.OpMultiRead)
	OpAuth                 = Op(jute.OpAuth)
	OpSetWatches           = Op(jute.OpSetWatches)
	OpReconfig             = Op(jute.OpReconfig)
	OpGetEphemerals        = Op(jute.OpGetEphemerals)
	OpGetAllChildrenNumber = Op(jute.OpGetAllChildrenNumber)
	OpSetWatches2          = Op(jute.OpSetWatches2)
	OpAddWatch             = Op(jute.OpAddWatch)
	OpWhoAmI               = Op(jute.OpWhoAmI)
	OpCloseSession         = Op(jute.OpCloseSession)
	// OpConnect is the handshake, which opens a session or takes one up.
	OpConnect = Op(jute.OpConnect)
)

// String returns the operation's name in ZooKeeper's words.
func (o Op) String() string { return jute.Op(o).String() }

// Creates returns the four operations that create a node outside a multi.
func Creates() []Op { return []Op{OpCreate, OpCreate2, OpCreateContainer, OpCreateTTL} }

// Code is an error code of ZooKeeper's protocol.
type Code int32

// The codes that a test may want to answer with; any other number is sent as it is.
const (
	SystemError             = Code(jute.SystemError)
	RuntimeInconsistency    = Code(jute.RuntimeInconsistency)
	ConnectionLoss          = Code(jute.ConnectionLoss)
	MarshallingError        = Code(jute.MarshallingError)
	Unimplemented           = Code(jute.Unimplemented)
	OperationTimeout        = Code(jute.OperationTimeout)
	BadArguments            = Code(jute.BadArguments)
	NewConfigNoQuorum       = Code(jute.NewConfigNoQuorum)
	ReconfigInProgress      = Code(jute.ReconfigInProgress)
	NoNode                  = Code(jute.NoNode)
	NoAuth                  = Code(jute.NoAuth)
	BadVersion              = Code(jute.BadVersion)
	NoChildrenForEphemerals = Code(jute.NoChildrenForEphemerals)
	NodeExists              = Code(jute.NodeExists)
	NotEmpty                = Code(jute.NotEmpty)
	SessionExpired          = Code(jute.SessionExpired)
	InvalidACL              = Code(jute.InvalidACL)
	AuthFailed              = Code(jute.AuthFailed)
	SessionMoved            = Code(jute.SessionMoved)
	NotReadOnly             = Code(jute.NotReadOnly)
	NoWatcher               = Code(jute.NoWatcher)
	RequestTimeout          = Code(jute.RequestTimeout)
	ReconfigDisabled        = Code(jute.ReconfigDisabled)
	QuotaExceeded           = Code(jute.QuotaExceeded)
	ThrottledOp             = Code(jute.ThrottledOp)
)
