package work

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// lookPause is between two looks at a line that is not complete yet.
const lookPause = 5 * time.Millisecond

// Contest is contenders for something that few can have at a time.
type Contest struct {
	// Acquire waits until the contender of that number has it, and returns how to give it back.
	Acquire func(ctx context.Context, contender int) (release func(ctx context.Context) error, err error)
	// InLine tells how many hold or wait. Nil stands for a contest that begins without a line.
	InLine func(ctx context.Context) (int, error)
	// Once has each contender acquire once, and not again and again.
	Once bool
	// Abort ends waits that obey no context, once the measured part is over; it may be nil.
	Abort func()
}

// Contend measures a contest of the Course's Clients: from the first one's release, for which all others stand in line, until
// the bound is reached. A latency is from the last release before a grant to the grant.
func (c *Course) Contend(ctx context.Context, k Contest) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		all      sync.WaitGroup
		released atomic.Int64 // nanoseconds since began
		began    = time.Now()
	)
	turn := func(ctx context.Context, i int) error {
		release, err := k.Acquire(ctx, i)
		if err != nil {
			return err
		}
		c.Done(1, time.Since(began)-time.Duration(released.Load()))
		released.Store(int64(time.Since(began)))
		return release(ctx)
	}
	contend := func(i int) {
		for {
			err := turn(ctx, i)
			if c.isEnded() {
				return
			}
			if err != nil {
				cancel(fmt.Errorf("contender %d: %w", i, err))
				return
			}
			if k.Once {
				return
			}
		}
	}
	open := func() error { return nil }
	if k.InLine != nil {
		release, err := k.Acquire(ctx, 0)
		if err != nil {
			return fmt.Errorf("the first contender: %w", err)
		}
		open = func() error { return release(ctx) }
		for i := 1; i < max(2, c.Clients); i++ {
			all.Go(func() { contend(i) })
		}
		err = LineUp(ctx, max(2, c.Clients), k.InLine)
		if err != nil {
			cancel(err)
		}
	}
	if ctx.Err() == nil {
		if err := c.Begin(); err != nil {
			cancel(err)
		}
		released.Store(int64(time.Since(began)))
		if err := open(); err != nil {
			cancel(err)
		}
	}
	switch {
	case k.InLine == nil:
		for i := range max(1, c.Clients) {
			all.Go(func() { contend(i) })
		}
	case !k.Once:
		all.Go(func() { contend(0) })
	}
	through := make(chan struct{}) // who is Once through does not come again
	go func() {
		all.Wait()
		close(through)
	}()
	select {
	case <-through:
	case <-c.Ended():
	case <-ctx.Done():
	}
	err := context.Cause(ctx)
	c.End()
	cancel(nil)
	if k.Abort != nil {
		k.Abort()
	}
	<-through
	return err
}

// settleTime is longer for what takes long to come about in reality, and in which nobody has just arrived.
func settleTime(contenders int) time.Duration {
	if contenders >= 1000 {
		return LongSettleTime
	}
	return SettleTime
}

// LineUp waits until so many stand in line, and then for SettleTime.
func LineUp(ctx context.Context, want int, inLine func(ctx context.Context) (int, error)) error {
	pause := time.NewTicker(lookPause)
	defer pause.Stop()
	for {
		n, err := inLine(ctx)
		if err != nil {
			return fmt.Errorf("looking at the line: %w", err)
		}
		if n >= want {
			pause.Reset(settleTime(want))
		}
		select {
		case <-pause.C:
			if n >= want {
				return nil
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
