package counter

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/zookit/zookit/client"
)

// unknownError is why it is not known whether a change was made.
type unknownError struct{ err error }

func (e *unknownError) Error() string { return e.err.Error() }

// verdict is what has become of an attempt that did not fail for good.
type verdict int

const (
	again  verdict = iota // it was not made, for a reason that is over
	beaten                // others were faster
	made
)

// now returns the node's state, for one attempt to change it. That of the last write is good
// enough if there is no sign of others, as the attempt fails if it is not.
func (r *register[T]) now(ctx context.Context) (state[T], error) {
	if err := r.pace.wait(ctx); err != nil {
		return state[T]{}, err
	}
	if r.receipt == nil {
		return r.open(ctx)
	}
	if !r.pace.hurried() && time.Since(r.seen) < linger {
		return r.last, nil
	}
	sent := time.Now()
	data, stat, err := r.cl.Get(ctx, r.path)
	r.pace.took(time.Since(sent))
	r.pace.met(stat.Mzxid)
	return r.read(data, stat, err)
}

// open makes a receipt and reads the node, in one flight.
func (r *register[T]) open(ctx context.Context) (state[T], error) {
	rc := newReceipt(r.cfg.receipts, r.path)
	sent := time.Now()
	results, err := r.cl.Idempotent().Batch().Create(rc.path, rc.first()).Get(r.path).Do(ctx)
	r.pace.took(time.Since(sent))
	if len(results) == 0 {
		return state[T]{}, err
	}
	stat := results[0].Stat
	err = results[0].Err
	if errors.Is(err, client.ErrNoNode) {
		var made client.Created
		made, err = r.cl.Idempotent().Create(ctx, rc.path, rc.first(), client.WithContainerParents())
		stat = made.Stat
	}
	if err != nil {
		if client.Outcome(err) == client.Unknown {
			rc.discard(r.cl, r.cfg.receipts)
		}
		return state[T]{}, err
	}
	rc.created(stat)
	r.receipt = rc
	return r.read(results[1].Data, results[1].Stat, results[1].Err)
}

// peek reads the node, and nothing more.
func (r *register[T]) peek(ctx context.Context) (state[T], error) {
	data, stat, err := r.cl.Get(ctx, r.path)
	return r.read(data, stat, err)
}

// read interprets what a read of the node has found.
func (r *register[T]) read(data []byte, stat client.Stat, err error) (state[T], error) {
	now := state[T]{absent: errors.Is(err, client.ErrNoNode), value: r.codec.absent, czxid: stat.Czxid, mzxid: stat.Mzxid, version: stat.Version}
	if now.absent {
		return now, nil
	}
	if err == nil {
		now.value, err = r.codec.decode(data, stat)
		if err != nil {
			err = &client.OpError{Op: "getData", Path: r.path, Outcome: client.Definite, Err: err}
		}
	}
	return now, err
}

// attempt makes the changes if the node is as now says; otherwise they are to be tried again. An error is for
// all of them.
func (r *register[T]) attempt(ctx context.Context, changes []*change[T], now state[T]) error {
	changes = r.try(changes)
	next, write := now, false
	results, errs := make([]T, len(changes)), make([]error, len(changes))
	for i, c := range changes {
		v, err := c.apply(next)
		if errs[i] = err; err == nil {
			next.value, write = v, true
		}
		results[i] = next.value
	}
	if len(changes) == 0 {
		return nil
	}
	var (
		became verdict
		zxid   int64
		err    error
	)
	if write {
		became, zxid, err = r.commit(ctx, now, &next)
	} else {
		became, err = r.confirm(ctx, now)
	}
	if err != nil || became != made {
		r.seen = time.Time{}
	}
	switch {
	case err != nil:
		return err
	case became == made:
	case became == beaten:
		r.pace.lost()
		fallthrough
	default:
		r.untry(changes)
		return nil
	}
	r.last, r.seen = next, time.Now()
	r.pace.won(zxid)
	r.settle(changes, func(i int, c *change[T]) {
		if c.result, c.state = results[i], next; errs[i] != nil {
			c.err = &client.OpError{Op: c.op, Path: r.path, Outcome: client.Definite, Err: errs[i]}
		}
	})
	return nil
}

