package recipes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/zookit/zookit/client"
)

// lookReads is how many reads a look at a line has under way at once, where it
// takes one for each contender.
const lookReads = 16

// reader is a client or one of its sessions.
type reader interface {
	Children(ctx context.Context, path string) ([]string, client.Stat, error)
	Exists(ctx context.Context, path string) (client.Stat, bool, error)
}

// look takes the contenders out of the names of a directory's children and puts them
// in the order in which they joined.
func (l *Line) look(ctx context.Context, from reader, names []string) ([]Contender, error) {
	line := make([]Contender, 0, len(names))
	for _, name := range names {
		c, ok, err := l.parse(name)
		if err != nil {
			return nil, err
		}
		if ok {
			line = append(line, c)
		}
	}
	if len(line) == 0 {
		return nil, nil
	}
	// Any origin will do for a live line; the same one at each look keeps any other steady.
	oldest := slices.MinFunc(line, func(a, b Contender) int { return cmp.Compare(a.Name, b.Name) })
	sortFrom(oldest.Sequence, line)
	if !ambiguous(line) {
		return line, nil
	}
	l.warned.Do(func() {
		l.cl.Logger().Warn("the sequence numbers of this directory are used up or not the server's; contenders are ordered by reading each: delete the directory when nobody uses it", "path", l.dir)
	})
	return l.byAge(ctx, from, line)
}

// ambiguous tells whether the sequences of a sorted line say nothing about who was
// first. The counter of servers from 3.6 on does not wrap: having reached
// 2147483647 it stays there, so that number is given out again and again, and negative
// ones to creates that the leader has in flight together. Two equal numbers, or such a
// one in sight, and only the nodes themselves can tell.
func ambiguous(line []Contender) bool {
	for i, c := range line {
		if c.Sequence < 0 || c.Sequence == math.MaxInt32 || i > 0 && c.Sequence == line[i-1].Sequence {
			return true
		}
	}
	return false
}

// byAge orders contenders by the transactions that created their nodes. Those that
// are gone are left out.
func (l *Line) byAge(ctx context.Context, from reader, line []Contender) ([]Contender, error) {
	ages := make(map[string]int64, len(line))
	var mu sync.Mutex
	err := each(line, func(c *Contender) error {
		stat, ok, err := from.Exists(ctx, client.Join(l.dir, c.Name))
		if err == nil && ok {
			mu.Lock()
			ages[c.Name] = stat.Czxid
			mu.Unlock()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	line = slices.DeleteFunc(line, func(c Contender) bool { return ages[c.Name] == 0 })
	slices.SortFunc(line, func(a, b Contender) int { return cmp.Compare(ages[a.Name], ages[b.Name]) })
	return line, nil
}

// parse reads one child: a contender, an error if it is one that must not be
// here, or neither: a foreign child, which is nobody's business.
func (l *Line) parse(name string) (c Contender, ok bool, err error) {
	if kind, seq, ok := l.cfg.Layout.Parse(name, l.cfg.Kind); ok {
		return Contender{Name: name, Sequence: seq, Kind: kind, Layout: l.cfg.Layout}, true, nil
	}
	for _, other := range l.cfg.Layout.others() {
		kind, seq, ok := other.Parse(name, l.cfg.Kind)
		if !ok {
			continue
		}
		if !l.cfg.Tolerant {
			return Contender{}, false, fmt.Errorf("%w: %s is a contender in the %s layout and this line uses %s: give all programs one layout, or another path",
				ErrLayoutConflict, name, other, l.cfg.Layout)
		}
		return Contender{Name: name, Sequence: seq, Kind: kind, Layout: other}, true, nil
	}
	return Contender{}, false, nil
}

// Contenders lists who is in the line now, in order: who holds comes first. It
// costs one read. A line that does not exist is empty. The error is
// [ErrLayoutConflict] or what the read said.
func (l *Line) Contenders(ctx context.Context) ([]Contender, error) {
	line, err := l.list(ctx, l.cl)
	if err != nil {
		return nil, fmt.Errorf("line %s: %w", l.dir, err)
	}
	return line, nil
}

// list reads the directory, which is empty if it does not exist.
func (l *Line) list(ctx context.Context, from reader) ([]Contender, error) {
	names, _, err := from.Children(ctx, l.dir)
	if errors.Is(err, client.ErrNoNode) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return l.look(ctx, from, names)
}

// Details is Contenders with what the nodes hold: one more read for each of them.
// Contenders that leave while it reads are left out.
func (l *Line) Details(ctx context.Context) ([]Details, error) {
	line, err := l.Contenders(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Details, len(line))
	for i, c := range line {
		out[i].Contender = c
	}
	err = each(out, func(d *Details) error {
		path := client.Join(l.dir, d.Name)
		data, stat, err := l.cl.Get(ctx, path)
		if errors.Is(err, client.ErrNoNode) {
			return nil
		}
		if err == nil {
			d.Path, d.Data, d.Session, d.Token, d.Since = path, data, stat.EphemeralOwner, stat.Czxid, stat.Ctime
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("line %s: %w", l.dir, err)
	}
	return slices.DeleteFunc(out, func(d Details) bool { return d.Path == "" }), nil
}

// each calls read for each of the elements, several at a time, and returns the first error.
func each[E any](elements []E, read func(*E) error) error {
	slots := make(chan struct{}, lookReads)
	errs := make([]error, len(elements))
	var readers sync.WaitGroup
	for i := range elements {
		slots <- struct{}{}
		readers.Go(func() {
			defer func() { <-slots }()
			errs[i] = read(&elements[i])
		})
	}
	readers.Wait()
	return cmp.Or(errs...)
}
