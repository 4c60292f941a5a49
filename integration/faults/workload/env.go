package workload

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/faults/history"
	"github.com/zookit/zookit/integration/faults/models"
)

const (
	// cleanUp bounds what Run does after its context has ended: longer than any session lasts.
	cleanUp = 2 * time.Minute
	// look is how often a holder looks whether it still holds, where time is real, and note how often it writes that down.
	look = time.Millisecond
	note = 50 * time.Millisecond
)

// pace is the Pace, or its default.
func (e *Env) pace() time.Duration {
	if e.Pace > 0 {
		return e.Pace
	}
	return DefaultPace
}

// Some returns a random time, about the Pace on average: mostly shorter, sometimes much longer.
func (e *Env) Some() time.Duration {
	d := time.Duration(e.Rand.Int64N(int64(e.pace())) + 1)
	if e.Rand.IntN(8) == 0 {
		d *= 5
	}
	return d
}

// Stay returns how long to hold something: mostly as Some, and sometimes, unless all is calm, for several sessions.
func (e *Env) Stay() time.Duration {
	if e.Session > 0 && e.Rand.IntN(6) == 0 && (e.Calm == nil || !e.Calm()) {
		return time.Duration(e.Rand.Int64N(int64(3 * e.Session)))
	}
	return e.Some()
}

// shortLine has some clients take no line for a short one: they leave word when they go, and wait for that of others.
func (e *Env) shortLine() int {
	if e.Index%3 > 0 {
		return -1
	}
	return 0
}

// Bounded returns a context for a call that is to end by itself: mostly late, sometimes at once.
func (e *Env) Bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, time.Duration(e.Rand.Int64N(int64(15*e.pace()+e.Session))))
}

// Pause waits for a random time, or until ctx ends.
func (e *Env) Pause(ctx context.Context) { wait(ctx, e.Some()) }

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// Cleaning returns a context for what has to be done after ctx has ended.
func Cleaning(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), cleanUp)
}

// Holding is what all that is held has: lock.Held, election.Term, recipes.Grant.
type Holding interface {
	// Context ends with the holding.
	Context() context.Context
	// Err is nil while it is held. It looks at the clock.
	Err() error
	// Token is the fencing token.
	Token() int64
}

// Hold holds for the time d, or until the holding or ctx ends, and writes down until when it was
// believed in: the note models.Held, about the acquire op.
func (e *Env) Hold(ctx context.Context, op *history.Pending, h Holding, d time.Duration) {
	if e.Exact {
		e.holdExactly(ctx, op, h, d)
		return
	}
	end := time.NewTimer(d)
	defer end.Stop()
	tick := time.NewTicker(look)
	defer tick.Stop()
	var last, noted int64
	for over := false; !over; {
		now := e.Record.Now()
		if h.Err() != nil {
			break
		}
		last = now // it is held at that time, whatever has happened since
		if noted == 0 || last-noted > int64(note) {
			op.Note(last, models.Held, nil)
			noted = last
		}
		select {
		case <-tick.C:
		case <-end.C:
			over = true
		case <-ctx.Done():
			over = true
		}
	}
	if last > noted {
		op.Note(last, models.Held, nil)
	}
}

func (e *Env) holdExactly(ctx context.Context, op *history.Pending, h Holding, d time.Duration) {
	if h.Err() != nil {
		return
	}
	op.Note(e.Record.Now(), models.Held, nil)
	end := time.NewTimer(d)
	defer end.Stop()
	select {
	case <-end.C:
	case <-ctx.Done():
	case <-h.Context().Done():
	}
	op.Note(e.Record.Now(), models.Held, nil)
}

// Release gives back what was acquired by op, also when ctx has ended. A release that fails ends the holding all the
// same: nothing is done under it any more.
func (e *Env) Release(ctx context.Context, op *history.Pending, release func(context.Context) error) {
	ctx, cancel := Cleaning(ctx)
	defer cancel()
	rel := e.Record.Invoke(models.Release, models.ReleaseArgs{Acquire: op.Op()})
	if err := release(ctx); err != nil {
		rel.Unknown(err)
		return
	}
	rel.OK(nil)
}

// surprise returns the error of an acquire that its recipe says it never gives: all but that of its own
// context, and those that are expected besides.
func surprise(ctx context.Context, what string, err error, expected ...error) error {
	if err == nil || ctx.Err() != nil && (errors.Is(err, ctx.Err()) || errors.Is(err, client.ErrClosed)) {
		return nil
	}
	for _, e := range expected {
		if errors.Is(err, e) {
			return nil
		}
	}
	return fmt.Errorf("%s: an error that is not to be: %w", what, err)
}
