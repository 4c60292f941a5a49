package queue

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/zookit/zookit/client"
)

// flat is a layout of Kazoo's or Curator's: all items in one directory, and perhaps one of leases.
type flat struct {
	c     *core
	dir   string
	locks string // "": items cannot be leased
	names naming
}

// naming is how a layout writes and reads the names of its items, and what is stored.
type naming struct {
	prefix func(e *entry) string
	parse  func(name string) (*candidate, bool)
	framed bool // by Curator's ItemSerializer
	ranked bool // a later item can come before an earlier one
	byTime bool // the due time, not the name, is the order
	byTail bool // the number is the order
}

func newFlat(c *core) *flat {
	f := &flat{c: c, dir: c.path, locks: c.cfg.lockPath, names: namings(c.cfg.layout)}
	if c.cfg.layout == KazooLockingQueue {
		f.dir, f.locks = client.Join(c.path, "entries"), client.Join(c.path, "taken")
	}
	return f
}

func (f *flat) nodes() []string {
	out := []string{}
	if f.c.cfg.layout == KazooLockingQueue {
		out = append(out, f.dir, f.locks)
	}
	return out
}

func (f *flat) conflict(children []string) error {
	for _, name := range children {
		if whose := familyOf(name); whose != "" && !f.own(name) {
			return f.c.conflict(name, whose)
		}
	}
	return nil
}

func (f *flat) own(name string) bool {
	if f.c.cfg.layout == KazooLockingQueue {
		return name == "entries" || name == "taken"
	}
	_, ok := f.names.parse(name)
	return ok
}

// ring: Curator's consumers watch the items only, so something happens there that nobody sees. Kazoo's watch
// the leases.
func (f *flat) ring(p *plan, _ *candidate) {
	if f.c.cfg.layout.distributed() {
		bell := client.Join(f.dir, "zookit-bell")
		p.note(roleBell, 0).Create(bell, nil)
		p.note(roleBell, 0).Delete(bell, client.AnyVersion)
	}
}

func (f *flat) lease(name string) string {
	if f.locks == "" {
		return ""
	}
	return client.Join(f.locks, name)
}

func (f *flat) departures() string { return f.dir }

func (f *flat) body(data []byte) (header, [][]byte, error) {
	if !f.names.framed {
		return header{}, [][]byte{data}, nil
	}
	bodies, err := unframe(data)
	return header{}, bodies, err
}

// flatSpot is the directory.
type flatSpot struct{ f *flat }

func (f *flat) spot(context.Context, *entry) (spot, error) { return flatSpot{f: f}, nil }

func (s flatSpot) key() string { return "" }

func (s flatSpot) begin(*plan) {}

func (s flatSpot) end(*plan) {}

func (s flatSpot) prefix(e *entry) string { return client.Join(s.f.dir, s.f.names.prefix(e)) }

func (s flatSpot) seal(e *entry) []byte {
	switch {
	case e.raw != nil:
		return e.raw
	case s.f.names.framed:
		return frame(e.data)
	}
	return e.data
}

func (s flatSpot) made(context.Context, string) {}

func (s flatSpot) refused(ctx context.Context, _ error) error {
	s.f.c.reset()
	return s.f.c.ready(ctx)
}

func (f *flat) list(ctx context.Context, s *client.Session) ([]client.ReadResult, error) {
	r := f.c.reads(s.Ops).children(f.dir)
	if f.locks != "" {
		r.children(f.locks)
	}
	found, err := r.do(ctx)
	if err != nil {
		return nil, err
	}
	for _, one := range found {
		if one.Err != nil {
			f.c.reset()
			return nil, one.Err
		}
	}
	return found, nil
}

func (f *flat) look(ctx context.Context, s *client.Session, _ int) (*view, error) {
	found, err := f.list(ctx, s)
	if err != nil {
		return nil, err
	}
	leased := map[string]bool{}
	if f.locks != "" {
		for _, name := range found[1].Children {
			leased[name] = true
		}
	}
	v := &view{better: map[int32]int{}, once: f.names.ranked}
	now := time.Now().UnixMilli()
	for _, name := range found[0].Children {
		it, ok := f.names.parse(name)
		switch {
		case !ok:
			if whose := familyOf(name); whose != "" && f.c.cfg.layout != KazooLockingQueue {
				return nil, f.c.conflict(name, whose)
			}
		case leased[name]:
		case it.due > now:
			if at := time.UnixMilli(it.due); v.next.IsZero() || at.Before(v.next) {
				v.next = at
			}
		default:
			it.name, it.path = name, client.Join(f.dir, name)
			v.items = append(v.items, it)
		}
	}
	slices.SortFunc(v.items, func(a, b *candidate) int {
		if f.names.byTime {
			return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(a.number, b.number))
		}
		if f.names.byTail {
			return cmp.Compare(a.number, b.number)
		}
		return strings.Compare(a.name, b.name) // as the library does
	})
	return v, nil
}

func (f *flat) arm(ctx context.Context, s *client.Session, a *alarm) error {
	a.children(ctx, s, f.dir)
	if f.locks != "" {
		a.children(ctx, s, f.locks)
	}
	return a.armed()
}

func (f *flat) size(ctx context.Context) (int, error) {
	stat, ok, err := f.c.cl.Exists(ctx, f.dir)
	if err == nil && !ok {
		f.c.reset()
		err = errors.Join(client.ErrNoNode, f.c.ready(ctx))
	}
	return stat.NumChildren, err
}
