package client

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/internal/wire"
)

// WithMarker makes the transaction's outcome certain even if its reply is lost: as its last operation
// it also makes an ephemeral node with a random name in dir, which has to exist. After a
// lost reply the client looks for that node, in the same session and behind a commit of the
// quorum. If it is there the transaction was committed; otherwise it was not, and is
// repeated. When the session is lost with the reply the outcome stays Unknown.
//
// The marker is deleted in the background, at the latest with the session. It counts
// for neither [Txn.Len] nor the results; a [TxnError] about it has the Index Len. Of a
// transaction that was found by its marker not everything is known: a [TxnResult] has no Stat then, and no
// Path for a sequential create.
func (t *Txn) WithMarker(dir string) *Txn {
	t.marker = &marker{path: Join(dir, "txn-"+rand.Text()), err: checkPath(dir, false), dir: dir}
	return t
}

// marker is the node that tells whether a transaction was committed.
type marker struct {
	path string
	dir  string
	err  error // why dir cannot be
	o    Ops
	in   *Session // of the newest attempt
}

// refused is the error of a transaction whose marker cannot be.
func (m *marker) refused(t *Txn) error {
	first := m.dir
	if len(t.paths) > 0 {
		first = t.paths[0]
	}
	return refused(jute.OpMulti, first, &TxnError{Index: len(t.ops), Op: jute.OpCreate2.String(), Path: m.dir, Err: m.err})
}

// commit executes the transaction together with the marker's creation.
func (m *marker) commit(ctx context.Context, t *Txn) ([]TxnResult, error) {
	all := &Txn{o: t.o, ops: slices.Clip(t.ops), paths: slices.Clip(t.paths)}
	if all.Create(m.path, nil, WithMode(Ephemeral)); all.err != nil {
		return nil, refused(jute.OpMulti, t.paths[0], all.err)
	}
	m.o = t.o
	var reply jute.MultiReply
	r := all.request(&reply)
	r.prepare = func(s *Session, _ *wire.Call) { m.in = s }
	r.abandon = func(*wire.Call) { m.remove(true) }
	r.lost = func(ctx context.Context, s *Session, _ int64) (error, bool) {
		err := m.find(ctx, s)
		switch {
		case err == nil:
			reply.Results = asked(all.ops)
		case !errors.Is(err, errAgain):
			m.remove(true)
			return err, false
		}
		return err, true
	}
	results, err := all.commit(ctx, r, &reply)
	if err != nil {
		return nil, err
	}
	m.remove(false)
	return results[:len(t.ops)], nil
}

// find looks for the marker; it returns errAgain if there is none: then there never will be one.
func (m *marker) find(ctx context.Context, s *Session) error {
	same := m.o.inside(s)
	if err := same.barrier(ctx); err != nil {
		return err
	}
	_, ok, err := same.Exists(ctx, m.path)
	if err == nil && !ok {
		return errAgain
	}
	return err
}

// remove deletes the marker, which, if so said, may yet be made.
func (m *marker) remove(late bool) {
	o := m.o.steady(m.in)
	m.in.Cleanup("delete "+m.path, func(ctx context.Context) error {
		if late {
			if err := o.barrier(ctx); err != nil {
				return err
			}
		}
		return o.deleteGone(ctx, m.path)
	})
}

// asked is what is known of a transaction's results without its reply.
func asked(ops []jute.MultiOp) []jute.MultiResult {
	out := make([]jute.MultiResult, len(ops))
	for i, op := range ops {
		out[i].Op = jute.OpCheck // which has no result
		var create jute.CreateRequest
		switch body := op.Body.(type) {
		case *jute.CreateRequest:
			create = *body
		case *jute.CreateTTLRequest:
			create = body.CreateRequest
		}
		if !Mode(create.Flags).sequential() {
			out[i].Path = create.Path
		}
	}
	return out
}
