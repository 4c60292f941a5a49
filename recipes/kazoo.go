package recipes

import (
	"encoding/hex"
	"strings"
)

// kazooGrammar: what Kazoo's Lock writes, and what it reads: its marker followed
// by exactly ten digits. A negative number of up to nine digits is one that Kazoo
// itself overlooks (the sign takes one of the ten places); here it counts, since
// after the wrap-around it is a contender like any other.
var kazooGrammar = grammar{
	title:   "kazoo",
	unique:  func(id [16]byte) string { return hex.EncodeToString(id[:]) },
	markers: []marker{{KindMutex, "__lock__"}, {KindWrite, "__lock__"}, {KindRead, "__rlock__"}},
	sequence: func(s string) (Sequence, bool) {
		if len(s) != 10 && !(len(s) == 11 && strings.HasPrefix(s, "-")) {
			return 0, false
		}
		return parseSequence(s)
	},
}
