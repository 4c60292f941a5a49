package work

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFloodStopsAtTheNumberOfOperations(t *testing.T) {
	t.Parallel()
	c := NewCourse(Spec{Work: "w", Path: "/p", Ops: 1000}, nil)
	var calls atomic.Int64
	require.NoError(t, c.Flood(t.Context(), 16, func(context.Context, int, int64) error {
		calls.Add(1)
		return nil
	}))
	s, err := c.Sample()
	require.NoError(t, err)
	require.Equal(t, 1000, s.Ops)
	require.Equal(t, int64(1000), calls.Load())
	require.NotEmpty(t, s.Latencies)
	require.LessOrEqual(t, len(s.Latencies), MaxLatencies)
}

func TestFloodStopsWhenTheTimeIsOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := NewCourse(Spec{Work: "w", Path: "/p", Millis: 1000}, nil)
		require.NoError(t, c.Flood(t.Context(), 2, func(context.Context, int, int64) error {
			<-time.After(100 * time.Millisecond)
			return nil
		}))
		s, err := c.Sample()
		require.NoError(t, err)
		require.InDelta(t, 20, s.Ops, 2)
		require.InDelta(t, 1, s.Seconds, 0.11)
		require.InDelta(t, 100_000, s.Latencies[0], 1)
	})
}

// Who is slow does not make the measured part longer.
func TestWhatIsUnderWayWhenTheTimeIsOverDoesNotCount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := NewCourse(Spec{Work: "w", Path: "/p", Millis: 1000}, nil)
		require.NoError(t, c.Flood(t.Context(), 2, func(_ context.Context, g int, _ int64) error {
			pause := 150 * time.Millisecond
			if g == 1 {
				pause = time.Minute
			}
			<-time.After(pause)
			return nil
		}))
		s, err := c.Sample()
		require.NoError(t, err)
		require.Equal(t, 6, s.Ops)
		require.InDelta(t, 1, s.Seconds, 0.001)
		require.Len(t, s.Latencies, 8, "one more that was under way, and the slow one")
		require.NoError(t, c.Exact(8), "they have been done all the same")
	})
}

func TestFloodEndsWithTheFirstError(t *testing.T) {
	t.Parallel()
	c := NewCourse(Spec{Work: "w", Path: "/p"}, nil) // no bound
	broken := errors.New("broken")
	require.ErrorIs(t, c.Flood(t.Context(), 4, func(ctx context.Context, g int, _ int64) error {
		if g == 1 {
			return broken
		}
		<-ctx.Done()
		return ctx.Err()
	}), broken)
}

// The call that reaches the bound ends the measured part before it returns, marks and all, and nothing counts after it.
func TestDoneEndsWhatIsMeasured(t *testing.T) {
	t.Parallel()
	var marks []string
	c := NewCourse(Spec{Work: "w", Path: "/p", Ops: 3, Marks: true}, func(name string) error {
		marks = append(marks, name)
		return nil
	})
	require.NoError(t, c.Begin())
	require.True(t, c.Done(1, time.Millisecond))
	require.Equal(t, []string{"begin"}, marks)
	require.False(t, c.Done(2, time.Millisecond))
	require.Equal(t, []string{"begin", "end"}, marks)
	require.False(t, c.Done(5, time.Millisecond))
	c.End()
	s, err := c.Sample()
	require.NoError(t, err)
	require.Equal(t, 3, s.Ops)
	require.Equal(t, []string{"begin", "end"}, marks)
}

func TestACourseThatHasNotEndedHasNoSample(t *testing.T) {
	t.Parallel()
	c := NewCourse(Spec{Work: "w", Path: "/p"}, nil)
	require.NoError(t, c.Begin())
	_, err := c.Sample()
	require.ErrorContains(t, err, "has not ended")
}

func TestACounterThatMissesAnAddIsFound(t *testing.T) {
	t.Parallel()
	c := NewCourse(Spec{Work: "w", Path: "/p"}, nil)
	require.NoError(t, c.Begin())
	c.Count(7)
	require.NoError(t, c.Exact(7))
	require.ErrorContains(t, c.Exact(8), "at 8 after 7 adds")
}

func TestTallyKeepsAnEvenChoice(t *testing.T) {
	t.Parallel()
	tally := newTally(100)
	for i := range 10_000 {
		tally.add(time.Duration(i) * time.Microsecond)
	}
	m := tally.micros()
	require.LessOrEqual(t, len(m), 100)
	require.Greater(t, len(m), 40)
	require.Less(t, m[0], 300.0)
	require.Greater(t, m[len(m)-1], 9700.0)
	require.InDelta(t, 5000, m[len(m)/2], 300)

	few := newTally(1000)
	for _, d := range []time.Duration{3, 1, 2} {
		few.add(d * time.Microsecond)
	}
	require.Equal(t, []float64{1, 2, 3}, few.micros())

	many := newTally(5000)
	for i := range 5000 {
		many.add(time.Duration(i) * time.Microsecond)
	}
	require.Len(t, many.micros(), MaxLatencies)
	require.InDelta(t, 0.0, many.micros()[0], 0)
	require.InDelta(t, 4999.0, many.micros()[MaxLatencies-1], 0)
}

func TestCPUAndAllocationsAreThoseOfTheMeasuredPart(t *testing.T) {
	t.Parallel()
	c := NewCourse(Spec{Work: "w", Path: "/p", Ops: 1000}, nil)
	var keep []*[64]byte
	require.NoError(t, c.Flood(t.Context(), 1, func(context.Context, int, int64) error {
		keep = append(keep, new([64]byte))
		return nil
	}))
	s, err := c.Sample()
	require.NoError(t, err)
	require.GreaterOrEqual(t, s.Allocs, uint64(1000))
	require.Len(t, keep, 1000)
	require.Positive(t, s.Seconds)
	require.GreaterOrEqual(t, s.CPU, 0.0)
}
