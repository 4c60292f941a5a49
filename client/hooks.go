package client

import (
	"context"
	"fmt"
	"time"
)

// Hook sees what happens inside a client; see [WithHooks]. It is a value that
// implements any of [HookOpen], [HookConnect], [HookDisconnect], [HookState], [HookOp],
// [HookRetry], [HookGrant] and [HookClose].
//
// [HookOp] and [HookRetry] are called on the goroutine that made the call, before
// it returns: what they do takes the caller's time. HookOpen is called by [Connect]. All
// others are called on a goroutine of the client's own, one after the other and in the
// order in which things happened, never while the client holds a lock: a slow hook
// delays other hooks and [Client.Close], and nothing else. What it has not been told
// yet is kept in memory.
//
// Close returns when every hook has been told of everything up to then. So a hook must not
// call Close, and must not wait for an operation or state of the client; it may call
// [Client.Stats] and [Client.State]. A hook must be safe for concurrent use, and a panic in it is
// the program's.
type Hook any

// HookOpen is told of a client before its first attempt to connect.
type HookOpen interface {
	// OnOpen is called once, on the goroutine that called [Connect]. If Connect fails
	// then OnClose follows.
	OnOpen(c *Client)
}

// HookClose is told when a client is closed.
type HookClose interface {
	// OnClose is called once, by [Client.Close] and not when the client ended by itself,
	// after everything else except for grants whose end is reported after that of the client.
	OnClose(c *Client)
}

// HookConnect is told of attempts to reach a server.
type HookConnect interface {
	// OnConnect is called when an attempt has ended, well or not. For one that
	// succeeded it comes before the state [Connected]. Attempts that the end of
	// the client or session interrupts are not reported.
	OnConnect(e ConnectEnd)
}

// ConnectEnd is the end of an attempt to reach a server.
type ConnectEnd struct {
	// Epoch is the number of the session that the connection is, or would have been, for.
	Epoch uint64
	// Server is the server as the list names it, host:port; "" if no name in the list
	// had an address.
	Server string
	// Address is the resolved one.
	Address string
	// Start is when the attempt began, after any pause; Duration is what names,
	// connection, TLS, handshake and credentials took together.
	Start    time.Time
	Duration time.Duration
	// SessionID is the id of the session, if the attempt succeeded.
	SessionID int64
	// Resumed says that the session had been made before; else it was made by this attempt.
	Resumed bool
	// Err is why the attempt failed, or nil.
	Err error
}

// HookDisconnect is told of connections that end.
type HookDisconnect interface {
	// OnDisconnect is called once for each OnConnect without an error, before the state
	// [Suspended] if that follows, and also for the end by [Client.Close].
	OnDisconnect(e Disconnect)
}

// Disconnect is the end of a connection.
type Disconnect struct {
	// Epoch and SessionID are the number and the id of the session that the connection was for.
	Epoch     uint64
	SessionID int64
	// Server and Address are those of ConnectEnd.
	Server, Address string
	// Lasted is for how long the connection stood.
	Lasted time.Duration
	// Err is why it ended.
	Err error
}

// HookState is told of state changes.
type HookState interface {
	// OnState is called for each transition that [Client.States] would yield, in order.
	OnState(change StateChange)
}

// HookOp is told of operations that end.
type HookOp interface {
	// OnOp is called once for each operation, with or without an error, on the
	// goroutine that made the call and right before it returns. A call whose arguments were refused
	// ([ErrBadPath], [ErrBadArgument]) is no operation. One call may be several: parents
	// that are made, and the look-ups that find out what became of a write, are
	// operations of their own, and end before it. What the client does by itself, such
	// as pings, confirmations and the removal of watches, is not reported, but see [Client.Stats].
	OnOp(e OpEnd)
}

// OpEnd is the end of an operation. It has no data of nodes.
type OpEnd struct {
	// Ctx is the caller's context, which may have ended.
	Ctx context.Context
	// Op is the operation in ZooKeeper's words, such as "getData".
	Op string
	// Path is the node as the caller named it; of a transaction the first one.
	Path string
	// Start is when the call was made; Duration counts from then, waits and repeats included.
	Start    time.Time
	Duration time.Duration
	// Attempts is how often the request was handed to a connection; 0 if never.
	Attempts int
	// Outcome is that of Err.
	Outcome OutcomeKind
	// Err is what the caller gets, or nil.
	Err error
	// SessionID and Server are the session and the server's address of the last
	// attempt; 0 and "" if there was none or its connection had just ended.
	SessionID int64
	Server    string
	// RequestBytes and ReplyBytes are the sizes of the last attempt's request and of the
	// answer, without their length prefixes. ReplyBytes is 0 if no answer came, and does not
	// count a body that exceeded [WithMaxReply].
	RequestBytes, ReplyBytes int
	// Zxid is the transaction that the answer reflects; 0 if there was none.
	Zxid int64
}

