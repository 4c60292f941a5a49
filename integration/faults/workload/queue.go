package workload

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/faults/history"
	"github.com/zookit/zookit/integration/faults/models"
	"github.com/zookit/zookit/queue"
	"github.com/zookit/zookit/recipes"
)

const (
	// remembered is for how long ids are known: as long as can be, since it goes by clocks that are set off.
	remembered = 365 * 24 * time.Hour
	// segment is how many items a segment is filled with: few, so that there are several.
	segment = 10
	// most is how many items are taken at once.
	most = 8
)

// Queue is a queue that all put into and take from, with priorities, delays and ids, and one of each client's own, whose order is
// strict. At the end they are emptied.
//
// Operations: put (an Item, {duplicate}), take ({queue}, {items}), and then for each item acquire ({what}, {token}) and ack
// or nack ({queue, value, attempt}, {}); pop as take. Notes: held about an acquire, popped about a pop; drained, undrained, waiting.
func Queue() *Workload {
	return &Workload{
		Name: "queue",
		Doc:  "no item of a queue is lost, none is acknowledged twice or leased to two at a time, and none is passed over",
		Run: func(ctx context.Context, env *Env) error {
			h := &handler{env: env}
			h.shared = h.open("")
			h.own = h.open(fmt.Sprintf("own-%d", env.Index))
			if err := takeTurns(ctx, env, func() error { return h.turn(ctx) }); err != nil {
				return err
			}
			return h.end(ctx)
		},
		Check: func(h *history.History) []models.Violation {
			return append(append(models.Queues(h), models.Exclusive(h)...), models.Tokens(h)...)
		},
		Keeps: func(name string) bool {
			return !queueStays.MatchString(name) && (!sequenced.MatchString(name) || queueKeeps.MatchString(name))
		},
		Stays: queueStays.MatchString,
	}
}

var (
	// queueStays are the ephemeral nodes by which a queue knows its sessions.
	queueStays = regexp.MustCompile(`/(holders|lanes/[^/]+)/s[0-9a-f]+$`)
	// queueKeeps are segments, and what is due in years.
	queueKeeps = regexp.MustCompile(`/segments/[^/]+/s-[0-9]{10}$|/delayed/[^/]+/[^/]+$`)
	sequenced  = regexp.MustCompile(`[0-9]{10}$`)
)

// line is a queue, with its name in the history.
type line struct {
	*queue.Queue[string]
	name string
}

// handler is one client of the queues.
type handler struct {
	env         *Env
	shared, own line
	n           int
	doubtful    []models.Item // with ids, and of which it is not known whether they were put
	known       *models.Item  // with an id, and put
}

func (h *handler) open(name string) line {
	path := h.env.Path + "/queue"
	if name != "" {
		path = h.env.Path + "/" + name
	}
	return line{queue.NewWith(h.env.Client, path, recipes.Text{}, queue.WithMemory(remembered), queue.WithSegment(segment), queue.WithOwner(h.env.Name)), name}
}

// line returns the queue of a name.
func (h *handler) line(name string) line {
	if name == "" {
		return h.shared
	}
	return h.own
}

func (h *handler) turn(ctx context.Context) error {
	r := h.env.Rand
	q := h.shared
	if r.IntN(4) == 0 {
		q = h.own
	}
	bounded, cancel := h.env.Bounded(ctx)
	defer cancel()
	switch r.IntN(10) {
	case 0, 1:
		return h.put(bounded, q, 1)
	case 2:
		return h.put(bounded, q, 2+r.IntN(4))
	case 3:
		return h.repeat(bounded)
	case 4:
		return h.take(ctx, bounded, q, one(q.TryTake))
	case 5:
		return h.pop(bounded, q)
	case 6, 7:
		soon, cancel := context.WithTimeout(ctx, 2*h.env.Some())
		defer cancel()
		return h.take(ctx, soon, q, one(q.Take))
	default:
		return h.take(ctx, bounded, q, func(ctx context.Context) ([]*queue.Item[string], error) {
			return q.TakeAll(ctx, 1+r.IntN(most))
		})
	}
}

