package models

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/zookit/zookit/integration/faults/history"
)

// Rules of what is held.
const (
	RuleExclusive = "nobody holds what another holds"
	RuleTokens    = "tokens grow with every grant"
	RuleHistory   = "the history can be read"
)

// Exclusive checks what is held by one, or by readers together: from the moment at which a
// holder was told that it holds until the last at which it believed so nobody else was told the same,
// but readers among readers.
func Exclusive(h *history.History) []Violation {
	return eachThing(h, func(grants []*Grant) []Violation {
		var out []Violation
		for i, a := range grants {
			for _, b := range grants[i+1:] {
				if b.From >= a.To {
					break
				}
				if overlap(a, b) && !(a.Mode == ModeRead && b.Mode == ModeRead) {
					out = append(out, Violation{Rule: RuleExclusive, Text: fmt.Sprintf("%s believed that it held from %v to %v, and %s from %v to %v",
						a, duration(a.From), duration(a.To), b, duration(b.From), duration(b.To))})
				}
			}
		}
		return out
	})
}

// overlap tells whether both were believed in at once. One that is not known to have been
// believed in at all overlaps with nothing.
func overlap(a, b *Grant) bool {
	return a.From < a.To && b.From < b.To && a.From < b.To && b.From < a.To
}

// Tokens checks that a grant has a greater token than each that was had before it was asked for,
// and than that of each that it waited for; and that no token was given twice.
func Tokens(h *history.History) []Violation {
	return eachThing(h, func(grants []*Grant) []Violation {
		if !slices.ContainsFunc(grants, func(g *Grant) bool { return g.Token != 0 }) {
			return nil // of a library that has none
		}
		var out []Violation
		byToken := map[int64]*Grant{}
		for _, g := range grants {
			if other := byToken[g.Token]; other != nil && g.Follows == 0 {
				out = append(out, Violation{Rule: RuleTokens, Text: fmt.Sprintf("%s and %s have the same", other, g)})
			}
			byToken[g.Token] = g
		}
		// In the order of being told; a reader may be told later than one who came after it.
		var most *Grant
		for _, g := range grants {
			if most != nil && g.Token < most.Token && !(g.Mode == ModeRead && most.Mode == ModeRead) && g.From > most.To && most.From < most.To {
				out = append(out, Violation{Rule: RuleTokens, Text: fmt.Sprintf("%s was granted after %s", g, most)})
			}
			if most == nil || g.Token > most.Token {
				most = g
			}
		}
		return out
	})
}

// eachThing checks the grants of each thing of a history by itself, in the order of their From.
func eachThing(h *history.History, check func([]*Grant) []Violation) []Violation {
	grants, err := Grants(h)
	if err != nil {
		return []Violation{{Rule: RuleHistory, Text: err.Error()}}
	}
	things := map[string][]*Grant{}
	var names []string
	for _, g := range grants {
		if things[g.What] == nil {
			names = append(names, g.What)
		}
		things[g.What] = append(things[g.What], g)
	}
	var out []Violation
	for _, name := range names {
		slices.SortStableFunc(things[name], func(a, b *Grant) int { return cmp.Compare(a.From, b.From) })
		out = append(out, check(things[name])...)
	}
	return out
}
