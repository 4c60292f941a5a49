package models

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/zookit/zookit/integration/faults/history"
)

// RulePermits is the rule of a semaphore.
const RulePermits = "no more permits are held than there are"

// Permits checks that the permits in which their holders believed at once were never more than the limit.
func Permits(h *history.History, limit int) []Violation {
	type edge struct {
		at    int64
		grant *Grant
		begin bool
	}
	return eachThing(h, func(grants []*Grant) []Violation {
		var edges []edge
		for _, g := range grants {
			if g.From < g.To {
				edges = append(edges, edge{g.From, g, true}, edge{g.To, g, false})
			}
		}
		// At the same time ends come before beginnings.
		slices.SortStableFunc(edges, func(a, b edge) int {
			if d := cmp.Compare(a.at, b.at); d != 0 || a.begin == b.begin {
				return d
			}
			if a.begin {
				return 1
			}
			return -1
		})
		var out []Violation
		held := map[*Grant]bool{}
		sum := 0
		for _, e := range edges {
			if !e.begin {
				delete(held, e.grant)
				sum -= e.grant.Permits
				continue
			}
			held[e.grant] = true
			if sum += e.grant.Permits; sum > limit {
				var names []string
				for g := range held {
					names = append(names, fmt.Sprintf("%d by %s until %v", g.Permits, g, duration(g.To)))
				}
				slices.Sort(names)
				out = append(out, Violation{Rule: RulePermits, Text: fmt.Sprintf("%d of %d at %v: %s", sum, limit, duration(e.at), strings.Join(names, ", "))})
			}
		}
		return out
	})
}
