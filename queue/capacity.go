package queue

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// bound keeps a queue within its capacity. Each bounded put changes a node, from the version at which
// its producer counted the items: so nobody else can have put anything since, and what was counted can only
// have become less.
type bound struct {
	turn chan struct{} // cap 1: full while a put of this Queue is under way; guards the rest

	known   bool
	version int32
	size    int // at most so many items are in the queue while the node has that version
}

func (b *bound) path(c *core) string { return client.Join(c.side, "bound") }

func (b *bound) text(c *core) []byte { return strconv.AppendInt(nil, int64(c.cfg.capacity), 10) }

func (b *bound) enter(ctx context.Context) (leave func(), err error) {
	select {
	case b.turn <- struct{}{}:
		return func() { <-b.turn }, nil
	case <-ctx.Done():
		return nil, ended(ctx)
	}
}

func (b *bound) forget() { b.known = false }

// put is told of a put of n items that has changed the node to a version.
func (b *bound) put(version int32, n int) { b.version, b.size = version, b.size+n }

// room returns the version of the node at which there is room for n items, and waits for that.
func (b *bound) room(ctx context.Context, c *core, n int, try bool) (int32, error) {
	if b.known && b.size+n <= c.cfg.capacity {
		return b.version, nil
	}
	if ok, err := b.count(ctx, c, n); ok || err != nil {
		return b.version, err
	}
	if try {
		return 0, fmt.Errorf("%w: %d of %d items, and %d are to be put", ErrFull, b.size, c.cfg.capacity, n)
	}
	return b.version, b.wait(ctx, c, n)
}

// count counts the items, and tells whether there is room for n.
func (b *bound) count(ctx context.Context, c *core, n int) (bool, error) {
	b.known = false
	var pace pace
	for {
		data, stat, err := c.cl.Get(ctx, b.path(c))
		if errors.Is(err, client.ErrNoNode) {
			_, err = c.cl.Idempotent().Create(ctx, b.path(c), b.text(c))
			if err == nil || errors.Is(err, client.ErrNodeExists) {
				if err := pace.wait(ctx); err != nil {
					return false, err
				}
				continue
			}
		}
		if err != nil {
			return false, err
		}
		if string(data) != string(b.text(c)) {
			return false, fmt.Errorf("%w: %.32q, not %d", ErrCapacityConflict, data, c.cfg.capacity)
		}
		size, err := c.store.size(ctx) // not older than the version
		if err != nil {
			return false, err
		}
		b.known, b.version, b.size = true, stat.Version, size
		return size+n <= c.cfg.capacity, nil
	}
}

// wait waits for room behind other producers that do: only the first of them watches what leaves the queue.
func (b *bound) wait(ctx context.Context, c *core, n int) error {
	line, err := recipes.NewLine(c.cl, client.Join(c.side, "producers"), recipes.LineConfig{Data: []byte(c.cfg.owner), ShortLine: -1})
	if err != nil {
		return err
	}
	for {
		place, err := line.Acquire(ctx)
		if err != nil {
			return err
		}
		ok, err := b.first(ctx, c, place, n)
		over, cancel := context.WithCancel(ctx)
		cancel()
		_ = place.Release(over) // in the background
		if ok || err != nil {
			return err
		}
	}
}

// first waits while it is first in line. It returns false if it is that no more.
func (b *bound) first(ctx context.Context, c *core, place *recipes.Grant, n int) (bool, error) {
	for {
		s := place.Session()
		_, _, w, err := s.ChildrenW(ctx, c.store.departures())
		if err != nil {
			return false, err
		}
		ok, err := b.count(ctx, c, n)
		if ok || err != nil {
			w.Remove()
			return ok, err
		}
		select {
		case <-w.C:
		case <-place.Context().Done():
			w.Remove()
			return false, nil
		case <-s.Detaching():
			w.Remove()
			return false, client.ErrDetached
		case <-ctx.Done():
			w.Remove()
			return false, ended(ctx)
		}
	}
}
