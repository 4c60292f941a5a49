package models

import (
	"fmt"

	"github.com/zookit/zookit/integration/faults/history"
	"github.com/zookit/zookit/integration/faults/resource"
)

// Rules of what is written under a lock.
const (
	RuleLostUpdate = "what is written under the lock is not lost"
	RuleFenced     = "a resource that checks tokens loses nothing"
)

// Written is the operation of writing to a resource; its arguments are a [WrittenArgs], its result a [WrittenResult].
const Written = "write"

// WrittenArgs are the arguments of a [Written].
type WrittenArgs struct {
	// Acquire is the number of the acquire under which is written.
	Acquire int64 `json:"acquire"`
}

// WrittenResult is the result of a [Written].
type WrittenResult struct {
	// Held tells that the lock was believed in when the write had been answered.
	Held bool `json:"held"`
}

// Fenced checks what a resource that checks tokens has noted: no write that it has accepted replaced
// something that its writer had not read, whatever was done to anybody.
func Fenced(h *history.History) []Violation {
	var out []Violation
	for _, e := range effects(h) {
		if e.Was != e.Base {
			out = append(out, Violation{Rule: RuleFenced, Text: fmt.Sprintf("at %v %s wrote with token %d over version %d, having read %d",
				duration(e.at), e.Client, e.Token, e.Was, e.Base)})
		}
	}
	return out
}

// Unguarded checks what a resource has noted that takes every write: one that replaces something that its
// writer has not read is a violation, unless one of those that wrote in between, or the writer, was stopped while it held, or was not
// told in time to be still holding after it had written: against that no lock can help.
func Unguarded(h *history.History) []Violation {
	grants, err := Grants(h)
	if err != nil {
		return []Violation{{Rule: RuleHistory, Text: err.Error()}}
	}
	stops := h.Stops()
	type key struct {
		client  string
		acquire int64
	}
	granted := map[key]*Grant{}
	for _, g := range grants {
		granted[key{g.Client, g.Op}] = g
	}
	inTime := map[key]bool{} // all its writes were answered while it held
	for _, o := range h.Operations() {
		var args WrittenArgs
		var result WrittenResult
		if o.Name != Written || o.ArgsInto(&args) != nil {
			continue
		}
		k := key{o.Client, args.Acquire}
		if before, ok := inTime[k]; ok && !before {
			continue
		}
		inTime[k] = o.Outcome == history.OK && o.ResultInto(&result) == nil && result.Held
	}
	excused := func(e effect) bool {
		k := key{e.Client, e.Acquire}
		g := granted[k]
		if g == nil || !inTime[k] {
			return true
		}
		_, stopped := stops.Between(g.Process, g.Asked, e.at)
		return stopped
	}
	all := effects(h)
	var out []Violation
	for i, e := range all {
		if e.Was == e.Base || excused(e) {
			continue
		}
		forgiven := false
		for _, other := range all[:i] {
			if other.Was >= e.Base && excused(other) {
				forgiven = true
			}
		}
		if !forgiven {
			out = append(out, Violation{Rule: RuleLostUpdate, Text: fmt.Sprintf("at %v %s (operation %d, token %d) wrote over version %d, having read %d",
				duration(e.at), e.Client, e.Acquire, e.Token, e.Was, e.Base)})
		}
	}
	return out
}

type effect struct {
	resource.Effect
	at int64
}

// effects returns the writes that the resource has carried out, in their order.
func effects(h *history.History) []effect {
	var out []effect
	for _, e := range h.Notes(resource.Written) {
		eff := effect{at: e.Time}
		if e.Into(&eff.Effect) == nil {
			out = append(out, eff)
		}
	}
	return out
}
