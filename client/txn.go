package client

import (
	"context"
	"fmt"

	"github.com/zookit/zookit/internal/jute"
)

// Txn is a transaction: its operations are executed all or none, in order, each
// seeing the effects of those before it. Build it with its methods, then commit it
// once. Not safe for concurrent use.
type Txn struct {
	o     Ops
	ops   []jute.MultiOp
	paths []string
	err   error
}

// TxnResult is what one operation of a transaction has done.
type TxnResult struct {
	// Path is the created node's path, for a create.
	Path string
	// Stat is the node's new stat, for a set. Servers do not tell it for a create.
	Stat Stat
}

// TxnError says which operation made a transaction fail. None has been executed.
// errors.Is finds the operation's error through it.
type TxnError struct {
	// Index is the operation's place in the transaction, from 0.
	Index int
	// Op is the operation in ZooKeeper's words, Path its node.
	Op, Path string
	// Err is its error, such as [ErrBadVersion].
	Err error
}

// Error implements error.
func (e *TxnError) Error() string {
	return fmt.Sprintf("operation %d (%s %s): %v", e.Index, e.Op, legible(e.Path), e.Err)
}

// Unwrap returns the operation's error.
func (e *TxnError) Unwrap() error { return e.Err }

// Txn begins a transaction.
func (o Ops) Txn() *Txn { return &Txn{o: o} }

func (t *Txn) add(op jute.Op, path string, sequential bool, body jute.Record, err error) *Txn {
	if err == nil {
		err = checkPath(path, sequential)
	}
	if err != nil && t.err == nil {
		t.err = &TxnError{Index: len(t.ops), Op: op.String(), Path: path, Err: err}
	}
	t.ops = append(t.ops, jute.MultiOp{Op: op, Body: body})
	t.paths = append(t.paths, path)
	return t
}

// Check makes the transaction fail unless the node exists and has the version, or any for [AnyVersion].
func (t *Txn) Check(path string, version int32) *Txn {
	return t.add(jute.OpCheck, path, false, &jute.PathVersionRequest{Path: t.o.out(path), Version: version}, nil)
}

// Create creates a node, of mode [Persistent], [Ephemeral] or their sequential kinds.
// Containers, TTL nodes, WithParents and WithProtection are refused with [ErrBadArgument]: servers
// close the connection upon some of them.
func (t *Txn) Create(path string, data []byte, opts ...CreateOption) *Txn {
	cr := creation{acl: t.o.c.set.acl}
	err := cr.apply(opts)
	var r *request
	if err == nil {
		r, err = t.o.createRequest(path, data, &cr)
	}
	if err == nil && (r.op != jute.OpCreate2 || cr.parents || cr.protect) {
		err = fmt.Errorf("%w: containers, TTL, parents and protection are not for transactions", ErrBadArgument)
	}
	var body jute.Record
	if r != nil {
		body = r.body
	}
	return t.add(jute.OpCreate2, path, cr.mode.sequential(), body, err)
}

// Set replaces a node's data if its version is version, or any for [AnyVersion].
func (t *Txn) Set(path string, data []byte, version int32) *Txn {
	return t.add(jute.OpSetData, path, false, &jute.SetDataRequest{Path: t.o.out(path), Data: data, Version: version}, nil)
}

// Delete deletes a node if its version is version, or any for [AnyVersion].
func (t *Txn) Delete(path string, version int32) *Txn {
	return t.add(jute.OpDelete, path, false, &jute.PathVersionRequest{Path: t.o.out(path), Version: version}, nil)
}

// Len returns the number of operations added so far.
func (t *Txn) Len() int { return len(t.ops) }

// Commit executes the transaction and returns one result for each operation. If an
// operation fails the error is an *[OpError] with a *[TxnError] in it, and nothing has
// been done. A transaction whose reply is lost is not repeated: [Outcome] Unknown.
func (t *Txn) Commit(ctx context.Context) ([]TxnResult, error) {
	if t.err != nil {
		return nil, refused(jute.OpMulti, t.paths[0], t.err)
	}
	if len(t.ops) == 0 {
		return nil, nil
	}
	var reply jute.MultiReply
	err := t.o.attempt(ctx, &request{op: jute.OpMulti, path: t.paths[0], body: &jute.MultiRequest{Ops: t.ops}, reply: &reply})
	if err != nil {
		return nil, err
	}
	definite := func(err error) error {
		return &OpError{Op: jute.OpMulti.String(), Path: t.paths[0], Outcome: Definite, Err: err}
	}
	if i, err := failedOp(reply.Results, len(t.ops)); err != nil {
		return nil, definite(&TxnError{Index: i, Op: t.ops[i].Op.String(), Path: t.paths[i], Err: err})
	}
	out := make([]TxnResult, len(reply.Results))
	for i, r := range reply.Results {
		if r.Path != "" {
			out[i].Path = t.o.in(r.Path)
		}
		if r.Op == jute.OpCreate2 || r.Op == jute.OpSetData {
			out[i].Stat = statOf(&r.Stat)
		}
	}
	return out, nil
}

// failedOp finds the operation because of which a transaction of n operations has
// failed, and its error; nil if all were executed.
func failedOp(results []jute.MultiResult, n int) (int, error) {
	failed := false
	for i, r := range results {
		failed = failed || r.Op == jute.OpError
		if r.Err != jute.OK && r.Err != jute.RuntimeInconsistency && i < n {
			return i, codeError(r.Err)
		}
	}
	switch {
	case failed:
		return 0, codeError(jute.RuntimeInconsistency)
	case len(results) != n:
		return 0, fmt.Errorf("the reply has %d results for %d operations", len(results), n)
	}
	return 0, nil
}
