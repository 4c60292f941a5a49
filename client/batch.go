package client

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/internal/wire"
)

// What leaves in one flight at most. A server stops reading from a client when so
// many of its requests are under way (globalOutstandingLimit).
const (
	flightOps   = 1000
	flightBytes = 4 << 20
)

// Batch is many operations that leave together, so that they cost one round trip and
// not one each. It is not a transaction: each operation succeeds or fails for itself,
// and others' operations may come between. Build it with its methods, then call
// [Batch.Do]. Not safe for concurrent use.
//
// The operations are executed in their order, as long as the connection lasts. When it
// is lost, those that may be repeated are, in their order and before any that have not
// been sent yet: reads, writes that were not sent, and writes that were certainly not
// executed, as each method of [Ops] says. One whose outcome remains unknown is not repeated, and those
// behind it run nevertheless. An operation that the server refused because of its load
// is repeated behind the others. A server in read-only mode gets no batch with a write or sync
// in it: all of its operations fail with [ErrReadOnly]. Where an operation must not run unless the one before
// it has, use a transaction ([Ops.Txn]).
type Batch struct {
	o     Ops
	items []batchItem
	err   error
}

type batchItem struct {
	r    *request
	take func(*BatchResult, error)
}

// BatchResult is what became of one operation of a batch.
type BatchResult struct {
	// Op is the operation in ZooKeeper's words, such as "getData".
	Op string
	// Path is the node: for a create that succeeded the one that was made, with its
	// number if it is sequential, otherwise as the caller named it.
	Path string
	// Data is the node's, for a get.
	Data []byte
	// Children are the names of the node's children, sorted, for a list of them.
	Children []string
	// ACL is the node's, for a get of it.
	ACL []ACL
	// Stat is the node's; none for a delete, a sync, and where the node does not exist.
	Stat Stat
	// Exists tells whether the node exists, when that was asked.
	Exists bool
	// Err is nil or the operation's error, an *[OpError].
	Err error
}

// BatchError says that operations of a batch have failed: which one first, and how.
// errors.Is finds that one's error through it.
type BatchError struct {
	// Index is the first failed operation's place in the batch, from 0.
	Index int
	// Failed is the number of operations that have failed, of Total.
	Failed, Total int
	// Outcome is that of the batch: NotSent if that is so for every operation, Definite
	// if all were answered, otherwise Unknown. What [Outcome] returns.
	Outcome OutcomeKind
	// Err is the first failed operation's error, an *[OpError].
	Err error
}

// Error implements error.
func (e *BatchError) Error() string {
	if e.Failed > 1 {
		return fmt.Sprintf("batch: operation %d: %v (and %d more of %d have failed)", e.Index, e.Err, e.Failed-1, e.Total)
	}
	return fmt.Sprintf("batch: operation %d of %d: %v", e.Index, e.Total, e.Err)
}

// Unwrap returns the first failed operation's error.
func (e *BatchError) Unwrap() error { return e.Err }

// Batch begins a batch.
func (o Ops) Batch() *Batch { return &Batch{o: o} }

func (b *Batch) add(r *request, sequential bool, err error, take func(*BatchResult)) *Batch {
	if err == nil {
		err = checkPath(r.path, sequential)
	}
	if err != nil && b.err == nil {
		b.err = &BatchError{Index: len(b.items), Failed: 1, Outcome: NotSent, Err: refused(r.op, r.path, err)}
	}
	b.items = append(b.items, batchItem{r: r, take: func(res *BatchResult, err error) {
		if res.Err = err; err == nil && take != nil {
			take(res)
		}
	}})
	return b
}

// Get reads a node's data, as [Ops.Get].
func (b *Batch) Get(path string) *Batch {
	reply := &jute.DataReply{}
	return b.add(b.o.read(jute.OpGetData, path, false, reply), false, nil, func(res *BatchResult) {
		res.Data, res.Stat = reply.Data, statOf(&reply.Stat)
	})
}

// Exists asks whether a node exists, as [Ops.Exists].
func (b *Batch) Exists(path string) *Batch {
	reply := &statReply{}
	b.add(b.o.read(jute.OpExists, path, false, reply), false, nil, nil)
	b.items[len(b.items)-1].take = func(res *BatchResult, err error) {
		switch {
		case err == nil:
			res.Stat, res.Exists = statOf(&reply.Stat), true
		case !errors.Is(err, ErrNoNode):
			res.Err = err
		}
	}
	return b
}

// Children lists a node's children, as [Ops.Children].
func (b *Batch) Children(path string) *Batch {
	reply := &jute.Children2Reply{}
	return b.add(b.o.read(jute.OpGetChildren2, path, false, reply), false, nil, func(res *BatchResult) {
		slices.Sort(reply.Children)
		res.Children, res.Stat = reply.Children, statOf(&reply.Stat)
	})
}

// GetACL reads a node's access control list, as [Ops.GetACL].
func (b *Batch) GetACL(path string) *Batch {
	reply := &jute.ACLReply{}
	return b.add(b.o.getACLRequest(path, reply), false, nil, func(res *BatchResult) {
		res.ACL, res.Stat = aclsOf(reply.ACL), statOf(&reply.Stat)
	})
}

// Sync makes the server catch up with the leader, as [Ops.Sync]: the reads behind it
// see everything that was committed before.
func (b *Batch) Sync(path string) *Batch { return b.add(b.o.syncRequest(path), false, nil, nil) }

