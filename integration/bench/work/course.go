package work

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Course is one spec on its way to a sample: the clock, the counts and the bound of its measured part. Its
// methods are safe for concurrent use.
type Course struct {
	Spec

	mark func(name string) error

	over  atomic.Bool
	taken atomic.Int64 // operations that were allowed to begin
	flood atomic.Int64 // operations of a Flood that have ended
	ended chan struct{}
	timer *time.Timer

	mu     sync.Mutex
	start  usage
	ops    int
	tally  tally
	sample Sample
	err    error
}

// NewCourse begins nothing yet. Mark is called with "begin" and "end" around the measured part and returns when that may
// go on; it may be nil.
func NewCourse(s Spec, mark func(name string) error) *Course {
	if mark == nil || !s.Marks {
		mark = func(string) error { return nil }
	}
	return &Course{Spec: s, mark: mark, ended: make(chan struct{}), tally: newTally(MaxLatencies * 8)}
}

// Begin starts the measured part. Whoever measures ends it by End, or by a Done that reaches the bound.
func (c *Course) Begin() error {
	if err := c.mark("begin"); err != nil {
		return fmt.Errorf("marking the beginning: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.start = now()
	if c.Millis > 0 {
		c.timer = time.AfterFunc(time.Duration(c.Millis)*time.Millisecond, c.timeIsUp)
	}
	return nil
}

// timeIsUp ends a Flood there and then: what is still under way does not count, nor does the wait for it.
func (c *Course) timeIsUp() {
	c.over.Store(true)
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := int(c.flood.Load()); n > 0 && !c.isEnded() {
		c.end()
		c.sample.Ops = n
	}
}

// Over tells whether the bound is reached, so that nothing more should begin.
func (c *Course) Over() bool { return c.over.Load() }

// Take allows one more operation to begin, or says that the bound is reached.
func (c *Course) Take() bool {
	return !c.over.Load() && (c.Ops == 0 || c.taken.Add(1) <= int64(c.Ops))
}

// Done counts operations that have ended, with how long they took, and tells whether there is more to do. The call that reaches the bound
// ends the measured part before it returns: a caller that holds something still holds it then.
func (c *Course) Done(ops int, latency time.Duration) (more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.isEnded() {
		return false
	}
	c.ops += ops
	c.tally.add(latency)
	if c.Ops > 0 && c.ops >= c.Ops {
		c.over.Store(true)
	}
	if c.over.Load() {
		c.end()
		return false
	}
	return true
}

// add takes over what one of many goroutines has counted by itself.
func (c *Course) add(ops int, t tally) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ops += ops
	for _, l := range t.values {
		c.tally.add(l)
	}
	if c.isEnded() {
		c.sample.Latencies = c.tally.micros()
	}
}

// Count counts operations that have no latency of their own and reach no bound.
func (c *Course) Count(ops int) { c.add(ops, tally{}) }

// Exact fails if a counter that began with 0 is not at the number of operations.
func (c *Course) Exact(counter int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if counter != int64(c.ops) {
		return fmt.Errorf("the counter is at %d after %d adds that succeeded", counter, c.ops)
	}
	return nil
}

// Report ends the measured part with a sample of the caller's.
func (c *Course) Report(s Sample) {
	c.End()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sample = s
}

// End ends the measured part, if nothing has ended it yet.
func (c *Course) End() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.isEnded() {
		c.end()
	}
}

func (c *Course) end() {
	c.over.Store(true)
	if c.timer != nil {
		c.timer.Stop()
	}
	c.sample = c.start.since()
	c.sample.Ops = c.ops
	c.sample.Latencies = c.tally.micros()
	if err := c.mark("end"); err != nil {
		c.err = fmt.Errorf("marking the end: %w", err)
	}
	close(c.ended)
}

func (c *Course) isEnded() bool {
	select {
	case <-c.ended:
		return true
	default:
		return false
	}
}

// Ended is closed at the end of the measured part.
func (c *Course) Ended() <-chan struct{} { return c.ended }

// Sample is what came of the measured part, once it has ended.
func (c *Course) Sample() (Sample, error) {
	if !c.isEnded() {
		return Sample{}, fmt.Errorf("the work %q has not ended what it measures", c.Work)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sample, c.err
}

// To look at the clock costs a part of what the fastest operations take: so of each goroutine's operations the
// latency of the first allTimed is measured, and then that of each someTimed-th.
const (
	allTimed  = 32
	someTimed = 16
)

// Flood measures op, run by so many goroutines at once without a pause until the bound is reached. Each call is one
// operation; it is told the number of its goroutine, from 0, and its own, from 1.
func (c *Course) Flood(ctx context.Context, goroutines int, op func(ctx context.Context, goroutine int, n int64) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if err := c.Begin(); err != nil {
		return err
	}
	var (
		all  sync.WaitGroup
		next atomic.Int64
	)
	for g := range max(1, goroutines) {
		all.Go(func() {
			t, done := newTally(MaxLatencies), 0
			for c.Take() {
				var began time.Time
				timed := done < allTimed || done%someTimed == 0
				if timed {
					began = time.Now()
				}
				if err := op(ctx, g, next.Add(1)); err != nil {
					c.over.Store(true)
					cancel(err)
					break
				}
				if timed {
					t.add(time.Since(began))
				}
				c.flood.Add(1)
				done++
			}
			c.add(done, t)
		})
	}
	all.Wait()
	c.End()
	return context.Cause(ctx)
}

// Each measures op, one call after the other until the bound is reached. It tells how many operations that was, and
// what of them took how long.
func (c *Course) Each(ctx context.Context, op func(ctx context.Context) (ops int, latency time.Duration, err error)) error {
	if err := c.Begin(); err != nil {
		return err
	}
	for !c.Over() {
		ops, latency, err := op(ctx)
		if err != nil {
			return err
		}
		if !c.Done(ops, latency) {
			break
		}
	}
	c.End()
	return nil
}
