package election

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/zookit/zookit/client"
)

// work is a function that Run has working under a term.
type work struct {
	done chan struct{} // closed when it has ended and the term is given up
	err  error         // of giving it up; read after done
}

// workKey finds the work in the context of its function.
type workKey struct{}

// is tells whether ctx is the function's own.
func (w *work) is(ctx context.Context) bool { return ctx.Value(workKey{}) == w }

func (w *work) wait(ctx context.Context) error {
	select {
	case <-w.done:
		return w.err
	case <-ctx.Done():
		return fmt.Errorf("election: the leadership will be given up when the function that runs under it has returned: %w", ended(ctx))
	}
}

// Run campaigns, and runs fn while it leads; when a term ends before fn has returned it campaigns
// again.
//
// fn gets ctx, ended in addition when the term ends, whose cause then tells why. It has to return
// then: the leadership is given up, and Run goes on, when it has, never before. So at most one fn
// runs at a time among all participants that use Run, as far as fn obeys its context; see the
// package's documentation for the rest.
//
// When fn returns while the term lasts, Run resigns and returns what fn returned. When fn returns
// after the term has ended, by loss, [Term.Resign] or [Term.HandOver], what it returned is logged
// (at level Warn, unless it is nil or the end of its context) and Run campaigns again, at the end
// of the line: to leave for good cancel ctx, or return before the term ends. If ctx has ended as
// well Run returns what fn returned, together with [ErrLost] if the term was lost: what fn did
// last may have overlapped with the next leader, unless it was fenced.
//
// While nobody runs fn the errors are those of [Election.Campaign]. If the leadership cannot be
// given up the error says so. If fn panics, Run resigns and the panic goes on. Several calls at
// once are candidates of their own.
func (e *Election) Run(ctx context.Context, fn func(ctx context.Context, term *Term) error) error {
	if fn == nil {
		return fmt.Errorf("election: %w: the function to run under the leadership is nil", client.ErrBadArgument)
	}
	if e.err != nil {
		return e.err
	}
	e.seek(1)
	defer e.seek(-1)
	for {
		t, err := e.campaign(ctx, &work{done: make(chan struct{})})
		if err != nil {
			return err
		}
		again, err := t.run(ctx, fn)
		if !again {
			return err
		}
	}
}

// run runs fn under the term and gives that up. It tells whether Run is to campaign again.
func (t *Term) run(ctx context.Context, fn func(ctx context.Context, term *Term) error) (again bool, err error) {
	under, cancel := context.WithCancelCause(context.WithValue(ctx, workKey{}, t.work))
	stop := context.AfterFunc(t.ctx, func() { cancel(context.Cause(t.ctx)) })
	defer func() {
		over := t.Err() // how it had ended when fn returned
		stop()
		cancel(nil)
		refused := t.giveUp(ctx)
		switch {
		case refused != nil:
			err = errors.Join(err, refused)
		case over == nil:
		case ctx.Err() == nil:
			if err != nil && !errors.Is(err, over) && !errors.Is(err, context.Canceled) {
				t.election.cl.Logger().Warn("the function that led has failed after its term", "path", t.Path(), "err", err)
			}
			again = true
		case errors.Is(over, ErrLost) && !errors.Is(err, ErrLost):
			err = errors.Join(err, over)
		}
	}()
	return false, fn(under, t)
}

// giveUp ends the term in the way that was asked for; nobody works on it any more. It goes on after ctx, which is Run's,
// but not for ever: without a server in reach it is over when the session is.
func (t *Term) giveUp(ctx context.Context) error {
	t.mu.Lock()
	order := t.order
	if order == nil {
		t.cancel(ErrResigned)
	}
	t.mu.Unlock()
	t.election.forget(t)
	if order != nil {
		finding, stop := t.outliving(ctx)
		order.err = t.transfer(finding, order)
		stop()
		close(order.done)
		if order.err != nil {
			t.election.cl.Logger().Warn("the leadership could not be handed over", "path", t.Path(), "err", order.err)
		}
	}
	t.work.err = t.release(context.WithoutCancel(ctx))
	close(t.work.done)
	return t.work.err
}

// outliving returns a context that ends when ctx has ended and the term's session is over. What is to be done before the
// latter is as good as certain; what became of it can be found out later too, but only as long as somebody
// wants to know.
func (t *Term) outliving(ctx context.Context) (context.Context, context.CancelFunc) {
	under, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	var ended atomic.Int32
	end := func() {
		if ended.Add(1) == 2 {
			cancel(context.Cause(ctx))
		}
	}
	stops := []func() bool{context.AfterFunc(ctx, end), context.AfterFunc(t.grant.Session().Context(), end)}
	return under, func() {
		for _, stop := range stops {
			stop()
		}
		cancel(nil)
	}
}
