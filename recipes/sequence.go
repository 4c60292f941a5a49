package recipes

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Sequence is the number that the server appends to the name of a sequential
// node: a 32-bit counter of the parent, which counts the nodes ever made in it. After
// 2147483647 it goes on with -2147483648 on servers before 3.6; later ones give out
// 2147483647 for ever. A [Line] copes with either.
//
// Sequences are places in a line, not tokens: they start again at zero when the
// parent is made again. [Grant.Token] is what only grows.
type Sequence int32

// Compare says whether s was given out before (-1) or after (+1) t, across the
// wrap-around: what counts is the shorter way round from one to the other
// (serial number arithmetic). That is right as long as fewer than 2^31
// sequential nodes were made under the parent between the two, hence for all
// contenders that are alive together, unless one of them outlives two thousand
// million others. Two numbers exactly 2^31 apart compare as plain integers.
func (s Sequence) Compare(t Sequence) int {
	if s-t == -1<<31 {
		return cmp.Compare(s, t)
	}
	return compareFrom(t, s, t)
}

// String returns the number as the server prints it: "%010d", where a sign is
// one of the ten characters.
func (s Sequence) String() string { return fmt.Sprintf("%010d", int32(s)) }

// compareFrom orders a and b by their signed distance from origin. For a given
// origin it is a total order over all numbers, so that sorting by it is always
// defined; among numbers within one window of 2^31 it is the order in which they
// were given out, whichever of them is the origin.
func compareFrom(origin, a, b Sequence) int {
	return cmp.Compare(int32(a-origin), int32(b-origin))
}

// parseSequence reads an optional minus sign and decimal digits that make a
// 32-bit number. A plus sign, a space or an underscore is no number here.
func parseSequence(s string) (Sequence, bool) {
	digits := strings.TrimPrefix(s, "-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil {
		return 0, false
	}
	return Sequence(n), true
}
