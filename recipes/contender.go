package recipes

import (
	"cmp"
	"slices"
	"time"
)

// Contender is a node in a line, as its name tells it.
type Contender struct {
	// Name is the node's name within the line's directory.
	Name string
	// Sequence is its place: contenders are served in the order of Sequence.Compare.
	Sequence Sequence
	// Kind is what it is there for.
	Kind Kind
	// Layout is the layout its name is written in; another than the line's only
	// if the line is tolerant.
	Layout Layout
}

// Details is a contender together with what is stored in its node.
type Details struct {
	Contender
	// Path is the node's full path.
	Path string
	// Data is the node's data: in locks and elections, an identifier that its owner chose.
	Data []byte
	// Session is the id of the session that the node belongs to; 0 if it is
	// not ephemeral (Kazoo can make such locks).
	Session int64
	// Token is the node's czxid: what [Grant.Token] is for its owner, unless it was downgraded.
	Token int64
	// Since is when the contender joined the line, by the clock of the server.
	Since time.Time
}

// sortFrom orders contenders by sequence as seen from origin, then by kind and name: a
// total order, also over numbers too far apart to be a live line.
func sortFrom(origin Sequence, cs []Contender) {
	slices.SortFunc(cs, func(a, b Contender) int {
		return cmp.Or(compareFrom(origin, a.Sequence, b.Sequence), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
}

// Rule decides who has to wait for whom. It is given the contenders ahead of one's
// own, oldest first, and one's own; it returns the one to wait for, which must be one of
// those ahead, or false if own may be served now. It is asked again whenever the
// blocker's node changes or goes, and so need not name the last blocker at
// once. It must be a pure function: it is called from several goroutines.
type Rule func(ahead []Contender, own Contender) (blocker Contender, blocked bool)

// DirectlyAhead is the rule of mutexes and elections: each waits for the one
// directly ahead, so that each departure wakes one.
func DirectlyAhead(ahead []Contender, _ Contender) (Contender, bool) {
	if len(ahead) == 0 {
		return Contender{}, false
	}
	return ahead[len(ahead)-1], true
}

// NearestWriterAhead is the rule of readers: each waits for the nearest one ahead that is
// not a reader, so that the departure of a writer wakes the readers between it and the next
// writer, and nobody else. Whatever is not known to be a reader counts as a writer. For
// the writers of the same line [DirectlyAhead] is the rule.
func NearestWriterAhead(ahead []Contender, _ Contender) (Contender, bool) {
	for _, c := range slices.Backward(ahead) {
		if c.Kind != KindRead {
			return c, true
		}
	}
	return Contender{}, false
}
