package client

import "sync"

// tally counts what is under way, and refuses more once it is shut. Its zero value is ready.
type tally struct {
	mu     sync.Mutex
	n      int
	closed bool
	none   chan struct{} // closed when n is 0; nil while nobody waits
}

// add counts one more, which has to be done once; it is false if the tally is shut.
func (t *tally) add() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.n++
	return true
}

func (t *tally) done() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n--
	if t.n == 0 && t.none != nil {
		close(t.none)
		t.none = nil
	}
}

// idle is closed at a moment at which nothing is under way.
func (t *tally) idle() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.wait()
}

func (t *tally) wait() <-chan struct{} {
	if t.n == 0 {
		none := make(chan struct{})
		close(none)
		return none
	}
	if t.none == nil {
		t.none = make(chan struct{})
	}
	return t.none
}

// shut refuses more from now on; the channel is closed when nothing is under way any more.
func (t *tally) shut() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	return t.wait()
}

// shutIdle refuses more from now on if nothing is under way.
func (t *tally) shutIdle() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = t.closed || t.n == 0
	return t.n == 0
}

// signal is given once, by any number of goroutines.
type signal struct {
	once sync.Once
	c    chan struct{}
}

func newSignal() *signal { return &signal{c: make(chan struct{})} }

func (s *signal) give() { s.once.Do(func() { close(s.c) }) }