// HookRetry is told of attempts that will be repeated.
type HookRetry interface {
	// OnRetry is called before the pause that precedes a further attempt, on the
	// goroutine that made the call.
	OnRetry(e Retry)
}

// Retry is an attempt that failed and will be repeated, unless the context ends.
type Retry struct {
	// Ctx, Op and Path are those of OpEnd.
	Ctx      context.Context
	Op, Path string
	// Attempt is the number of the one that failed, from 1.
	Attempt int
	// Pause is the time until the next one.
	Pause time.Duration
	// Err is why it failed.
	Err error
}

// HookGrant is told of what recipes hold.
type HookGrant interface {
	// OnGrant is called for each event that a recipe reports by [Client.EmitGrant]. Each
	// [GrantHeld] is followed by exactly one [GrantReleased] or [GrantLost] of the same
	// Node. An end that comes after Close is reported on the goroutine that ends it.
	OnGrant(e GrantEvent)
}

// GrantKind says what has happened to a grant.
type GrantKind int

const (
	// GrantHeld: somebody asked, and holds now.
	GrantHeld GrantKind = iota
	// GrantMissed: somebody asked and got nothing: busy, refused, or the context ended.
	GrantMissed
	// GrantReleased: the holder gave it back.
	GrantReleased
	// GrantLost: it ended by itself.
	GrantLost
)

// String returns the kind's name: held, missed, released or lost.
func (k GrantKind) String() string {
	names := [...]string{"held", "missed", "released", "lost"}
	if k < 0 || int(k) >= len(names) {
		return "unknown"
	}
	return names[k]
}

// GrantEvent is something that happened to a grant: a lock, a leadership, a place.
type GrantEvent struct {
	// Kind says which of the following are set.
	Kind GrantKind
	// Ctx is that of the call that asked, for GrantHeld and GrantMissed, and otherwise one
	// that says nothing; EmitGrant sets it if it is nil. It may have ended.
	Ctx context.Context
	// Path is what was asked for: the recipe's directory.
	Path string
	// Node, Token and SessionID are the grant's own node, its fencing token and its session;
	// for GrantMissed they are empty.
	Node      string
	Token     int64
	SessionID int64
	// At is when it happened; set by EmitGrant if it is zero.
	At time.Time
	// Waited is the time from the call until GrantHeld or GrantMissed.
	Waited time.Duration
	// HeldFor is the time from GrantHeld until GrantReleased or GrantLost.
	HeldFor time.Duration
	// Err is the reason of GrantMissed and GrantLost.
	Err error
}

// EmitGrant tells the client's hooks of a grant. It is for authors of recipes;
// those that are made of recipes.Line are reported already. It returns at once; once
// the client is closed it calls the hooks itself. Nothing happens if there is no [HookGrant].
// Safe for concurrent use; events of one goroutine are told in their order.
func (c *Client) EmitGrant(e GrantEvent) {
	if len(c.hooks.grant) == 0 {
		return
	}
	if e.At.IsZero() {
		e.At = time.Now()
	}
	if e.Ctx == nil {
		e.Ctx = c.ctx
	}
	tell := func() {
		for _, h := range c.hooks.grant {
			h.OnGrant(e)
		}
	}
	if !c.hooks.later(tell) {
		tell()
	}
}

// WithHooks has hooks called for what happens inside the client, in the order given;
// given twice, all of them are. A client without hooks pays nothing for them. A
// hook that is nil or implements none of the interfaces of [Hook] is [ErrBadArgument].
func WithHooks(hooks ...Hook) Option {
	return func(s *settings) error {
		for i, h := range hooks {
			if !s.hooks.add(h) {
				return badOption("WithHooks", "hook %d is a %s, which implements none of the interfaces of Hook", i, fmt.Sprintf("%T", h))
			}
		}
		return nil
	}
}
