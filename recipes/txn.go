package recipes

import (
	"context"
	"errors"
	"fmt"

	"github.com/zookit/zookit/client"
)

// Txn starts a transaction that the server carries out only if the grant's node
// still exists, in the grant's session. See [Txn].
func (g *Grant) Txn() *Txn {
	return &Txn{grant: g, inner: g.session.Txn().Check(g.path, client.AnyVersion)}
}

// Txn is a transaction guarded by a grant: its first operation, which is not
// shown in results and not counted in error indices, checks the grant's node. A
// transaction is for one goroutine and one Commit.
type Txn struct {
	grant *Grant
	inner *client.Txn
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
	if err := t.grant.Err(); err != nil {
		return nil, &client.OpError{Op: "multi", Path: t.grant.path, Outcome: client.NotSent, Err: err}
	}
	results, err := t.inner.Commit(ctx)
	if err == nil {
		return results[1:], nil
	}
	if errors.Is(err, client.ErrSessionLost) {
		return nil, fmt.Errorf("%w: %w", ErrGrantLost, err)
	}
	failed, ok := errors.AsType[*client.TxnError](err)
	switch {
	case !ok:
		return nil, err
	case failed.Index > 0:
		shifted := *failed
		shifted.Index--
		return nil, &client.OpError{Op: "multi", Path: t.grant.path, Outcome: client.Outcome(err), Err: &shifted}
	case errors.Is(failed.Err, client.ErrNoNode):
		t.grant.lose(client.ErrHoldDeleted)
		return nil, &client.OpError{Op: "multi", Path: t.grant.path, Outcome: client.Definite, Err: t.grant.Err()}
	}
	return nil, err
}
