package recipes

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/zookit/zookit/client"
)

// What a mirror asks for at once: so many nodes, and fewer where they are large.
const (
	mirrorFlight      = 100
	mirrorFlightBytes = 4 << 20
)

// mirrorLoop is the work of a mirror's goroutine. What it owns nobody else touches; it changes
// the tree, under the mirror's lock, and nobody else does.
//
// One rule keeps the copy right: what a flight of reads has found is applied only after all
// events that came before its answers have been taken note of. An event is there before any read that
// began after the change returns newer data, so a node that is found missing or changed has said so.
type mirrorLoop struct {
	m *Mirror
	w *client.Watcher

	urgent mirrorQueue // what events have named
	sweep  mirrorQueue // the rebuild

	// current says that the server had caught up with the leader since the watch stands.
	current bool
	// epoch is the session of the newest complete rebuild. In another one what is missing or older than
	// what is known is believed only once confirmed says that a quorum has committed something there: a session
	// that a server has opened for itself proves nothing. doubt asks for that.
	epoch, at        uint64 // at: of the newest flight
	confirmed, doubt bool
	newest           int64 // the greatest transaction that a node of the mirror has had

	// gone are the nodes of which a deletion was heard while a flight was under way, with the transaction that
	// had created what was deleted, if that is known.
	gone    map[string]int64
	resyncs int // how often the watch has been set

	largest  int // the size of the largest node of the newest flight
	sweeping bool
	next     time.Time // when the next flight of the rebuild may leave
	broken   error     // what the rebuild has come upon
	retry    time.Time // when to try again after that
	retries  int
}

func newMirrorLoop(m *Mirror, w *client.Watcher) *mirrorLoop {
	return &mirrorLoop{m: m, w: w, urgent: newMirrorQueue(), sweep: newMirrorQueue(), gone: map[string]int64{}}
}

func (l *mirrorLoop) run(ctx context.Context) error {
	for {
		over, err := l.drain(ctx)
		switch {
		case err != nil:
			return err
		case over:
			if err := l.watchAgain(ctx); err != nil {
				return err
			}
			continue
		}
		if l.sweeping && l.sweep.len() == 0 {
			l.complete()
		}
		flight := min(mirrorFlight, max(2, mirrorFlightBytes/(l.largest+1)))
		var items []mirrorItem
		if l.sweep.len() > 0 && time.Until(l.next) <= 0 {
			items = l.sweep.take(flight - min(l.urgent.len(), flight/2)) // neither starves the other
			l.next = time.Now().Add(time.Duration(len(items)) * time.Second / time.Duration(l.m.cfg.Rate))
		}
		items = append(items, l.urgent.take(flight-len(items))...)
		if len(items) > 0 {
			if err := l.fly(ctx, items); err != nil {
				return err
			}
			continue
		}
		if err := l.wait(ctx); err != nil {
			return err
		}
	}
}

// wait returns when an event has come, which it takes, or a timer is over.
func (l *mirrorLoop) wait(ctx context.Context) error {
	var timer <-chan time.Time
	until := l.retry
	if l.sweep.len() > 0 {
		until = l.next
	}
	if !until.IsZero() {
		t := time.NewTimer(time.Until(until))
		defer t.Stop()
		timer = t.C
	}
	select {
	case ev, ok := <-l.w.C:
		if ok {
			l.heed(ev)
		}
	case <-timer:
		if l.sweep.len() == 0 {
			l.retry = time.Time{}
			l.rebuild()
		}
	case <-ctx.Done():
		return ended(ctx)
	}
	return nil
}

// drain takes what events there are. over says that the watch has ended, though the client has not.
func (l *mirrorLoop) drain(ctx context.Context) (over bool, err error) {
	for {
		select {
		case ev, ok := <-l.w.C:
			if !ok {
				err := l.w.Err()
				if errors.Is(err, client.ErrClosed) || errors.Is(err, client.ErrAuthFailed) {
					return true, err
				}
				return true, ended(ctx)
			}
			l.heed(ev)
		default:
			return false, ended(ctx)
		}
	}
}

// watchAgain sets the watch again that a server has refused.
func (l *mirrorLoop) watchAgain(ctx context.Context) error {
	l.m.unsynced()
	why := l.w.Err()
	for pause := time.Second; ; pause = min(2*pause, mirrorRetryMost) {
		if why != nil {
			l.m.failed(why)
		}
		if err := sleep(ctx, jittered(pause)); err != nil {
			return err
		}
		w, err := l.m.addWatch(ctx)
		if err == nil {
			l.w = w
			return nil
		}
		if ctx.Err() != nil || errors.Is(err, client.ErrClosed) || errors.Is(err, client.ErrAuthFailed) {
			return err
		}
		why = err
	}
}

// heed takes note of an event.
func (l *mirrorLoop) heed(ev client.Event) {
	if ev.Type == client.EventResynced {
		l.m.unsynced()
		l.resyncs++
		l.current, l.confirmed, l.doubt = false, false, false
		l.rebuild()
		return
	}
	if !l.m.within(ev.Path) || l.shadowed(ev.Path) {
		return
	}
	switch {
	case ev.Type == client.EventNodeChildrenChanged: // of OnlyNode
	case !l.current: // it may be older than what is known; what it names is read behind the sync
		l.urgent.add(ev.Path, wantData)
	case ev.Type == client.EventNodeDeleted:
		l.deleted(ev.Path)
	default:
		l.urgent.add(ev.Path, wantData)
	}
}

// shadowed tells whether a node is below one that may not be read, and cannot be found by a walk.
func (l *mirrorLoop) shadowed(path string) bool {
	if len(l.m.tree.unreadable) == 0 {
		return false
	}
	for path != l.m.path {
		path, _ = splitPath(path)
		if _, ok := l.m.tree.unreadable[path]; ok {
			return true
		}
	}
	return false
}

// rebuild begins to verify everything.
func (l *mirrorLoop) rebuild() {
	l.urgent, l.sweep = newMirrorQueue(), newMirrorQueue()
	l.sweep.add(l.m.path, wantData|wantWalk)
	l.sweeping, l.broken, l.retry = true, nil, time.Time{}
	l.next = time.Time{}
	known := len(l.m.tree.nodes)
	if known > mirrorFlight {
		// The mirrors of many clients come back at once, after an election say: each begins at some moment
		// within the time that it will take.
		l.next = time.Now().Add(rand.N(time.Duration(known) * time.Second / time.Duration(l.m.cfg.Rate)))
	}
}

// complete ends a rebuild.
func (l *mirrorLoop) complete() {
	l.sweeping = false
	if l.broken != nil {
		l.m.failed(l.broken)
		pause := min(mirrorRetryMost, mirrorRetryFirst<<min(l.retries, 8))
		l.retries++
		l.retry = time.Now().Add(jittered(pause))
		return
	}
	l.retries = 0
	if l.current {
		l.epoch = l.at
	}
	l.m.rebuilt()
}

// jittered is d and up to half as much more.
func jittered(d time.Duration) time.Duration { return d + rand.N(d/2) }

// sleep waits, or returns the error of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ended(ctx)
	}
}
