package recipes

import (
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/zookit/zookit/client"
)

// Kind says what a contender is there for. A line of mutexes knows one kind;
// recipes with more than one (readers and writers) tell them apart by it.
type Kind uint8

// The kinds.
const (
	// KindMutex is a contender that wants the line to itself: a lock, or the
	// leadership of an election that is built on one (Kazoo's Election, Curator's
	// LeaderSelector).
	KindMutex Kind = iota
	// KindWrite is a writer of a read-write lock, which wants the line to itself. In Kazoo's
	// layout it has the name of a mutex.
	KindWrite
	// KindRead is a reader, which shares the line with the readers next to it.
	KindRead
	// KindLatch is a candidate of Curator's LeaderLatch, which wants the line to itself.
	// Kazoo has none.
	KindLatch
)

var kindNames = [...]string{KindMutex: "mutex", KindWrite: "write", KindRead: "read", KindLatch: "latch"}

// String returns the kind's name.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// Layout says whose znodes a recipe writes and reads: the names of contenders
// and the kind of parent they live in. All programs that contend on one path have to
// use one layout: the libraries themselves do not see each other's contenders, and
// no name satisfies both of them at once. zookit does see them, and says
// [ErrLayoutConflict].
//
// The zero Layout is [Curator]. A Layout is a plain value: it can be compared,
// copied and used from several goroutines.
type Layout uint8

// The layouts.
const (
	// Curator is the default: names such as
	// _c_3b1ecdd0-1f37-4e4a-8a0b-0f1a4f0b5a11-lock-0000000042, in a parent that is a
	// container where the server has containers. Apache Curator's locks contend
	// correctly with it, and so do those of go-zookeeper and of others whose
	// names end in lock-<number>.
	Curator Layout = iota
	// Kazoo is what Kazoo's Lock and Election use by default: names such as
	// 3b1ecdd01f374e4a8a0b0f1a4f0b5a11__lock__0000000042, in a plain persistent parent.
	Kazoo
)

// grammar is what a layout stands for.
type grammar struct {
	title      string
	containers bool                          // parents are made as containers
	unique     func(id [16]byte) string      // the part of a name that no other contender has
	markers    []marker                      // what stands between that part and the sequence, by kind
	sequence   func(string) (Sequence, bool) // reads what follows the marker
}

type marker struct {
	kind Kind
	text string
}

// grammars is indexed by Layout.
var grammars = [...]*grammar{Curator: &curatorGrammar, Kazoo: &kazooGrammar}

// String returns "curator" or "kazoo".
func (l Layout) String() string {
	if g := l.grammar(); g != nil {
		return g.title
	}
	return fmt.Sprintf("layout(%d)", uint8(l))
}

func (l Layout) grammar() *grammar {
	if int(l) < len(grammars) {
		return grammars[l]
	}
	return nil
}

// NewPrefix returns the name of a new contender without the sequence that the
// server appends. It is unique: no two calls return the same, so a node whose name
// starts with it can only come from the create that was given it. The error says
// that the layout does not exist or has no names for the kind.
func (l Layout) NewPrefix(kind Kind) (string, error) {
	m, err := l.marker(kind)
	if err != nil {
		return "", err
	}
	return l.grammar().unique(newID()) + m, nil
}

func (l Layout) marker(kind Kind) (string, error) {
	g := l.grammar()
	if g == nil {
		return "", fmt.Errorf("%w: %s is not a layout: use recipes.Curator or recipes.Kazoo", client.ErrBadArgument, l)
	}
	for _, m := range g.markers {
		if m.kind == kind {
			return m.text, nil
		}
	}
	return "", fmt.Errorf("%w: the %s layout has no names for contenders of %s", client.ErrBadArgument, l, kind)
}

// Parse reads the name of a child. It reports ok if the layout takes it for a
// contender of one of the given kinds, whoever made it and however its unique
// part looks. No name is a contender of both layouts.
func (l Layout) Parse(name string, kinds ...Kind) (kind Kind, seq Sequence, ok bool) {
	g := l.grammar()
	if g == nil {
		return 0, 0, false
	}
	for _, kind := range kinds {
		for _, m := range g.markers {
			if m.kind != kind {
				continue
			}
			i := strings.LastIndex(name, m.text)
			if i < 0 {
				continue
			}
			if seq, ok := g.sequence(name[i+len(m.text):]); ok {
				return kind, seq, true
			}
		}
	}
	return 0, 0, false
}

// kinds are those that the layout has names for.
func (l Layout) kinds() []Kind {
	g := l.grammar()
	kinds := make([]Kind, 0, len(g.markers))
	for _, m := range g.markers {
		kinds = append(kinds, m.kind)
	}
	return kinds
}

// newID returns the bytes of a random (version 4) UUID.
func newID() [16]byte {
	var id [16]byte
	rand.Read(id[:]) // never fails: it would end the program instead
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return id
}
