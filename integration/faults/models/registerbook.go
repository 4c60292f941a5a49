package models

import (
	"fmt"
	"slices"

	"github.com/anishathalye/porcupine"

	"github.com/zookit/zookit/integration/faults/history"
)

// entry is one operation on registers.
type entry struct {
	request
	op     *history.Operation
	result RegisterResult
}

// book is all that a history tells of registers. Most of what became of operations with an unknown outcome is told by
// others, since every value is written once, and versions have no gaps: porcupine would have to try all
// possibilities, of which there are too many.
type book struct {
	entries []*entry
	writers [maxKeys]map[string]*entry // by value, without those that failed
	claims  [maxKeys]map[int32]bool    // versions whose writer is known
	top     [maxKeys]int32             // the greatest version that anybody is known to have met
	reads   []*entry
}

func newBook() *book {
	b := &book{}
	for i := range maxKeys {
		b.writers[i], b.claims[i] = map[string]*entry{}, map[int32]bool{}
	}
	return b
}

// enter notes an operation, in the order in which they began.
func (b *book) enter(e entry) {
	switch {
	case e.op.Outcome == history.Fail:
		return
	case e.name == Get:
		if e.op.Outcome == history.OK {
			b.reads = append(b.reads, &e)
		}
		return
	}
	if e.op.Outcome != history.OK {
		e.result = RegisterResult{Version: -1}
	}
	b.entries = append(b.entries, &e)
	if !e.result.Refused {
		b.writers[e.Key][e.Value] = &e
	}
}

// unsought returns the reads of what nobody has written, and takes what the others tell of operations whose version is
// not known: that they were done, as which version, and by when.
func (b *book) unsought() []Violation {
	var out []Violation
	for _, r := range b.reads {
		b.top[r.Key] = max(b.top[r.Key], r.result.Version)
		if r.result.Value == "" {
			continue
		}
		w := b.writers[r.Key][r.result.Value]
		if w == nil || w.op.Invoked > r.op.Completed {
			out = append(out, Violation{Rule: RuleUnsought, Text: fmt.Sprintf("%s read %q of %d at %v", r.op.Client, r.result.Value, r.Key, duration(r.op.Ended))})
			continue
		}
		if w.result.Version < 0 {
			w.result.Version = r.result.Version
		}
		if w.op.Outcome == history.Unknown {
			done := *w.op
			done.Completed = min(done.Completed, r.op.Completed)
			w.op = &done
		}
	}
	for _, e := range b.entries {
		if v := e.result.Version; v >= 0 {
			b.claims[e.Key][v] = true
			b.top[e.Key] = max(b.top[e.Key], v)
		}
		b.demanded(e)
	}
	return out
}

// demanded takes what the answer to a demand tells: that there was the version, or, since versions only grow, that
// there was a greater one.
func (b *book) demanded(e *entry) {
	key := e.Key
	switch {
	case e.op.Outcome != history.OK || e.name != CAS && e.name != Txn:
		return
	case e.name == Txn:
		key = e.Check
	}
	least := e.Expect
	if e.result.Refused {
		least++
	}
	b.top[key] = max(b.top[key], least)
}

// steps returns what porcupine is to order.
func (b *book) steps() []step {
	var out []step
	for _, r := range b.reads {
		if r.How == Confirmed {
			out = append(out, step{r.op, r.request, r.result})
		}
	}
	for _, e := range b.entries {
		switch {
		case e.op.Outcome == history.OK, e.result.Version >= 0:
			out = append(out, step{e.op, e.request, e.result})
		case b.gap(e.Key):
			out = append(out, step{e.op, e.request, nil})
		}
	}
	slices.SortStableFunc(out, func(a, b step) int { return int(min(max(a.op.Invoked-b.op.Invoked, -1), 1)) })
	return out
}

// gap tells whether a version of a register was made by nobody knows whom.
func (b *book) gap(key int) bool {
	for v := int32(1); v <= b.top[key]; v++ {
		if !b.claims[key][v] {
			return true
		}
	}
	return false
}

// model returns registers that begin at version 0, without a value. An operation of which nothing is known has either made one
// of the versions that nobody else is known to have made, or nothing that anybody has seen, and then
// comes last.
func (b *book) model() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return cells{} },
		Step: func(state, input, output any) (bool, any) {
			s, in := state.(cells), input.(request)
			out, known := output.(RegisterResult)
			if known {
				return b.known(s, in, out)
			}
			return b.unknown(s, in)
		},
		DescribeOperation: func(input, output any) string {
			in := input.(request)
			if output == nil {
				return fmt.Sprintf("%s%+v → ?", in.name, in.RegisterArgs)
			}
			return fmt.Sprintf("%s%+v → %+v", in.name, in.RegisterArgs, output)
		},
		DescribeState: func(state any) string { return fmt.Sprintf("%+v", state.(cells)) },
	}
}

// refuses tells whether a demand is not met.
func (s *cells) refuses(in request) bool {
	switch in.name {
	case CAS:
		return s[in.Key].version != in.Expect
	case Txn:
		return s[in.Check].version != in.Expect
	default:
		return false
	}
}

func (b *book) known(s cells, in request, out RegisterResult) (bool, any) {
	c := &s[in.Key]
	if in.name == Get {
		return *c == cell{out.Version, out.Value}, s
	}
	if refused := s.refuses(in); refused || out.Refused {
		return refused == out.Refused, s
	}
	*c = cell{c.version + 1, in.Value}
	if out.Version < 0 {
		return !b.claims[in.Key][c.version], s
	}
	return c.version == out.Version, s
}

func (b *book) unknown(s cells, in request) (bool, any) {
	over := true
	for key, top := range b.top {
		over = over && s[key].version >= top
	}
	c := &s[in.Key]
	if over {
		return true, s
	}
	if s.refuses(in) || c.version >= b.top[in.Key] || b.claims[in.Key][c.version+1] {
		return false, s
	}
	*c = cell{c.version + 1, in.Value}
	return true, s
}
