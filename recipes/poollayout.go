package recipes

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/zookit/zookit/client"
)

// The names in a pool in Curator's layout, and the end of the name of what stands beside a
// pool in Kazoo's.
const (
	poolLine    = "locks"
	poolPermits = "leases"
	permitMark  = "lease-"
	lineSuffix  = "-__lock__"
)

// poolDirs returns the directories of a pool's permits and of the line before it.
func (l Layout) poolDirs(pool string) (permits, line string) {
	if l == Kazoo {
		return pool, pool + lineSuffix
	}
	return client.Join(pool, poolPermits), client.Join(pool, poolLine)
}

// newPermit returns the name under which a permit is created, unique, and the mode that
// goes with it: in Curator's layout the server appends a number.
func (l Layout) newPermit() (string, client.Mode) {
	unique := l.grammar().unique(newID())
	if l == Kazoo {
		return unique, client.Ephemeral
	}
	return unique + permitMark, client.EphemeralSequential
}

// permitOf returns the name under which the permit of this name was created.
func (l Layout) permitOf(name string) string {
	if l == Kazoo {
		return name
	}
	if i := strings.LastIndex(name, permitMark); i >= 0 {
		return name[:i+len(permitMark)]
	}
	return name
}

// misfit says which child of a pool's node shows that the path is used for something
// else: a line, or a pool in the other layout.
func (l Layout) misfit(pool string, children []string) error {
	for _, name := range children {
		what := ""
		switch {
		case l == Kazoo && (name == poolLine || name == poolPermits):
			what = fmt.Sprintf("part of a pool in the %s layout", Curator)
		case l != Kazoo && kazooPermit(name):
			what = fmt.Sprintf("a permit of a pool in the %s layout", Kazoo)
		default:
			for i := range grammars {
				if kind, _, ok := Layout(i).Parse(name, Layout(i).kinds()...); ok {
					what = fmt.Sprintf("a contender of kind %s in the %s layout", kind, Layout(i))
				}
			}
		}
		if what != "" {
			return fmt.Errorf("%w: %s is %s, and this is a pool in the %s layout: give all programs the same recipe and layout, or another path",
				ErrLayoutConflict, client.Join(pool, name), what, l)
		}
	}
	return nil
}

// beside says that what stands beside a pool's node belongs to a pool in Kazoo's layout.
func (l Layout) beside(pool string) error {
	return fmt.Errorf("%w: %s is the line of a pool in the %s layout, and this is a pool in the %s layout: give all programs the same layout, or another path; delete that node if nobody uses it any more",
		ErrLayoutConflict, path.Base(pool)+lineSuffix, Kazoo, l)
}

// onPool says ErrLayoutConflict if the line's directory, whose children have these names, is the path of a pool
// of which permits are taken. In Kazoo's layout the line's nodes would count as permits. Names of
// that kind may be somebody's own as well, so a second read has to say the same: of the
// permits in Curator's layout, of the line beside the path in Kazoo's.
func (l *Line) onPool(ctx context.Context, from reader, names []string) error {
	if l.cfg.Tolerant {
		return nil
	}
	beside := false // it has been looked whether a line is
	for _, name := range names {
		switch {
		case name == poolPermits:
			permits, _, err := from.Children(ctx, client.Join(l.dir, name))
			if err != nil && !errors.Is(err, client.ErrNoNode) {
				return err
			}
			if slices.ContainsFunc(permits, curatorPermit) {
				return l.conflicts(name, Curator)
			}
		case !beside && kazooPermit(name):
			beside = true
			_, there, err := from.Exists(ctx, l.dir+lineSuffix)
			if err != nil {
				return err
			}
			if there {
				return l.conflicts(name, Kazoo)
			}
		}
	}
	return nil
}

func (l *Line) conflicts(name string, pool Layout) error {
	return fmt.Errorf("%w: %s is part of a pool (a semaphore) in the %s layout, and this is a line of kind %s in the %s layout: give the one or the other another path",
		ErrLayoutConflict, name, pool, l.cfg.Kind, l.cfg.Layout)
}

// curatorPermit tells whether a name is one that Curator's semaphore gives.
func curatorPermit(name string) bool {
	i := strings.LastIndex(name, permitMark)
	if i < 0 {
		return false
	}
	_, ok := curatorGrammar.sequence(name[i+len(permitMark):])
	return ok
}

// kazooPermit tells whether a name is one that Kazoo's Semaphore gives: the digits of a UUID.
func kazooPermit(name string) bool {
	if len(name) != 32 {
		return false
	}
	_, err := hex.DecodeString(name)
	return err == nil
}
