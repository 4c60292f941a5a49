package faultproxy

import (
	"slices"
	"strings"
	"sync/atomic"
)

// Match chooses a request. The proxy asks one Match after the other, for one
// request after the other, in the order in which the requests arrived over all
// connections. A Match must answer at once and must not call Close. A nil Match
// chooses every request.
type Match func(Request) bool

// Op matches requests with one of the given opcodes.
func Op(opcodes ...int32) Match {
	return func(r Request) bool { return slices.Contains(opcodes, r.Op) }
}

// OpPath matches requests with the opcode op whose path contains the given
// text; for a multi, the path of any of its parts.
func OpPath(op int32, contains string) Match {
	return func(r Request) bool {
		if r.Op != op {
			return false
		}
		return strings.Contains(r.Path, contains) ||
			slices.ContainsFunc(r.Parts, func(part Part) bool { return strings.Contains(part.Path, contains) })
	}
}

// Nth matches only the n-th request that m matches, counted from 1 and from
// the moment when the fault was asked for. The counter belongs to the returned
// Match: use it for one fault.
func Nth(n int, m Match) Match {
	var seen atomic.Int64
	return func(r Request) bool {
		return (m == nil || m(r)) && seen.Add(1) == int64(n)
	}
}
