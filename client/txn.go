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

	marker *marker // nil: none
}

// TxnResult is what one operation of a transaction has done.
type TxnResult struct {
	// Path is the created node's path, for a create.
	Path string
	// Stat is the node's new stat, for a set and for the create of a container or a TTL
	// node. Servers do not tell it for the other creates.
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

// Create creates a node of any [Mode]. [WithParents], [WithContainerParents] and
// [WithProtection] are refused with [ErrBadArgument]: they stand for further requests,
// which cannot be part of a transaction. A server that has TTL nodes switched off fails
// the whole transaction with [ErrUnimplemented].
func (t *Txn) Create(path string, data []byte, opts ...CreateOption) *Txn {
	var cr creation
	err := cr.apply(opts)
	switch {
	case err != nil:
	case cr.parents:
		err = fmt.Errorf("%w: a transaction makes no parents: add a create for each that is missing", ErrBadArgument)
	case cr.protect:
		err = fmt.Errorf("%w: a create in a transaction cannot be protected: its reply is that of the whole", ErrBadArgument)
	}
	op, body := jute.OpCreate2, jute.Record(nil)
	if err == nil {
		var r *request
		if r, err = t.o.createRequest(path, data, &cr); err == nil {
			op, body = r.op, r.body
		}
	}
	return t.add(op, path, cr.mode.sequential(), body, err)
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

// Commit executes the transaction and returns one result for each operation; one without
// operations is not sent, and succeeds. If an operation fails the error is an *[OpError] with a
// *[TxnError] in it, and nothing has been done; so it is, with nothing sent, if an operation cannot
// be ([ErrBadPath], [ErrBadArgument]). A transaction whose reply is lost is not repeated:
// [Outcome] Unknown, except [Txn.WithMarker].
func (t *Txn) Commit(ctx context.Context) ([]TxnResult, error) {
	if t.err != nil {
		return nil, refused(jute.OpMulti, t.paths[0], t.err)
	}
	if t.marker != nil && t.marker.err != nil {
		return nil, t.marker.refused(t)
	}
	if len(t.ops) == 0 {
		return nil, nil
	}
	if t.marker != nil {
		return t.marker.commit(ctx, t)
	}
	var reply jute.MultiReply
	return t.commit(ctx, t.request(&reply), &reply)
}

func (t *Txn) request(reply *jute.MultiReply) *request {
	return &request{op: jute.OpMulti, path: t.paths[0], body: &jute.MultiRequest{Ops: t.ops}, reply: reply}
}

func (t *Txn) commit(ctx context.Context, r *request, reply *jute.MultiReply) ([]TxnResult, error) {
	err := t.o.attempt(ctx, r)
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
		if r.Stat != (jute.Stat{}) {
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
		return 0, wrongCount(len(results), n)
	}
	return 0, nil
}

func wrongCount(results, ops int) error {
	return fmt.Errorf("the reply has %d results for %d operations", results, ops)
}
