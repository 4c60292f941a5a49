package models

import (
	"fmt"

	"github.com/zookit/zookit/integration/faults/history"
)

// Rules of a double barrier.
const (
	RuleEnter = "nobody enters before enough have been there at once"
	RuleLeave = "nobody leaves before all have left who were inside"
)

// Rounds checks a double barrier for n. To be inside is an [Acquire], to leave a [Release]: who is in is one that
// believes so. Whoever has begun to enter may have its node there until it has left, for all that is known, or, if that
// failed, for ever.
func Rounds(h *history.History, n int) []Violation {
	type stay struct {
		client   string
		from, to int64 // when the node can have been there
	}
	var stays []stay
	type key struct {
		client string
		op     int64
	}
	index := map[key]int{}
	ops := h.Operations()
	for _, o := range ops {
		if o.Name == Acquire {
			index[key{o.Client, o.Op}] = len(stays)
			stays = append(stays, stay{o.Client, o.Invoked, history.Never})
		}
	}
	type leave struct {
		op      *history.Operation
		acquire int64
	}
	var leaves []leave
	for _, o := range ops {
		var args ReleaseArgs
		if o.Name != Release || o.ArgsInto(&args) != nil {
			continue
		}
		if i, ok := index[key{o.Client, args.Acquire}]; ok && o.Outcome == history.OK {
			stays[i].to = o.Completed
			leaves = append(leaves, leave{o, args.Acquire})
		}
	}
	grants, err := Grants(h)
	if err != nil {
		return []Violation{{Rule: RuleHistory, Text: err.Error()}}
	}
	var out []Violation
	for _, g := range grants {
		// Enough of them at one time that is no later than its success; and its own beginning is no later than that. Of those
		// times the beginnings of stays are enough to look at.
		best := 0
		for _, at := range stays {
			if at.from > g.From || at.to < g.Asked {
				continue
			}
			moment := max(at.from, g.Asked)
			there := map[string]bool{}
			for _, s := range stays {
				if s.from <= moment && s.to >= moment {
					there[s.client] = true
				}
			}
			best = max(best, len(there))
		}
		if best < n {
			out = append(out, Violation{Rule: RuleEnter, Text: fmt.Sprintf("%s entered at %v, and there were never more than %d at once since %v", g, duration(g.From), best, duration(g.Asked))})
		}
	}
	for _, l := range leaves {
		for _, g := range grants {
			if g.Client != l.op.Client && g.From < l.op.Invoked && g.To > l.op.Completed {
				out = append(out, Violation{Rule: RuleLeave, Text: fmt.Sprintf("%s left its operation %d from %v to %v, and %s was inside from %v to %v",
					l.op.Client, l.acquire, duration(l.op.Invoked), duration(l.op.Completed), g, duration(g.From), duration(g.To))})
			}
		}
	}
	return out
}
