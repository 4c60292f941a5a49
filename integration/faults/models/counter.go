package models

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/anishathalye/porcupine"

	"github.com/zookit/zookit/integration/faults/history"
)

// Rules of a counter.
const (
	RuleCounter = "changes of a counter are linearizable, and each is made exactly once"
	RuleAddedUp = "a counter is the sum of what was added to it"
	RuleCounted = "a counter shows what it was at some time"
)

// Operations of a counter. Their arguments are a [CounterArgs], their results a [CounterResult].
const (
	// Add adds Delta; Value is the sum. One of 0 reads it, by a commit of the quorum.
	Add = "add"
	// Swap makes Old, if it is that, Old + Delta.
	Swap = "swap"
	// Value reads it, perhaps a little late.
	Value = "value"
)

// CounterArgs are the arguments of an operation on a counter. No two of a run have the same Delta, other than 0, nor do several of them have the
// same sum as others; all are positive, so that no value comes twice.
type CounterArgs struct {
	Delta int64 `json:"delta,omitempty"`
	Old   int64 `json:"old,omitempty"`
}

// CounterResult is the result of an operation on a counter.
type CounterResult struct {
	Value int64 `json:"value"`
	// Refused tells that a Swap was not done, as the counter was something else.
	Refused bool `json:"refused,omitempty"`
}

// change is one operation on a counter.
type change struct {
	CounterArgs
	CounterResult
	op *history.Operation
	// made tells that it has changed the counter, for all that is known of others, if its outcome is unknown.
	made bool
}

// Counters checks the history of a counter that began at 0. Since values do not come twice the order of the changes is known, and
// what was done of those with an unknown outcome are the gaps between the others: a gap that no subset of them fills was made by a
// change that was made twice, or by one that was said not to have been.
func Counters(h *history.History) []Violation {
	var all []*change
	for _, o := range h.Operations() {
		if o.Name != Add && o.Name != Swap && o.Name != Value {
			continue
		}
		c := &change{op: o}
		if err := o.ArgsInto(&c.CounterArgs); err != nil {
			return []Violation{{Rule: RuleHistory, Text: err.Error()}}
		}
		if err := o.ResultInto(&c.CounterResult); err != nil {
			return []Violation{{Rule: RuleHistory, Text: err.Error()}}
		}
		if o.Outcome != history.Fail && (o.Name != Value || o.Outcome == history.OK) {
			all = append(all, c)
		}
	}
	seen, out := fillGaps(all)
	var steps []step
	for _, c := range all {
		switch {
		case c.op.Name == Value:
			if by, ok := seen[c.Value]; !ok || by > c.op.Completed {
				out = append(out, Violation{Rule: RuleCounted, Text: fmt.Sprintf("%s read %d from %v to %v", c.op.Client, c.Value, duration(c.op.Invoked), duration(c.op.Completed))})
			}
		case c.op.Outcome == history.OK:
			steps = append(steps, step{c.op, c, c.CounterResult})
		case c.made:
			steps = append(steps, step{c.op, c, nil})
		}
	}
	if len(out) > 0 {
		return out // porcupine has nothing to add
	}
	return linear(RuleCounter, counter, steps)
}

// counter begins at 0.
var counter = porcupine.Model{
	Init: func() any { return int64(0) },
	Step: func(state, input, output any) (bool, any) {
		now, c := state.(int64), input.(*change)
		out, known := output.(CounterResult)
		next := now + c.Delta
		switch {
		case known && c.op.Name == Swap && out.Refused:
			return now != c.Old, now
		case c.op.Name == Swap:
			return now == c.Old, next
		}
		return !known || out.Value == next, next
	},
	DescribeOperation: func(input, output any) string {
		c := input.(*change)
		return fmt.Sprintf("%s%+v → %+v", c.op.Name, c.CounterArgs, output)
	},
}