func one(take func(context.Context) (*queue.Item[string], error)) func(context.Context) ([]*queue.Item[string], error) {
	return func(ctx context.Context) ([]*queue.Item[string], error) {
		it, err := take(ctx)
		return []*queue.Item[string]{it}, err
	}
}

// put puts new items, n at once.
func (h *handler) put(ctx context.Context, q line, n int) error {
	r := h.env.Rand
	like := models.Item{Queue: q.name, Named: r.IntN(2) == 0}
	if q.name == "" {
		like.Priority = []int{0, 0, 0, -10, 5}[r.IntN(5)]
		if r.IntN(6) == 0 {
			like.Delay = int64(h.env.Some())
		}
	}
	items := make([]models.Item, n)
	values := make([]string, n)
	for i := range items {
		h.n++
		items[i] = like
		items[i].Value = fmt.Sprintf("%s-%d", h.env.Name, h.n)
		values[i] = items[i].Value
	}
	opts := []queue.PutOption{queue.Priority(like.Priority), queue.Delay(time.Duration(like.Delay))}
	if like.Named {
		opts = append(opts, queue.IDs(values...))
	}
	ops := make([]*history.Pending, n)
	for i, it := range items {
		ops[i] = h.env.Record.Invoke(models.Put, it)
	}
	_, err := q.PutAll(ctx, values, opts...)
	failed, _ := errors.AsType[*queue.PutError](err)
	for i, op := range ops {
		switch {
		case failed != nil && failed.There[i], err == nil:
			op.OK(models.PutResult{})
			if like.Named {
				h.known = &items[i]
			}
			continue
		case client.Outcome(err) == client.Unknown && like.Named:
			h.doubtful = append(h.doubtful, items[i])
		}
		op.End(nil, err)
	}
	return h.unlikely(ctx, "put", err)
}

// repeat puts an item again by whose id the queue knows it, if it does.
func (h *handler) repeat(ctx context.Context) error {
	var it models.Item
	switch {
	case len(h.doubtful) > 0:
		it = h.doubtful[0]
	case h.known != nil:
		it = *h.known
	default:
		return nil
	}
	op := h.env.Record.Invoke(models.Put, it)
	_, err := h.line(it.Queue).Put(ctx, it.Value, queue.ID(it.Value), queue.Priority(it.Priority), queue.Delay(time.Duration(it.Delay)))
	switch {
	case errors.Is(err, queue.ErrDuplicate):
		op.OK(models.PutResult{Duplicate: true})
	default:
		op.End(models.PutResult{}, err)
	}
	if (err == nil || errors.Is(err, queue.ErrDuplicate)) && len(h.doubtful) > 0 {
		h.doubtful = h.doubtful[1:]
	}
	return h.unlikely(ctx, "put again", err)
}

// unlikely lets through what a call may say whose outcome is told.
func (h *handler) unlikely(ctx context.Context, what string, err error) error {
	if client.Outcome(err) == client.Unknown {
		return nil
	}
	return surprise(ctx, what, err, queue.ErrDuplicate, client.ErrReadOnly)
}

// take takes items, works, and acknowledges them or gives them back.
func (h *handler) take(ctx, bounded context.Context, q line, call func(context.Context) ([]*queue.Item[string], error)) error {
	items, err := h.lease(bounded, q, call)
	if len(items) == 0 {
		return err
	}
	h.work(ctx, items, h.env.Stay())
	return h.settle(ctx, q, items)
}

