package main

import (
	"bytes"
	"io"
	"sync"
)

// turns let several writers share one output, one after the other: what a later one
// writes before its turn is kept until then.
type turns struct {
	mu    sync.Mutex
	out   io.Writer
	queue []*turn // whose turn it is, and who comes after
}

// turn is one of those writers.
type turn struct {
	turns *turns
	kept  bytes.Buffer
	ended bool
}

func newTurns(out io.Writer) *turns { return &turns{out: out} }

// next adds a writer behind those that there are.
func (t *turns) next() *turn {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := &turn{turns: t}
	t.queue = append(t.queue, w)
	return w
}

// Write implements io.Writer.
func (w *turn) Write(p []byte) (int, error) {
	w.turns.mu.Lock()
	defer w.turns.mu.Unlock()
	if w.turns.queue[0] == w {
		return w.turns.out.Write(p)
	}
	return w.kept.Write(p)
}

// end passes the turn on. A writer that ends before its turn still gets it.
func (w *turn) end() {
	w.turns.mu.Lock()
	defer w.turns.mu.Unlock()
	w.ended = true
	for t := w.turns; len(t.queue) > 0 && t.queue[0].ended; {
		t.queue = t.queue[1:]
		if len(t.queue) > 0 {
			_, _ = t.queue[0].kept.WriteTo(t.out) // nobody would be there to read about it
		}
	}
}
