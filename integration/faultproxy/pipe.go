package faultproxy

import (
	"bufio"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"time"
)

// maxQueued is the number of bytes in a pipe from which on its sender is no
// longer read.
const maxQueued = 4 << 20

const forever = -1 * time.Second

// pipe is one direction of one connection: a goroutine that reads and examines
// what comes, a queue, and a goroutine that delivers from it as the line and
// the faults allow. src and dst are set before the goroutines start.
type pipe struct {
	link *link
	dir  Direction
	src  *net.TCPConn
	dst  *net.TCPConn
	wake chan struct{} // to the writer: look again
	room chan struct{} // to the reader: the queue is shorter

	// guarded by Proxy.mu
	queue  []*item
	queued int
	// quiet is made by one who waits for the write in progress to end.
	writing bool
	quiet   chan struct{}
	ended   bool // src has ended
	done    bool // the end was delivered
	broken  bool // dst takes nothing any more
	abrupt  bool // src was found broken by the other pipe: its end is a reset
}

// item is what a pipe transports: a frame, a piece of a raw stream, or the end.
type item struct {
	bytes   []byte
	sent    int
	end     ending
	at      time.Time
	late    time.Duration // by jitter
	request *Request      // of a request until it is delivered
	fault   *Fault        // hits when the item comes to its turn
	reply   *Fault        // hits the reply; of a request until it is delivered
}

type ending uint8

const (
	noEnd ending = iota
	fin
	rst
)

func (it *item) lose(reason error) {
	if it.fault != nil {
		it.fault.lose(reason)
	}
	if it.reply != nil {
		it.reply.lose(reason)
	}
}

func newPipe(l *link, dir Direction) *pipe {
	return &pipe{link: l, dir: dir, wake: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

func (q *pipe) nudge() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// read fills the queue until the source ends. Once the connection is cut, it
// takes what still comes and forgets it: closing a socket with unread bytes
// would send RST where FIN was asked for.
func (q *pipe) read() {
	in := splitter{r: bufio.NewReaderSize(q.src, 32<<10), raw: q.link.proxy.raw}
	for first := true; ; first = false {
		data, whole, err := in.next()
		now := time.Now()
		if len(data) > 0 {
			it := &item{bytes: data, at: now}
			if whole && !q.link.examine(q.dir, it, first) {
				in.raw = true
			}
			if !q.push(it) {
				break
			}
		}
		if err != nil {
			end := rst
			if errors.Is(err, io.EOF) {
				end = fin
			}
			q.push(&item{end: end, at: now})
			return
		}
	}
	_, _ = io.Copy(io.Discard, q.src) // any error is the end as well
}

// push reports false when the connection is no longer open.
func (q *pipe) push(it *item) bool {
	p := q.link.proxy
	p.mu.Lock()
	defer p.mu.Unlock()
	for q.queued >= maxQueued && q.link.state == linkOpen {
		p.mu.Unlock()
		select {
		case <-q.room:
		case <-q.link.stop:
		}
		p.mu.Lock()
	}
	if q.link.state != linkOpen {
		it.lose(q.link.reason)
		return false
	}
	if most := p.jitter[q.dir]; most > 0 {
		it.late = rand.N(most)
	}
	q.ended = it.end != noEnd
	q.queue = append(q.queue, it)
	q.queued += len(it.bytes)
	q.nudge()
	return true
}

func (q *pipe) pop() {
	q.queued -= len(q.queue[0].bytes)
	q.queue[0] = nil
	q.queue = q.queue[1:]
	q.makeRoom()
}

// discard empties the queue.
func (q *pipe) discard(reason error) {
	for _, it := range q.queue {
		it.lose(reason)
	}
	q.queue, q.queued = nil, 0
	q.makeRoom()
}

func (q *pipe) makeRoom() {
	select {
	case q.room <- struct{}{}:
	default:
	}
}

// write delivers until the end is delivered or the connection is not open.
func (q *pipe) write() {
	for {
		it, wait, ok := q.next()
		switch {
		case !ok:
			return
		case it != nil:
			n, err := q.dst.Write(it.bytes[it.sent:])
			q.wrote(it, n, err)
		default:
			q.sleep(wait)
		}
	}
}

func (q *pipe) sleep(wait time.Duration) {
	var elapsed <-chan time.Time
	if wait != forever {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		elapsed = timer.C
	}
	select {
	case <-q.wake:
	case <-elapsed:
	case <-q.link.stop:
	}
}

// next decides what happens now: an item to write, or nil and how long to wait
// for news. Faults and ends of streams are carried out here. It reports false
// when there is nothing left to do.
func (q *pipe) next() (it *item, wait time.Duration, ok bool) {
	l, p := q.link, q.link.proxy
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case l.state != linkOpen:
			return nil, 0, false
		case l.silences(q.dir):
			q.discard(errBlackHole)
			l.closeIfDeserted()
			return nil, forever, true
		case q.broken:
			q.discard(errEnded)
			l.closeIfDeserted()
			return nil, forever, true
		case p.held&q.dir != 0 || len(q.queue) == 0:
			return nil, forever, true
		}
		it := q.queue[0]
		if wait := q.wait(it); wait > 0 {
			return nil, wait, true
		}
		if f := it.fault; f != nil && !f.released {
			if f.kind.holds() {
				f.held = q
				f.fire()
				return nil, forever, true
			}
			q.pop()
			l.suffer(f)
			continue
		}
		switch {
		case it.end == rst || it.end == fin && q.abrupt:
			l.reset(errEnded)
			return nil, 0, false
		case it.end == fin:
			q.pop()
			q.done = true
			_ = q.dst.CloseWrite() // fails only where nobody listens any more
			l.nudge()
			return nil, 0, false
		}
		if it.request != nil {
			l.expect(it)
		}
		q.writing = true
		return it, 0, true
	}
}

// wait returns how long the item has to stay yet. It is called with Proxy.mu held.
func (q *pipe) wait(it *item) time.Duration {
	p := q.link.proxy
	late := p.delay[q.dir]
	if p.jitter[q.dir] > 0 { // not healed
		late += it.late
	}
	if late <= 0 {
		return 0
	}
	return time.Until(it.at.Add(late))
}

// wrote books the outcome of a write.
func (q *pipe) wrote(it *item, n int, err error) {
	p := q.link.proxy
	p.mu.Lock()
	defer p.mu.Unlock()
	q.writing = false
	if q.quiet != nil {
		_ = q.dst.SetWriteDeadline(time.Time{}) // a closed socket needs none
		close(q.quiet)
		q.quiet = nil
	}
	it.sent += n
	switch {
	case len(q.queue) == 0:
		// The connection was ended meanwhile.
	case it.sent == len(it.bytes):
		q.pop()
	case errors.Is(err, os.ErrDeadlineExceeded):
		// Interrupted: next decides about the rest.
	default:
		// The receiver is gone. Its RST travels in the other direction, where
		// it may be delayed, held or lost.
		q.broken = true
		back := q.link.pipe(q.dir.opposite())
		back.abrupt = true
		if back.done && !q.link.silences(back.dir) {
			q.link.reset(errEnded)
		}
	}
}

// interrupt stops a write in progress, and returns what to wait for or nil. It
// is called with Proxy.mu held.
func (q *pipe) interrupt() <-chan struct{} {
	if !q.writing {
		return nil
	}
	if q.quiet == nil {
		q.quiet = make(chan struct{})
		_ = q.dst.SetWriteDeadline(past) // a closed socket ends the write as well
	}
	return q.quiet
}
