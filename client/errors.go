package client

import (
	"context"
	"errors"
	"fmt"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/internal/wire"
)

// What a server answered. Test for them with [errors.Is].
var (
	// ErrNoNode is returned when the node, or for a create its parent, does not exist.
	ErrNoNode = errors.New("node does not exist")
	// ErrNodeExists is returned by a create whose node exists already.
	ErrNodeExists = errors.New("node exists")
	// ErrBadVersion is returned when the node's version is not the expected one.
	ErrBadVersion = errors.New("version does not match")
	// ErrNotEmpty is returned by a delete of a node that has children.
	ErrNotEmpty = errors.New("node has children")
	// ErrNoChildrenForEphemerals is returned by a create below an ephemeral node.
	ErrNoChildrenForEphemerals = errors.New("ephemeral nodes cannot have children")
	// ErrNoAuth is returned when the node's ACL does not allow the operation.
	ErrNoAuth = errors.New("not allowed by the node's ACL")
	// ErrInvalidACL is returned when the server refuses an ACL, for example one of
	// scheme "auth" from a client without credentials.
	ErrInvalidACL = errors.New("invalid ACL")
	// ErrReadOnly is returned for a write, or a sync, while a server in read-only mode
	// serves the session ([NotSent]), or that reached such a server ([Definite]).
	ErrReadOnly = errors.New("server is read-only")
	// ErrUnimplemented is returned when the server does not know the operation, or
	// has it switched off (TTL nodes need extendedTypesEnabled).
	ErrUnimplemented = errors.New("operation not supported by the server")
	// ErrQuotaExceeded is returned when a hard quota forbids the write.
	ErrQuotaExceeded = errors.New("quota exceeded")
	// ErrReconfigDisabled is returned by [Client.Reconfig] when the servers do not have reconfigEnabled=true.
	ErrReconfigDisabled = errors.New("reconfiguration is disabled on the servers (reconfigEnabled)")
	// ErrReconfigInProgress is returned by [Client.Reconfig] while another reconfiguration is under way.
	ErrReconfigInProgress = errors.New("another reconfiguration is in progress")
	// ErrNewConfigNoQuorum is returned by [Client.Reconfig] when too few servers of the
	// new configuration are connected and in step with the leader.
	ErrNewConfigNoQuorum = errors.New("no quorum of the new configuration is connected and in step")
	// ErrThrottled is returned when the server refused the request under load and the context ended before it was accepted.
	ErrThrottled = errors.New("throttled by the server")
)

// What happened on the way.
var (
	// ErrConnectionLost is returned when the connection ended before a write was
	// answered. Its outcome is [Unknown] unless the error says otherwise.
	ErrConnectionLost = errors.New("connection lost")
	// ErrSessionLost is returned by the operations of a [Session] that is over, and is the cause of its context's end.
	ErrSessionLost = errors.New("session lost")
	// ErrSessionTaken is an ErrSessionLost: another process has taken the session over. [Connect]
	// returns it when the session of [WithSession] is no longer the handle's.
	ErrSessionTaken = fmt.Errorf("%w: taken over by another process", ErrSessionLost)
	// ErrClosed is returned after [Client.Close], and is the cause of the contexts that it ends.
	ErrClosed = errors.New("client closed")
	// ErrDetached is an ErrClosed: it is returned after [Client.Detach], and is the cause of
	// the contexts that it ends.
	ErrDetached = fmt.Errorf("session left to another process: %w", ErrClosed)
	// ErrAuthFailed is returned when a server refused a credential. It is final: the client is closed.
	ErrAuthFailed = wire.ErrAuthFailed
	// ErrNotConnected accompanies the context's error when no connection was had in time.
	ErrNotConnected = errors.New("not connected")
	// ErrReplyTooLarge is returned by a read whose answer exceeds [WithMaxReply].
	ErrReplyTooLarge = wire.ErrReplyTooLarge
)

