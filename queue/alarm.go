package queue

import (
	"context"
	"errors"
	"sync"

	"github.com/zookit/zookit/client"
)

// alarm is several watches, of which the first that fires rings.
type alarm struct {
	rings   chan struct{}
	once    sync.Once
	stop    chan struct{}
	waiting sync.WaitGroup
	watches []*client.Watch
	err     error
}

func newAlarm() *alarm { return &alarm{rings: make(chan struct{}), stop: make(chan struct{})} }

// data watches a node's data, children its children. An error is kept for armed.
func (a *alarm) data(ctx context.Context, s *client.Session, path string) {
	_, _, w, err := s.GetW(ctx, path)
	a.add(w, err)
}

func (a *alarm) children(ctx context.Context, s *client.Session, path string) []string {
	names, _, w, err := s.ChildrenW(ctx, path)
	a.add(w, err)
	return names
}

func (a *alarm) add(w *client.Watch, err error) {
	if err != nil {
		a.err = errors.Join(a.err, err)
		return
	}
	a.watches = append(a.watches, w)
	a.waiting.Go(func() {
		select {
		case <-w.C: // also when the connection was lost, and the watch with it
			a.once.Do(func() { close(a.rings) })
		case <-a.stop:
		}
	})
}

func (a *alarm) armed() error { return a.err }

// off takes the watches away.
func (a *alarm) off() {
	close(a.stop)
	a.waiting.Wait()
	for _, w := range a.watches {
		w.Remove()
	}
}
