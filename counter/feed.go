package counter

import (
	"context"
	"errors"
	"iter"
	"sync"

	"github.com/zookit/zookit/client"
)

// feed tells any number of listeners what a node is, by one watch and one read for each change. It works
// while there are listeners: the first starts it, and the last that leaves ends it and waits for that.
type feed[T any] struct {
	cl   *client.Client
	path string
	read func(data []byte, stat client.Stat, err error) (state[T], error)

	mu      sync.Mutex
	current *source[T] // nil: there are no listeners
}

// source is a feed at work.
type source[T any] struct {
	f         *feed[T]
	listeners int // under feed.mu
	stop      context.CancelFunc
	ended     chan struct{}

	mu     sync.Mutex
	latest *news[T]

	// What only its goroutine uses.
	epoch uint64 // of the session of the newest look; 0 at first
}

// news is what a look has found.
type news[T any] struct {
	looked bool // false: nothing yet
	now    state[T]
	err    error
	last   bool          // there will be no more
	old    chan struct{} // closed when there are newer ones
}

// watch yields what the node is, then its changes. The last is an error.
func (f *feed[T]) watch(ctx context.Context) iter.Seq2[state[T], error] {
	return func(yield func(state[T], error) bool) {
		src := f.join(ctx)
		defer f.leave(src)
		for {
			n := src.news()
			if n.looked && (!yield(n.now, n.err) || n.last) {
				return
			}
			select {
			case <-n.old:
			case <-ctx.Done():
				yield(state[T]{}, ended(ctx))
				return
			}
		}
	}
}

func (f *feed[T]) join(ctx context.Context) *source[T] {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.current == nil {
		ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		f.current = &source[T]{f: f, stop: cancel, ended: make(chan struct{}), latest: &news[T]{old: make(chan struct{})}}
		go f.current.run(ctx)
	}
	f.current.listeners++
	return f.current
}

// leave takes a listener away; with the last one the source ends.
func (f *feed[T]) leave(src *source[T]) {
	f.mu.Lock()
	src.listeners--
	last := src.listeners == 0
	if last && f.current == src {
		f.current = nil
	}
	f.mu.Unlock()
	if last {
		src.stop()
		<-src.ended
	}
}

func (s *source[T]) news() *news[T] {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.latest
}

// publish replaces the latest news, unless they say the same.
func (s *source[T]) publish(now state[T], err error, last bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.latest
	if old.looked && !last && old.now.absent == now.absent && old.now.mzxid == now.mzxid {
		return
	}
	s.latest = &news[T]{looked: true, now: now, err: err, last: last, old: make(chan struct{})}
	close(old.old)
}

// run looks at the node whenever its watch tells of a change, or is lost.
func (s *source[T]) run(ctx context.Context) {
	defer close(s.ended)
	for {
		now, w, err := s.look(ctx)
		last := err != nil && !errors.Is(err, ErrLayoutConflict)
		s.publish(now, err, last)
		if last {
			s.f.mu.Lock()
			if s.f.current == s { // the next listener tries again
				s.f.current = nil
			}
			s.f.mu.Unlock()
			return
		}
		select {
		case <-w.C:
		case <-ctx.Done():
			w.Remove()
			return
		}
	}
}

// look reads the node and watches it. Within a session what servers tell only goes forward; the next one may begin
// at a server that lags behind, so that has to catch up first.
func (s *source[T]) look(ctx context.Context) (state[T], *client.Watch, error) {
	for {
		epoch := s.f.cl.State().Epoch
		if s.epoch != 0 && s.epoch != epoch {
			if err := s.f.cl.Sync(ctx, s.f.path); err != nil {
				return state[T]{}, nil, err
			}
		}
		data, stat, w, err := s.f.cl.GetW(ctx, s.f.path)
		if errors.Is(err, client.ErrNoNode) {
			var there bool
			var eerr error
			if _, there, w, eerr = s.f.cl.ExistsW(ctx, s.f.path); eerr != nil {
				return state[T]{}, nil, eerr
			}
			if there { // made meanwhile
				w.Remove()
				continue
			}
		} else if err != nil {
			return state[T]{}, nil, err
		}
		if s.f.cl.State().Epoch != epoch { // in which session was it?
			w.Remove()
			continue
		}
		s.epoch = epoch
		now, err := s.f.read(data, stat, err)
		return now, w, err
	}
}