// What was refused before anything was sent.
var (
	// ErrBadPath is returned for a path that ZooKeeper would not accept.
	ErrBadPath = errors.New("invalid path")
	// ErrTooLarge is returned for a request over [WithMaxRequest]; the server would cut the connection.
	ErrTooLarge = errors.New("request exceeds the limit")
	// ErrBadArgument is returned for an option or argument that cannot work.
	ErrBadArgument = errors.New("invalid argument")
)

// OutcomeKind tells what is known about an operation that returned an error.
type OutcomeKind int

const (
	// Unknown: the request was sent and not answered; it may or may not have been executed, or may yet be.
	Unknown OutcomeKind = iota
	// NotSent: nothing reached a server; repeating it is safe.
	NotSent
	// Definite: the server answered, and the error is its answer; or there was no error.
	Definite
)

// String returns the kind's name.
func (k OutcomeKind) String() string {
	switch k {
	case NotSent:
		return "not sent"
	case Definite:
		return "definite"
	default:
		return "unknown"
	}
}

// Outcome tells in which of three classes an operation's result falls. It is
// Definite for nil and Unknown for errors that are not this package's: when in
// doubt, it does not guess.
func Outcome(err error) OutcomeKind {
	if err == nil {
		return Definite
	}
	if e, ok := errors.AsType[*BatchError](err); ok {
		return e.Outcome
	}
	if e, ok := errors.AsType[*OpError](err); ok {
		return e.Outcome
	}
	return Unknown
}

// OpError is the error of an operation: what was asked, of which node, and why
// it failed.
type OpError struct {
	// Op is the operation in ZooKeeper's words, such as "getData".
	Op string
	// Path is the node, as the caller named it (without the chroot).
	Path string
	// Outcome says whether the operation can have been executed.
	Outcome OutcomeKind
	// Err is the reason.
	Err error
}

// Error implements error.
func (e *OpError) Error() string {
	if e.Outcome == Unknown {
		return fmt.Sprintf("%s %s: outcome unknown: %v", e.Op, legible(e.Path), e.Err)
	}
	return fmt.Sprintf("%s %s: %v", e.Op, legible(e.Path), e.Err)
}

// Unwrap returns the reason.
func (e *OpError) Unwrap() error { return e.Err }

var codeErrors = map[jute.Code]error{
	jute.NoNode:                  ErrNoNode,
	jute.NodeExists:              ErrNodeExists,
	jute.BadVersion:              ErrBadVersion,
	jute.NotEmpty:                ErrNotEmpty,
	jute.NoChildrenForEphemerals: ErrNoChildrenForEphemerals,
	jute.NoAuth:                  ErrNoAuth,
	jute.InvalidACL:              ErrInvalidACL,
	jute.NotReadOnly:             ErrReadOnly,
	jute.Unimplemented:           ErrUnimplemented,
	jute.QuotaExceeded:           ErrQuotaExceeded,
	jute.ThrottledOp:             ErrThrottled,
	jute.AuthFailed:              ErrAuthFailed,
	jute.SessionExpired:          ErrSessionLost,
	jute.BadArguments:            ErrBadArgument,
	jute.ReconfigDisabled:        ErrReconfigDisabled,
	jute.ReconfigInProgress:      ErrReconfigInProgress,
	jute.NewConfigNoQuorum:       ErrNewConfigNoQuorum,
}

// ServerError is an error code for which this package has no name.
type ServerError int32

// Error implements error.
func (e ServerError) Error() string { return fmt.Sprintf("server error code %d", int32(e)) }

func codeError(code jute.Code) error {
	if code == jute.OK {
		return nil
	}
	if err, ok := codeErrors[code]; ok {
		return err
	}
	return ServerError(code)
}

// ctxError gives a context's end as an error: errors.Is finds both the context's
// error and its cause.
func ctxError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if cause == nil || errors.Is(err, cause) {
		return err
	}
	if errors.Is(cause, err) || errors.Is(cause, ErrRetriesExhausted) { // then it is not the caller's deadline
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}