// lease takes items; none, if there are none in time.
func (h *handler) lease(ctx context.Context, q line, call func(context.Context) ([]*queue.Item[string], error)) ([]*queue.Item[string], error) {
	op := h.env.Record.Invoke(models.Take, models.QueueArgs{Queue: q.name})
	items, err := call(ctx)
	switch {
	case errors.Is(err, queue.ErrEmpty):
		op.OK(models.TakeResult{})
		return nil, nil
	case err != nil:
		op.Fail(err) // nothing is leased, or is being given back
		return nil, surprise(ctx, "take", err, client.ErrReadOnly)
	}
	var res models.TakeResult
	for _, it := range items {
		res.Items = append(res.Items, models.Taken{Value: it.Value, Attempt: it.Attempt})
	}
	op.OK(res)
	return items, nil
}

// work holds the items for the time d.
func (h *handler) work(ctx context.Context, items []*queue.Item[string], d time.Duration) {
	var all sync.WaitGroup
	defer all.Wait()
	for _, it := range items {
		op := h.env.Record.Invoke(models.Acquire, models.AcquireArgs{What: it.Value})
		op.OK(models.AcquireResult{Token: it.Token()})
		all.Go(func() { h.env.Hold(ctx, op, it, d) })
	}
}

func (h *handler) settle(ctx context.Context, q line, items []*queue.Item[string]) error {
	if h.env.Rand.IntN(4) > 0 {
		return h.ack(ctx, q, items)
	}
	delay := time.Duration(0)
	if q.name == "" && h.env.Rand.IntN(2) == 0 {
		delay = h.env.Some()
	}
	ctx, cancel := Cleaning(ctx)
	defer cancel()
	for _, it := range items {
		op := h.env.Record.Invoke(models.Nack, settlement(q, it, delay))
		err := it.Nack(ctx, delay)
		op.End(nil, err)
		if errors.Is(err, queue.ErrLost) || client.Outcome(err) == client.Unknown {
			continue
		}
		if err := surprise(ctx, "give back", err, client.ErrReadOnly); err != nil {
			return err
		}
	}
	return nil
}

func settlement(q line, it *queue.Item[string], delay time.Duration) models.Settlement {
	return models.Settlement{Queue: q.name, Taken: models.Taken{Value: it.Value, Attempt: it.Attempt}, Delay: int64(delay)}
}

// ack acknowledges items, and asks again for those of which it is not known.
func (h *handler) ack(ctx context.Context, q line, items []*queue.Item[string]) error {
	ops := make([]*history.Pending, len(items))
	for i, it := range items {
		ops[i] = h.env.Record.Invoke(models.Ack, settlement(q, it, 0))
	}
	bounded, cancel := h.env.Bounded(ctx)
	defer cancel()
	if len(items) > 1 {
		_ = q.AckAll(bounded, items)
	} else {
		_ = items[0].Ack(bounded)
	}
	ctx, cancel = Cleaning(ctx)
	defer cancel()
	for i, it := range items {
		err := it.Ack(ctx) // returns the same, if that is known
		switch {
		case err == nil:
			ops[i].OK(nil)
		case errors.Is(err, queue.ErrLost):
			ops[i].Fail(err)
		default:
			ops[i].Unknown(err)
			if err := surprise(ctx, "acknowledge", err, client.ErrReadOnly); err != nil && client.Outcome(err) != client.Unknown {
				return err
			}
		}
	}
	return nil
}

func (h *handler) pop(ctx context.Context, q line) error {
	op := h.env.Record.Invoke(models.Pop, models.QueueArgs{Queue: q.name})
	e, err := q.TryPop(ctx)
	taken := models.Taken{Value: e.Value, Attempt: e.Attempt}
	switch {
	case err == nil:
		op.OK(models.TakeResult{Items: []models.Taken{taken}})
	case errors.Is(err, queue.ErrEmpty):
		op.OK(models.TakeResult{})
	case client.Outcome(err) == client.Unknown && e.Value != "":
		op.Note(h.env.Record.Now(), models.Popped, taken)
		op.Unknown(err)
	default:
		op.Fail(err)
		return surprise(ctx, "pop", err, client.ErrReadOnly)
	}
	return nil
}
