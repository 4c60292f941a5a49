package election

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

var errNodeGone = fmt.Errorf("%w: %w", ErrLost, client.ErrHoldDeleted)

// handOver is an order to give a term to somebody.
type handOver struct {
	to    string
	route route         // as it was when the order was given
	done  chan struct{} // closed when it has been tried
	err   error         // read after done
}

// route is the way to a candidate.
type route struct {
	to      string   // its node
	between []string // the nodes of those who are to lead before it
}

// HandOver gives the leadership to the candidate with that id; of several, to the first one. The
// term's context ends, with [ErrHandedOver], before anything is sent. Then one transaction, which
// demands that this leader's node and the candidate's are there, deletes this leader's node and
// those of all candidates between the two. Thus nobody else leads in between, and the candidate
// does at once. Those who are passed over join again at the end of the line by themselves, as
// Kazoo's and Curator's do.
//
// [ErrNoCandidate], and any other error before the context has ended, leaves the leadership as it
// was. An error after that says that the leadership was resigned instead, to the next in line:
// the candidate has left meanwhile ([ErrNoCandidate]); ctx has ended, or the server or client has
// refused something. If an answer is lost HandOver finds out whether the candidate leads; the
// outcome is client.Unknown if the candidate was gone again by then. If the term is over already
// the error is the cause of its context.
//
// Finding the candidate costs a read, and one for each candidate. Work under the term must be
// over; a term of Run is handed over when its function has returned, as with [Term.Resign], and
// Run then campaigns again. Called with the function's context HandOver returns nil at once, and
// what becomes of it is logged.
func (t *Term) HandOver(ctx context.Context, id string) error {
	fail := func(err error) error {
		return fmt.Errorf("election %s: hand over to %q: %w", t.election.path, id, err)
	}
	if err := t.Err(); err != nil {
		return fail(err)
	}
	route, err := t.find(ctx, id)
	if cause := context.Cause(t.ctx); cause != nil { // by another call, perhaps, and the node with it
		err = cause
	}
	if err != nil {
		return fail(err)
	}
	alive := ctx.Err() == nil
	order := &handOver{to: id, route: route, done: make(chan struct{})}
	if err := t.give(order); err != nil {
		return fail(err)
	}
	if t.work == nil {
		if alive && errors.Is(context.Cause(ctx), ErrHandedOver) {
			ctx = context.WithoutCancel(ctx) // it was the term's own
		}
		order.err = t.transfer(ctx, order)
		close(order.done)
		return order.err
	}
	if t.work.is(ctx) {
		return nil
	}
	if alive && errors.Is(context.Cause(ctx), ErrHandedOver) {
		ctx = context.WithoutCancel(ctx)
	}
	select {
	case <-order.done:
		return order.err
	case <-ctx.Done():
		return fail(fmt.Errorf("it will be done when the function that leads has returned: %w", ended(ctx)))
	}
}

// give ends the term's context for an order, unless it has ended otherwise.
func (t *Term) give(order *handOver) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.ctx.Err(); err != nil {
		return context.Cause(t.ctx)
	}
	t.cancel(ErrHandedOver)
	if cause := context.Cause(t.ctx); !errors.Is(cause, ErrHandedOver) {
		return cause
	}
	t.order = order
	return nil
}

// transfer carries an order out, or resigns.
func (t *Term) transfer(ctx context.Context, order *handOver) error {
	err := t.pass(ctx, order)
	if err == nil {
		t.mu.Lock()
		t.gone = true
		t.mu.Unlock()
		t.withdraw()
		return nil
	}
	return errors.Join(fmt.Errorf("election %s: hand over to %q: resigned instead: %w", t.election.path, order.to, err), t.release(ctx))
}

// pass deletes the own node and those on the way, whatever is lost and whoever leaves meanwhile.
func (t *Term) pass(ctx context.Context, order *handOver) error {
	s := t.grant.Session()
	end, err := s.Begin() // not to be left to another process half done
	if err != nil {
		return err
	}
	defer end()
	t.grant.End()
	var (
		route = order.route
		lost  error // of a try whose answer was
		pace  pace
	)
	for {
		txn := s.Txn().Check(t.Path(), client.AnyVersion).Check(route.to, client.AnyVersion)
		for _, node := range route.between {
			txn.Delete(node, client.AnyVersion)
		}
		_, err := txn.Delete(t.Path(), client.AnyVersion).Commit(ctx)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("%w; at last: %w", ended(ctx), err)
		case errors.Is(err, client.ErrSessionLost), errors.Is(err, client.ErrClosed):
			return err
		case client.Outcome(err) == client.Unknown:
			lost = err
		case !errors.Is(err, client.ErrNoNode):
			return err
		}
		if err := pace.wait(ctx); err != nil {
			return err
		}
		before := route.to
		route, err = t.find(ctx, order.to)
		if errors.Is(err, errNodeGone) && lost != nil {
			return t.arrived(ctx, before, lost)
		}
		if err != nil {
			return err
		}
	}
}

// arrived tells whether the transaction whose answer was lost has made the candidate the leader:
// the own node is gone.
func (t *Term) arrived(ctx context.Context, candidate string, lost error) error {
	line, err := t.election.line.Contenders(ctx)
	if err == nil && len(line) > 0 && client.Join(t.election.path, line[0].Name) == candidate {
		return nil
	}
	return fmt.Errorf("the answer was lost, and the candidate does not lead now: %w", errors.Join(lost, context.Cause(t.grant.Session().Context()), err))
}

// find looks for the way to a candidate behind the leader.
func (t *Term) find(ctx context.Context, id string) (route, error) {
	line, err := t.election.line.Details(ctx)
	if err != nil {
		return route{}, err
	}
	own := slices.IndexFunc(line, func(d recipes.Details) bool { return d.Path == t.Path() })
	if own < 0 {
		return route{}, errNodeGone
	}
	var r route
	for _, d := range line[own+1:] {
		if string(d.Data) == id {
			r.to = d.Path
			return r, nil
		}
		r.between = append(r.between, d.Path)
	}
	return route{}, fmt.Errorf("%w: %d candidates wait, none of them is called that", ErrNoCandidate, len(r.between))
}
