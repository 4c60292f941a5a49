package lock

import (
	"context"
	"time"

	"github.com/zookit/zookit/recipes"
)

// Contender is one that holds the lock or waits for it.
type Contender struct {
	// Path is its node.
	Path string
	// Kind is what it is there for: of a read-write lock, recipes.KindRead or recipes.KindWrite.
	Kind recipes.Kind
	// Identifier is the text it gave itself; see WithIdentifier. It is empty when the
	// contender is Revoked: the request has overwritten it.
	Identifier string
	// Session is the id of its session; 0 if it is Persistent.
	Session int64
	// Token is what its Held.Token is, or will be; after [RWMutex.Downgrade] it is greater than that.
	Token int64
	// Since is when it came, by the servers' clocks.
	Since time.Time
	// Persistent tells that its node goes with no session: [Mutex.LockPersistent], Kazoo's
	// acquire(ephemeral=False), or made by hand. Only it, or [Mutex.Break], deletes it.
	Persistent bool
	// Revoked tells that it has been asked to let go: [Mutex.Revoke], or Curator's Revoker.
	Revoked bool
}

// Contenders lists who holds the lock and who waits for it, in order: the first one
// holds it. It costs a read, and one more for each contender. A path that does
// not exist has none.
func (m *Mutex) Contenders(ctx context.Context) ([]Contender, error) {
	if m.err != nil {
		return nil, m.err
	}
	all, err := m.line.Details(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Contender, 0, len(all))
	for _, d := range all {
		c := Contender{Path: d.Path, Kind: d.Kind, Identifier: string(d.Data), Session: d.Session, Token: d.Token, Since: d.Since, Persistent: d.Session == 0}
		if d.Revoked() {
			c.Identifier, c.Revoked = "", true
		}
		out = append(out, c)
	}
	return out, nil
}

// Revoke asks a contender, as listed by Contenders, to let go of the lock. It is a request: the
// holder learns of it if it listens ([Held.Revoked]; Curator's makeRevocable), one that
// waits will when it holds, and what they do about it is theirs. Kazoo and go-zookeeper do not
// know such requests. To take a lock away from one that does not answer there is Break.
//
// As in Curator the request takes the place of the node's data, and so of the contender's
// identifier; Contenders shows it as Revoked from then on. It cannot be taken back. Of the contender Path and
// Token are used. The right to write the node is needed.
//
// Errors: [ErrNoContender] if it neither holds nor waits any more; client.ErrBadArgument if it is none
// of this lock's; otherwise ctx's, and what the client and the server say.
func (m *Mutex) Revoke(ctx context.Context, c Contender) error {
	if m.err != nil {
		return m.err
	}
	return m.line.Revoke(ctx, c.details())
}

// Break takes the lock, or the place in line, away from a contender as listed by Contenders, whoever that
// is and whatever it is doing, by deleting its node: for persistent locks whose holder is no
// more, above all. Of the contender Path and Token are used; no other node is ever deleted.
//
// A holder is told, but not in time: its context ends with [ErrLost] and client.ErrHoldDeleted when its client hears of it, up to
// a fifth of its session timeout after the next in line may have begun; the holder of a
// persistent lock learns of it by [Persistent.Check]. What is protected by token or transaction is safe. Who is broken while it
// waits stands in line again, at the end.
//
// It returns nil once that contender blocks nobody, also if it had gone before. Errors: client.ErrBadArgument
// if it is none of this lock's; otherwise ctx's, and what the client and the server say.
func (m *Mutex) Break(ctx context.Context, c Contender) error {
	if m.err != nil {
		return m.err
	}
	return m.line.Break(ctx, c.details())
}

func (c Contender) details() recipes.Details { return recipes.Details{Path: c.Path, Token: c.Token} }
