package work

import (
	"context"
	"encoding/binary"
	"sync"
	"time"
)

// Audience waits until all of its members have seen a change. Safe for concurrent use.
type Audience struct {
	mu   sync.Mutex
	left map[uint64]int           // members who have not seen it yet
	all  map[uint64]chan struct{} // closed when everybody has
	size int
}

// NewAudience is one of so many members.
func NewAudience(members int) *Audience {
	return &Audience{left: map[uint64]int{}, all: map[uint64]chan struct{}{}, size: members}
}

func (a *Audience) change(n uint64) chan struct{} {
	if a.all[n] == nil {
		a.all[n], a.left[n] = make(chan struct{}), a.size
	}
	return a.all[n]
}

// Saw is called by a member once for each change.
func (a *Audience) Saw(n uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := a.change(n)
	a.left[n]--
	if a.left[n] == 0 {
		close(all)
	}
}

// Await waits until everybody has seen a change.
func (a *Audience) Await(ctx context.Context, n uint64) error {
	a.mu.Lock()
	all := a.change(n)
	a.mu.Unlock()
	select {
	case <-all:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Broadcast measures changes, each of which is made when all have seen the one before. The audience has seen change 0.
func (c *Course) Broadcast(ctx context.Context, a *Audience, change func(ctx context.Context, n uint64) error) error {
	var n uint64
	return c.Each(ctx, func(ctx context.Context) (int, time.Duration, error) {
		n++
		began := time.Now()
		if err := change(ctx, n); err != nil {
			return 0, 0, err
		}
		err := a.Await(ctx, n)
		return 1, time.Since(began), err
	})
}

// Numbered is data of that size, eight bytes at least, that begins with a number.
func Numbered(n uint64, size int) []byte {
	data := make([]byte, max(8, size))
	binary.BigEndian.PutUint64(data, n)
	return data
}

// NumberOf is the number at the beginning of data.
func NumberOf(data []byte) uint64 {
	if len(data) < 8 {
		return 0
	}
	return binary.BigEndian.Uint64(data)
}
