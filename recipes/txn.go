package recipes

import (
	"context"
	"errors"
	"fmt"

	"github.com/zookit/zookit/client"
)

// Txn starts a transaction that the server carries out only if the grant's node, or each of
// several, still exists, in the grant's session. See [Txn].
func (g *Grant) Txn() *Txn {
	inner := g.session.Txn().Check(g.path, client.AnyVersion)
	for _, p := range g.more {
		inner.Check(p.path, client.AnyVersion)
	}
	return &Txn{path: g.path, err: g.Err, lose: g.lose, session: true, inner: inner, guards: 1 + len(g.more)}
}

// Txn is a transaction guarded by a grant: its first operation, which is not
// shown in results and not counted in error indices, checks the grant's node; where the grant
// has several, as many operations. A
// transaction is for one goroutine and one Commit.
type Txn struct {
	path    string          // of the grant's node
	err     func() error    // why it is held no more, as far as is known
	lose    func(why error) // called when the node is found to be gone
	session bool            // it ends with the session
	under   context.Context // nil, or what has to live as well
	inner   *client.Txn
	guards  int // its first operations
}

// Under makes the transaction depend on ctx too, the context of a part of the work under the
// grant, say: if it has ended when Commit is called nothing is sent, and the error is
// its cause. The latest call counts.
func (t *Txn) Under(ctx context.Context) *Txn {
	t.under = ctx
	return t
}

// Check adds: the node at path must exist and have the version (client.AnyVersion: any).
func (t *Txn) Check(path string, version int32) *Txn {
	t.inner.Check(path, version)
	return t
}

// Create adds the creation of a node.
func (t *Txn) Create(path string, data []byte, opts ...client.CreateOption) *Txn {
	t.inner.Create(path, data, opts...)
	return t
}

// Set adds a write of the node's data if it has the version (client.AnyVersion: any).
func (t *Txn) Set(path string, data []byte, version int32) *Txn {
	t.inner.Set(path, data, version)
	return t
}

// Delete adds the deletion of the node if it has the version (client.AnyVersion: any).
func (t *Txn) Delete(path string, version int32) *Txn {
	t.inner.Delete(path, version)
	return t
}

// Commit carries the operations out, all or none, and returns their results in the
// order in which they were added. The error is, among others:
//
//   - [ErrGrantLost] if the grant was over. Nothing was applied, unless client.Outcome
//     says that it is unknown: then the session ended while the answer was under way.
//   - [ErrReleased] if it had been released by this process; nothing was sent.
//   - one with a *client.TxnError in it if an operation failed; its Index counts as results
//     do. Nothing was applied.
//   - what client.Txn.Commit says otherwise.
func (t *Txn) Commit(ctx context.Context) ([]client.TxnResult, error) {
	err := t.err()
	if err == nil && t.under != nil {
		err = context.Cause(t.under)
	}
	if err != nil {
		return nil, t.fail(client.NotSent, err)
	}
	results, err := t.inner.Commit(ctx)
	if err == nil {
		return results[t.guards:], nil
	}
	if t.session && errors.Is(err, client.ErrSessionLost) {
		return nil, fmt.Errorf("%w: %w", ErrGrantLost, err)
	}
	failed, ok := errors.AsType[*client.TxnError](err)
	switch {
	case !ok:
		return nil, err
	case failed.Index >= t.guards:
		shifted := *failed
		shifted.Index -= t.guards
		return nil, t.fail(client.Outcome(err), &shifted)
	case errors.Is(failed.Err, client.ErrNoNode):
		t.lose(client.ErrHoldDeleted)
		return nil, t.fail(client.Definite, t.err())
	}
	return nil, err
}

func (t *Txn) fail(outcome client.OutcomeKind, err error) error {
	return &client.OpError{Op: "multi", Path: t.path, Outcome: outcome, Err: err}
}
