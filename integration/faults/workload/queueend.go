package workload

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/zookit/zookit/integration/faults/models"
	"github.com/zookit/zookit/queue"
)

// farOff is from when on an item is not waited for: it was delayed by a clock that was wrong.
const farOff = time.Minute

// end puts what it is not known to have put, and empties the queues.
func (h *handler) end(ctx context.Context) error {
	ctx, cancel := Cleaning(ctx)
	defer cancel()
	for len(h.doubtful) > 0 && ctx.Err() == nil {
		if err := h.repeat(ctx); err != nil {
			return err
		}
	}
	for _, q := range []line{h.own, h.shared} {
		if err := h.drain(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// drain acknowledges items until there are none. Others may do the same, or still hold some.
func (h *handler) drain(ctx context.Context, q line) error {
	for ctx.Err() == nil {
		soon, cancel := context.WithTimeout(ctx, time.Second)
		items, err := h.lease(soon, q, func(ctx context.Context) ([]*queue.Item[string], error) { return q.TakeAll(ctx, 100) })
		cancel()
		if err == nil && len(items) > 0 {
			h.work(ctx, items, 0)
			err = h.ack(ctx, q, items)
		}
		if err != nil {
			return err
		}
		if err := h.env.Client.Sync(ctx, q.Path()); err != nil {
			continue
		}
		n, err := q.Len(ctx)
		if err == nil && (n == 0 || n == h.waiting(ctx, q)) {
			h.env.Record.Note(models.Drained, models.QueueArgs{Queue: q.name})
			return nil
		}
	}
	h.env.Record.Note(models.Undrained, models.QueueArgs{Queue: q.name})
	return nil
}

// waiting counts and notes the items that are not due for long. Their nodes' names say when they are.
func (h *handler) waiting(ctx context.Context, q line) int {
	n := 0
	dir := q.Path() + "/delayed"
	buckets, _, err := h.env.Client.Children(ctx, dir)
	if err != nil {
		return -1
	}
	for _, b := range buckets {
		names, _, err := h.env.Client.Children(ctx, dir+"/"+b)
		if err != nil {
			return -1
		}
		for _, name := range names {
			due, _, _ := strings.Cut(name, "-")
			if at, err := strconv.ParseInt(due, 10, 64); err != nil || time.Until(time.UnixMilli(at)) < farOff {
				continue
			}
			data, _, err := h.env.Client.Get(ctx, dir+"/"+b+"/"+name)
			if err != nil {
				return -1
			}
			_, value, _ := strings.Cut(string(data), "\n")
			h.env.Record.Note(models.Waiting, models.Item{Queue: q.name, Value: value})
			n++
		}
	}
	return n
}
