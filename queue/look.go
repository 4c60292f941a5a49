package queue

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/zookit/zookit/client"
)

// manySegments is how many segments one request lists at most.
const manySegments = 4

// levelSeen is a level as a look has found it.
type levelSeen struct {
	priority int32
	path     string
	version  int32
	segments []int32
}

// look reads which levels, leases and buckets there are, then each level's segments and version, and then lists as
// many segments as it needs, the best first. A level's version is read before its segments are listed: a
// claim that depends on it fails if anything was put there since.
func (n *native) look(ctx context.Context, s *client.Session, want int) (*view, error) {
	top, err := n.c.reads(s.Ops).get(n.at("segments")).children(n.at("segments")).children(n.at("leases")).children(n.at("delayed")).do(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range top {
		if t.Err != nil { // it has been taken down
			n.c.reset()
			return nil, t.Err
		}
	}
	leased := make(map[string]bool, len(top[2].Children))
	for _, name := range top[2].Children {
		leased[name] = true
	}
	levels, err := n.levels(ctx, s, top[1].Children)
	if err != nil {
		return nil, err
	}
	v := &view{better: map[int32]int{}, checks: []check{{path: n.at("segments"), version: top[0].Stat.Version}}}
	due, err := n.due(ctx, s, v, top[3].Children, want, leased)
	if err != nil {
		return nil, err
	}
	for _, it := range due { // of a level that has no nodes, perhaps
		if !slices.ContainsFunc(levels, func(l levelSeen) bool { return l.priority == it.priority }) {
			levels = append(levels, levelSeen{priority: it.priority})
		}
	}
	slices.SortFunc(levels, func(a, b levelSeen) int { return cmp.Compare(a.priority, b.priority) })
	for _, l := range levels {
		v.better[l.priority] = len(v.checks)
		for len(due) > 0 && due[0].priority == l.priority {
			v.items, due = append(v.items, due[0]), due[1:]
		}
		if len(v.items) >= want {
			break
		}
		if err := n.list(ctx, s, v, l, want, leased); err != nil {
			return nil, err
		}
		if len(v.items) >= want { // there may be more in this level, that no due ones of a worse one may overtake
			break
		}
		if l.path != "" {
			v.checks = append(v.checks, check{path: l.path, version: l.version})
		}
	}
	return v, nil
}

// levels reads the levels' versions and segments.
func (n *native) levels(ctx context.Context, s *client.Session, names []string) ([]levelSeen, error) {
	var out []levelSeen
	r := n.c.reads(s.Ops)
	for _, name := range names {
		if p, ok := parseLevel(name); ok {
			out = append(out, levelSeen{priority: p, path: n.level(p)})
			r.get(n.level(p)).children(n.level(p))
		}
	}
	found, err := r.do(ctx)
	if err != nil {
		return nil, err
	}
	for i := range out {
		out[i].version = found[2*i].Stat.Version
		out[i].segments = parseSegments(found[2*i+1].Children)
	}
	return out, nil
}

// list adds a level's items to what a look has found, until there are enough.
func (n *native) list(ctx context.Context, s *client.Session, v *view, l levelSeen, want int, leased map[string]bool) error {
	for from, many := 0, 1; from < len(l.segments); many = manySegments {
		upTo := min(len(l.segments), from+many)
		r := n.c.reads(s.Ops)
		for _, number := range l.segments[from:upTo] {
			r.children(client.Join(l.path, segmentName(number)))
		}
		found, err := r.do(ctx)
		if err != nil {
			return err
		}
		for i, f := range found {
			last := from+i == len(l.segments)-1
			if !last && f.Err == nil && len(f.Children) == 0 {
				// Nothing is added to it any more, and nobody deletes one that is not empty.
				_ = s.Delete(ctx, f.Path, client.AnyVersion)
				continue
			}
			v.add(f.Path, l.priority, f.Children, leased)
		}
		from = upTo
		if len(v.items) >= want {
			return nil
		}
	}
	return nil
}

// add adds the items of a segment.
func (v *view) add(dir string, p int32, names []string, leased map[string]bool) {
	var items []*candidate
	for _, name := range names {
		if leased[name] {
			continue
		}
		if it, ok := parseItem(name); ok {
			it.path, it.priority = client.Join(dir, name), p
			items = append(items, it)
		}
	}
	slices.SortFunc(items, func(a, b *candidate) int { return cmp.Compare(a.number, b.number) })
	v.items = append(v.items, items...)
}

// due returns the delayed items that are due, in the order in which they come out, at least want if there
// are so many, and tells v when the next is.
func (n *native) due(ctx context.Context, s *client.Session, v *view, names []string, want int, leased map[string]bool) ([]*candidate, error) {
	now := time.Now().UnixMilli()
	slices.Sort(names)
	var begun, later []string // buckets; those of the first minute that has not begun
	for _, name := range names {
		m, ok := parseBucket(name)
		if !ok {
			continue
		}
		if m <= now/minute {
			begun = append(begun, name)
			continue
		}
		if len(later) > 0 {
			if first, _ := parseBucket(later[0]); m != first {
				break
			}
		}
		later = append(later, name)
	}
	var out []*candidate
	for first := true; first || (len(begun) > 0 && len(out) < want); first = false {
		r := n.c.reads(s.Ops)
		if first {
			for _, name := range later {
				r.children(n.at("delayed/" + name))
			}
		}
		some := begun[:min(len(begun), manySegments)]
		begun = begun[len(some):]
		for _, name := range some {
			r.children(n.at("delayed/" + name))
		}
		found, err := r.do(ctx)
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			m, _ := parseBucket(f.Path[len(n.at("delayed/")):])
			if f.Err == nil && len(f.Children) == 0 && m < now/minute {
				_ = s.Delete(ctx, f.Path, client.AnyVersion) // who still wants to add to it makes it again
			}
			out = append(out, v.addDue(f, now, leased)...)
		}
	}
	slices.SortFunc(out, func(a, b *candidate) int {
		return cmp.Or(cmp.Compare(a.priority, b.priority), cmp.Compare(a.due, b.due), cmp.Compare(a.number, b.number))
	})
	return out, nil
}

