package models

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/zookit/zookit/integration/faults/history"
)

// RuleOwned is the rule of what is divided among members.
const RuleOwned = "each partition is somebody's, once all is calm"

// TakePart is the operation of being one of those among whom partitions are divided, from its invocation to its
// completion; its arguments are a [TakePartArgs].
const TakePart = "take-part"

// TakePartArgs are the arguments of a [TakePart].
type TakePartArgs struct {
	// Partitions are what is divided.
	Partitions []string `json:"partitions"`
	// Session is how long a session lasts, in nanoseconds.
	Session int64 `json:"session"`
}

// Owned checks that, once all is calm, no partition is nobody's for longer than sessions last while somebody takes part all the time. A
// partition is the What of a grant.
func Owned(h *history.History) []Violation {
	grants, err := Grants(h)
	if err != nil {
		return []Violation{{Rule: RuleHistory, Text: err.Error()}}
	}
	held := map[string][]*Grant{}
	for _, g := range grants {
		held[g.What] = append(held[g.What], g)
	}
	for _, of := range held {
		slices.SortFunc(of, func(a, b *Grant) int { return cmp.Compare(a.From, b.From) })
	}
	killed := kills(h)
	began := calm(h)
	var out []Violation
	for _, o := range h.Operations() {
		if o.Name != TakePart {
			continue
		}
		var args TakePartArgs
		if err := o.ArgsInto(&args); err != nil {
			return []Violation{{Rule: RuleHistory, Text: err.Error()}}
		}
		to := o.Ended
		if at, ok := killed[o.Process]; ok {
			to = min(to, at)
		}
		if to == history.Never { // it was still at it
			to = h.Events[len(h.Events)-1].Time
		}
		for _, name := range args.Partitions {
			if from, till, ok := gap(held[name], max(o.Invoked, began), to, 3*args.Session+int64(slack)); ok {
				out = append(out, Violation{Rule: RuleOwned, Text: fmt.Sprintf("%s was nobody's from %v to %v, though %s took part from %v to %v",
					name, duration(from), duration(till), o.Client, duration(o.Invoked), duration(to))})
			}
		}
	}
	return out
}

// gap is the first time between two that is longer than the bound in which nobody held, by grants in the order of From.
func gap(grants []*Grant, from, to, bound int64) (since, till int64, ok bool) {
	since = from
	for _, g := range grants {
		if g.From >= to {
			break
		}
		if g.From-since > bound {
			return since, g.From, true
		}
		since = max(since, g.Last)
	}
	return since, to, to-since > bound
}