// confirm tells whether the node is as now says, by a commit of the quorum, or by a server that has caught
// up if there is none: for changes that the value makes impossible.
func (r *register[T]) confirm(ctx context.Context, now state[T]) (verdict, error) {
	if now.absent {
		if err := r.cl.Sync(ctx, r.path); err != nil {
			return again, err
		}
		_, there, err := r.cl.Exists(ctx, r.path)
		if there {
			return beaten, err
		}
		return made, err
	}
	_, err := r.cl.Txn().Check(r.path, now.version).Commit(ctx)
	switch {
	case errors.Is(err, client.ErrBadVersion), errors.Is(err, client.ErrNoNode):
		return beaten, nil
	case err != nil && client.Outcome(err) == client.Unknown && lasting(ctx, err) == nil:
		return again, nil // nothing has been changed in any case
	}
	return made, err
}

// lasting returns nil if what has failed may succeed when it is tried again at once.
func lasting(ctx context.Context, err error) error {
	if ctx.Err() != nil || errors.Is(err, client.ErrClosed) || errors.Is(err, client.ErrRetriesExhausted) {
		return err
	}
	return nil
}

// commit writes the node, if it is as now says, together with the receipt. next gets its new version. zxid is 0 if it
// is not known.
func (r *register[T]) commit(ctx context.Context, now state[T], next *state[T]) (became verdict, zxid int64, err error) {
	txn := r.cl.Txn()
	data := r.codec.encode(next.value)
	if now.absent {
		txn.Create(r.path, data)
	} else {
		txn.Set(r.path, data, now.version)
	}
	r.receipt.sign(txn)
	results, err := txn.Commit(ctx)
	if err == nil {
		r.receipt.signed()
		r.written(now, next)
		return made, results[1].Stat.Mzxid, nil
	}
	if client.Outcome(err) == client.Unknown {
		became, err = r.resolve(ctx, now, next, err)
		return became, 0, err
	}
	failed, ok := errors.AsType[*client.TxnError](err)
	switch {
	case !ok:
		return again, 0, err
	case failed.Index == 1 && (errors.Is(err, client.ErrNoNode) || errors.Is(err, client.ErrBadVersion)):
		r.drop() // swept away, or written by somebody
		return again, 0, nil
	case failed.Index == 0 && now.absent && errors.Is(err, client.ErrNoNode):
		return again, 0, r.parent(ctx)
	case failed.Index == 0 && (errors.Is(err, client.ErrBadVersion) || errors.Is(err, client.ErrNodeExists) || errors.Is(err, client.ErrNoNode)):
		return beaten, 0, nil
	}
	return again, 0, err
}

func (r *register[T]) written(now state[T], next *state[T]) {
	if next.version++; now.absent {
		next.absent, next.version, next.czxid = false, 0, 0
	}
}

// resolve finds out, in this session or the next, what became of a transaction whose reply was lost.
func (r *register[T]) resolve(ctx context.Context, now state[T], next *state[T], why error) (verdict, error) {
	done, err := r.receipt.settle(ctx, r.cl.Ops)
	switch {
	case err == nil && done:
		r.written(now, next)
		return made, nil
	case err == nil:
		return again, nil
	case errors.Is(err, client.ErrNoNode):
		// Without the receipt the change will not be made any more. If the node is as it was it never was.
		r.receipt = nil
		_, stat, lerr := r.cl.Get(ctx, r.path)
		if lerr == nil && !now.absent && now.czxid != 0 && stat.Czxid == now.czxid && stat.Version == now.version {
			return again, nil
		}
		return again, &unknownError{fmt.Errorf("%w: %w: %w", ErrUnresolved, why, err)}
	}
	r.drop() // which keeps the change from being made later, once that is done
	return again, &unknownError{fmt.Errorf("%w: %w", why, err)}
}

// parent makes the node's parent: as Kazoo does for its own layout, otherwise as Curator does.
func (r *register[T]) parent(ctx context.Context) error {
	i := strings.LastIndexByte(r.path, '/')
	if i <= 0 {
		return nil
	}
	mode := client.Container
	if r.cfg.layout == Text {
		mode = client.Persistent
	}
	_, err := r.cl.Idempotent().Create(ctx, r.path[:i], nil, client.WithMode(mode), client.WithParents())
	if errors.Is(err, client.ErrUnimplemented) { // no containers before 3.5.1
		_, err = r.cl.Idempotent().Create(ctx, r.path[:i], nil, client.WithParents())
	}
	if errors.Is(err, client.ErrNodeExists) {
		return nil
	}
	return err
}