// addDue returns the items of a bucket that are due.
func (v *view) addDue(bucket client.ReadResult, now int64, leased map[string]bool) (out []*candidate) {
	for _, name := range bucket.Children {
		it, ok := parseDelayed(name)
		if !ok || leased[name] {
			continue
		}
		if it.due > now {
			if at := time.UnixMilli(it.due); v.next.IsZero() || at.Before(v.next) {
				v.next = at
			}
			continue
		}
		it.path = client.Join(bucket.Path, name)
		out = append(out, it)
	}
	return out
}

// size counts the items: those of all segments and buckets, by what their nodes say of the number of their children.
func (n *native) size(ctx context.Context) (int, error) {
	top, err := n.c.reads(n.c.cl.Ops).children(n.at("segments")).children(n.at("delayed")).do(ctx)
	if err != nil {
		return 0, err
	}
	levels, buckets := n.c.reads(n.c.cl.Ops), n.c.reads(n.c.cl.Ops)
	for _, name := range top[0].Children {
		if _, ok := parseLevel(name); ok {
			levels.children(n.at("segments/" + name))
		}
	}
	for _, name := range top[1].Children {
		buckets.get(n.at("delayed/" + name))
	}
	lists, err := levels.do(ctx)
	if err != nil {
		return 0, err
	}
	for _, l := range lists {
		for _, number := range parseSegments(l.Children) {
			buckets.get(client.Join(l.Path, segmentName(number)))
		}
	}
	counts, err := buckets.do(ctx)
	if err != nil {
		return 0, err
	}
	total := 0
	for _, b := range counts {
		total += b.Stat.NumChildren
	}
	return total, nil
}

// arm watches for items that are put or given back, and for consumers that come and go.
func (n *native) arm(ctx context.Context, s *client.Session, a *alarm) error {
	a.data(ctx, s, n.at("segments")) // first: a level that is missing in the list changes it
	levels, _, err := s.Children(ctx, n.at("segments"))
	if err != nil {
		return err
	}
	for _, name := range levels {
		if p, ok := parseLevel(name); ok {
			a.data(ctx, s, n.level(p))
		}
	}
	a.data(ctx, s, n.at("delayed"))
	a.children(ctx, s, n.at("holders"))
	return a.armed()
}
