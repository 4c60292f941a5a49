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
	if err := l.onPool(ctx, from, names); err != nil {
		return nil, err
	}
	if len(line) == 0 {
		return nil, nil
	}
	// Any origin will do for a live line; the same one at each look keeps any other steady.
	oldest := slices.MinFunc(line, func(a, b Contender) int { return cmp.Compare(a.Name, b.Name) })
	sortFrom(oldest.Sequence, line)
	if usedUp(line) {
		l.warned.Do(func() {
			l.cl.Logger().Warn("the sequence numbers of this directory are used up; contenders are ordered by reading each: delete the directory when nobody uses it", "path", l.dir)
		})
		return l.byAge(ctx, from, line, [][2]int{{0, len(line)}})
	}
	runs := sameNumber(line)
	if len(runs) == 0 {
		return line, nil
	}
	l.warned.Do(func() {
		l.cl.Logger().Warn("contenders in this directory have one number, which is not the server's doing; they are ordered by reading each of them", "path", l.dir)
	})
	return l.byAge(ctx, from, line, runs)
}

// usedUp tells whether the sequences of a line say nothing about who was first. The counter
// of servers from 3.6 on does not wrap: having reached 2147483647 it stays there, so
// that number is given out again and again, and negative ones to creates that the
// leader has in flight together. With such a one in sight only the nodes themselves can tell.
func usedUp(line []Contender) bool {
	return slices.ContainsFunc(line, func(c Contender) bool { return c.Sequence < 0 || c.Sequence == math.MaxInt32 })
}

// sameNumber returns the runs of contenders in a sorted line, from and to, that have one number and
// whose order it does not tell. They stay where that number is: a reader that a writer is becoming has its
// number, and is to keep its place before those who have come meanwhile.
func sameNumber(line []Contender) (runs [][2]int) {
	for i := 0; i < len(line); {
		end := i + 1
		for end < len(line) && line[end].Sequence == line[i].Sequence {
			end++
		}
		if end-i > 1 && !downgrade(line[i:end]) {
			runs = append(runs, [2]int{i, end})
		}
		i = end
	}
	return runs
}

// downgrade tells whether contenders with one number are a writer and the reader that
// it is becoming: Curator (from 5.5 on) gives the reader the number of the writer.
func downgrade(run []Contender) bool {
	return len(run) == 2 && run[0].Kind == KindWrite && run[1].Kind == KindRead
}

// byAge orders the contenders of each run by the transactions that created their nodes. Those of
// them that are gone are left out.
func (l *Line) byAge(ctx context.Context, from reader, line []Contender, runs [][2]int) ([]Contender, error) {
	ages := make(map[string]int64)
	var asked []Contender
	for _, run := range runs {
		asked = append(asked, line[run[0]:run[1]]...)
	}
	var mu sync.Mutex
	err := each(asked, func(c *Contender) error {
		stat, ok, err := from.Exists(ctx, client.Join(l.dir, c.Name))
		mu.Lock()
		defer mu.Unlock()
		ages[c.Name] = 0
		if err == nil && ok {
			ages[c.Name] = stat.Czxid
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, run := range runs { // one transaction can have made several; their numbers and names are an order still
		slices.SortStableFunc(line[run[0]:run[1]], func(a, b Contender) int { return cmp.Compare(ages[a.Name], ages[b.Name]) })
	}
	return slices.DeleteFunc(line, func(c Contender) bool {
		age, asked := ages[c.Name]
		return asked && age == 0
	}), nil
}

// parse reads one child: a contender, an error if it is one that must not be
// here, or neither: a foreign child, which is nobody's business.
func (l *Line) parse(name string) (c Contender, ok bool, err error) {
	if kind, seq, ok := l.cfg.Layout.Parse(name, l.kinds...); ok {
		return Contender{Name: name, Sequence: seq, Kind: kind, Layout: l.cfg.Layout}, true, nil
	}
	for i := range grammars {
		layout := Layout(i)
		kind, seq, ok := layout.Parse(name, layout.kinds()...)
		if !ok {
			continue
		}
		if !l.cfg.Tolerant {
			return Contender{}, false, fmt.Errorf("%w: %s is a contender of kind %s in the %s layout, and this line is one of kind %s in the %s layout: give all programs the same recipe and layout, or another path",
				ErrLayoutConflict, name, kind, layout, l.cfg.Kind, l.cfg.Layout)
		}
		return Contender{Name: name, Sequence: seq, Kind: kind, Layout: layout}, true, nil
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