// fillGaps marks the changes with an unknown outcome that were made, and returns all values that the counter can have had, each with
// the earliest time at which it can have had it.
func fillGaps(all []*change) (seen map[int64]int64, out []Violation) {
	var known, open []*change // that tell a value, or a change to it
	for _, c := range all {
		switch {
		case c.op.Name == Value:
		case c.op.Outcome == history.Unknown:
			open = append(open, c)
		case !c.Refused:
			known = append(known, c)
		}
	}
	slices.SortStableFunc(known, func(a, b *change) int { return cmp.Or(cmp.Compare(a.Value, b.Value), -cmp.Compare(a.Delta, b.Delta)) })
	seen = map[int64]int64{0: 0}
	now := int64(0)
	for _, c := range known {
		gap := c.Value - c.Delta - now
		switch {
		case gap < 0:
			out = append(out, Violation{Rule: RuleAddedUp, Text: fmt.Sprintf("%s (operation %d) made it %d by adding %d, and it was %d before by another",
				c.op.Client, c.op.Op, c.Value, c.Delta, now)})
		case gap > 0:
			// What was open when this one had ended may have been done before it.
			some := slices.DeleteFunc(slices.Clone(open), func(o *change) bool { return o.made || o.op.Invoked > c.op.Completed || o.Delta > gap })
			fill := subset(some, gap)
			if fill == nil {
				out = append(out, Violation{Rule: RuleAddedUp, Text: fmt.Sprintf("from %d to %d (%s, operation %d, ended at %v) %d was added, which is no sum of the %d changes with an unknown outcome",
					now, c.Value-c.Delta, c.op.Client, c.op.Op, duration(c.op.Completed), gap, len(some))})
			}
			between(seen, now, fill)
			for _, o := range fill {
				o.made = true
				done := *o.op
				done.Completed = c.op.Completed
				o.op = &done
			}
		}
		seen[c.Value-c.Delta] = earliest(seen, c.Value-c.Delta, c.op.Completed)
		seen[c.Value] = earliest(seen, c.Value, c.op.Invoked)
		now = max(now, c.Value)
	}
	var rest []*change // what may have been done since, and not been told of by anybody
	for _, o := range open {
		if !o.made {
			rest = append(rest, o)
		}
	}
	if len(rest) <= maxFill {
		between(seen, now, rest)
	}
	return seen, out
}

func earliest(seen map[int64]int64, v, at int64) int64 {
	if was, ok := seen[v]; ok {
		return min(was, at)
	}
	return at
}

// between adds the values that the counter can have had while some changes were made, in whichever order.
func between(seen map[int64]int64, from int64, some []*change) {
	type reached struct{ value, at int64 }
	all := []reached{{from, 0}}
	for _, o := range some {
		for _, r := range slices.Clone(all) {
			next := reached{r.value + o.Delta, max(r.at, o.op.Invoked)}
			seen[next.value] = earliest(seen, next.value, next.at)
			all = append(all, next)
		}
	}
}

// maxFill is how many changes with an unknown outcome are looked for in one gap.
const maxFill = 6

// subset returns as few changes as can be whose deltas add up to the sum; nil if there are none.
func subset(some []*change, sum int64) []*change {
	slices.SortFunc(some, func(a, b *change) int { return cmp.Compare(a.Delta, b.Delta) })
	for n := 1; n <= min(maxFill, len(some)); n++ {
		if found := exactly(some, sum, n); found != nil {
			return found
		}
	}
	return nil
}

// exactly returns n of the changes, which are sorted.
func exactly(some []*change, sum int64, n int) []*change {
	if n == 1 {
		i, ok := slices.BinarySearchFunc(some, sum, func(c *change, v int64) int { return cmp.Compare(c.Delta, v) })
		if !ok {
			return nil
		}
		return []*change{some[i]}
	}
	for i := len(some) - 1; i >= n-1; i-- {
		if some[i].Delta*int64(n) < sum {
			return nil // the greatest are not enough
		}
		if found := exactly(some[:i], sum-some[i].Delta, n-1); found != nil {
			return append(found, some[i])
		}
	}
	return nil
}