// Create makes a node, as [Ops.Create]. [WithParents] and [WithContainerParents] are
// refused with [ErrBadArgument]: they stand for further round trips. Add a create for
// each parent that may be missing instead.
func (b *Batch) Create(path string, data []byte, opts ...CreateOption) *Batch {
	var cr creation
	reply := &jute.Create2Reply{}
	err := cr.apply(opts)
	if err == nil && cr.parents {
		err = fmt.Errorf("%w: a batch makes no parents: add a create for each that may be missing", ErrBadArgument)
	}
	r := &request{op: jute.OpCreate2, path: path}
	if err == nil {
		var full *request
		if full, err = b.o.createRequest(path, data, &cr); err == nil {
			r = full
			err = b.o.certain(r, reply, path, data, &cr)
		}
	}
	r.reply = reply
	return b.add(r, cr.mode.sequential(), err, func(res *BatchResult) {
		res.Path, res.Stat = b.o.in(reply.Path), statOf(&reply.Stat)
	})
}

// Set replaces a node's data if its version is version, as [Ops.Set].
func (b *Batch) Set(path string, data []byte, version int32) *Batch {
	reply := &statReply{}
	return b.add(b.o.setRequest(path, data, version, reply), false, nil, func(res *BatchResult) { res.Stat = statOf(&reply.Stat) })
}

// Delete deletes a node if its version is version, as [Ops.Delete].
func (b *Batch) Delete(path string, version int32) *Batch {
	b.add(b.o.deleteRequest(path, version), false, nil, nil)
	b.items[len(b.items)-1].take = func(res *BatchResult, err error) {
		if !b.o.idempotent || !errors.Is(err, ErrNoNode) {
			res.Err = err
		}
	}
	return b
}

// Len returns the number of operations added so far.
func (b *Batch) Len() int { return len(b.items) }

// Do sends the batch and returns one result for each operation, in their order. Up to
// 1,000 operations or 4 MiB leave in one flight; of a larger batch the next flight
// leaves when the one before has been answered. If operations have failed the error is a
// *[BatchError]; the results are complete all the same. If one cannot be sent at all
// ([ErrBadPath], [ErrBadArgument], [ErrTooLarge]) none is, and there are no results.
// When ctx ends, the operations that are not answered by then fail with its error, those
// under way as Unknown and the others as NotSent. Do may be called again: then all are sent again.
func (b *Batch) Do(ctx context.Context) ([]BatchResult, error) {
	if e, ok := errors.AsType[*BatchError](b.err); ok {
		e.Total = len(b.items)
		return nil, e
	}
	if err := b.o.retry.err; err != nil && len(b.items) > 0 {
		first := b.items[0].r
		return nil, &BatchError{Failed: 1, Total: len(b.items), Outcome: NotSent, Err: refused(first.op, first.path, err)}
	}
	runs := make([]*run, len(b.items))
	for i, item := range b.items {
		u := b.o.newRun(item.r)
		if err := u.encode(); err != nil {
			return nil, &BatchError{Index: i, Failed: 1, Total: len(runs), Outcome: NotSent, Err: u.finish(ctx, err)}
		}
		runs[i] = u
	}
	results := make([]BatchResult, len(runs))
	for i, u := range runs {
		results[i] = BatchResult{Op: u.r.op.String(), Path: u.r.path}
	}
	b.fly(ctx, runs, func(i int, err error) { b.items[i].take(&results[i], runs[i].finish(ctx, err)) })
	return results, batchError(results)
}

// fly sends runs, flight after flight, until each is done.
func (b *Batch) fly(ctx context.Context, runs []*run, done func(i int, err error)) {
	left := make([]int, len(runs))
	for i := range left {
		left[i] = i
	}
	bounded, cancel := b.o.retry.context(ctx)
	defer cancel()
	for len(left) > 0 {
		want := anyServer
		for _, i := range left {
			want = max(want, runs[i].r.need())
		}
		s, err := b.o.enter(bounded, want)
		if err == nil {
			left, err = flight(ctx, bounded, s, runs, left, done)
		}
		if err != nil {
			for _, i := range left {
				done(i, runs[i].giveUp(err))
			}
			return
		}
	}
}

// flight sends the first of those that are left, as many as fit into one flight, and
// waits for them. It returns what is left then, those to be repeated first.
func flight(ctx, bounded context.Context, s *Session, runs []*run, left []int, done func(i int, err error)) ([]int, error) {
	var calls []*wire.Call
	n, size := 0, 0
	for n < len(left) && n < flightOps {
		u := runs[left[n]]
		if size += u.call.Size(); n > 0 && size > flightBytes {
			break
		}
		calls = append(calls, u.prepare(s)...)
		n++
	}
	s.send(calls...)
	var again []int
	for _, i := range left[:n] {
		err, over := runs[i].settle(ctx, bounded)
		if !over {
			err = runs[i].encode()
		}
		if err != nil || over {
			done(i, err)
		} else {
			again = append(again, i)
		}
	}
	left = append(again, left[n:]...)
	if len(again) > 0 {
		return left, runs[again[0]].pause(bounded)
	}
	return left, nil
}

// batchError is the error of a batch with these results.
func batchError(results []BatchResult) error {
	e := &BatchError{Total: len(results), Outcome: Definite}
	sent, unsent := false, false
	for i := range results {
		err := results[i].Err
		if err != nil {
			if e.Failed++; e.Err == nil {
				e.Index, e.Err = i, err
			}
		}
		switch Outcome(err) {
		case NotSent:
			unsent = true
		case Unknown:
			e.Outcome = Unknown
			sent = true
		case Definite:
			sent = true
		}
	}
	switch {
	case e.Failed == 0:
		return nil
	case unsent && sent:
		e.Outcome = Unknown
	case unsent:
		e.Outcome = NotSent
	}
	return e
}
