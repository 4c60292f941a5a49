package client

import (
	"context"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/internal/wire"
)

// notWatched is the mode of a path that the server does not watch for good.
const notWatched AddWatchMode = -1

// cover is a lasting watch on the server: one for a path, whoever needs it. It serves
// the Watchers of the path and, as its borrowers, the one-shot watches whose reads were
// sent behind it. It is recursive if anybody has needed that, until nobody needs it at
// all: servers before 3.9 know one mode for a path. Guarded by its table's mutex; it lives as long as the connection at most.
type cover struct {
	path     string
	asked    AddWatchMode      // of the last request for it
	stands   AddWatchMode      // what the server has confirmed
	pending  int               // requests for it that are not answered
	watchers map[*Watcher]bool // true: resynced on this connection
	failed   bool              // the server has refused it: whoever has borrowed it is not served
	kept     bool              // keepChildren's watch is on the server
	asking   bool              // a request for it is under way
	again    bool              // and another is due
}

// want is a request for a cover, as it stood when it was sent.
type want struct {
	c    *cover
	mode AddWatchMode
}

func (t *watchTable) coverOf(path string) *cover {
	c := t.covers[path]
	if c == nil {
		c = &cover{path: path, asked: notWatched, stands: notWatched, watchers: map[*Watcher]bool{}}
		t.covers[path] = c
	}
	return c
}

// tell gives an event to the Watchers of some modes that stand.
func (c *cover) tell(ev Event, modes ...AddWatchMode) {
	for w, synced := range c.watchers {
		if !synced {
			continue
		}
		for _, mode := range modes {
			if w.mode == mode {
				w.put(ev)
			}
		}
	}
}

// resync tells the Watchers that stand from now on.
func (c *cover) resync() {
	for w, synced := range c.watchers {
		if !synced && w.mode <= c.stands {
			c.watchers[w] = true
			w.resynced()
		}
	}
}

// join makes a Watcher one of its path's cover. While there is no connection open does
// that.
func (t *watchTable) join(w *Watcher) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.up {
		return
	}
	c := t.coverOf(w.server)
	c.watchers[w] = false
	t.keepChildren(c, t.s.link.LastZxid())
	c.resync()
	if c.asked < w.mode {
		c.asked = w.mode
		call := wire.NewCall(jute.OpAddWatch, &jute.PathTypeRequest{Path: c.path, Type: int32(w.mode)})
		t.await(call, []want{{c, w.mode}}, true)
		c.pending++
		t.s.link.Post(call) // without a connection the next one begins with it
	}
}

// leave takes a Watcher out.
func (t *watchTable) leave(w *Watcher) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := t.covers[w.server]; c != nil {
		delete(c.watchers, w)
		t.settle(c)
	}
}

// settle removes a cover that nobody needs: no Watcher, and no one-shot watch, armed or
// under way.
func (t *watchTable) settle(c *cover) {
	data, children := watchKey{c.path, jute.WatchData}, watchKey{c.path, jute.WatchChildren}
	if len(c.watchers)+len(t.armed[data])+len(t.armed[children])+t.coming[data]+t.coming[children] > 0 {
		return
	}
	delete(t.covers, c.path)
	delete(t.owed, data)
	delete(t.owed, children)
	t.unset(c.path, jute.WatchAny)
}

// rearm makes the covers that a new connection needs, and the requests for them.
func (t *watchTable) rearm(watchers map[*Watcher]struct{}) []*wire.Call {
	for w := range watchers {
		c := t.coverOf(w.server)
		c.watchers[w] = false
		c.asked = max(c.asked, w.mode)
	}
	var (
		calls []*wire.Call
		batch []want
		size  = emptySetWatches
	)
	flush := func() {
		call := setWatches(batch)
		t.await(call, batch, true)
		calls = append(calls, call)
		batch, size = nil, emptySetWatches
	}
	for _, c := range t.covers {
		if len(batch) > 0 && size+4+len(c.path) > t.s.c.set.maxRequest {
			flush()
		}
		c.pending++
		batch = append(batch, want{c, c.asked})
		size += 4 + len(c.path)
	}
	if len(batch) > 0 {
		flush()
	}
	return calls
}

// emptySetWatches is the size of a setWatches2 request without paths: header,
// transaction and five lists.
const emptySetWatches = 8 + 8 + 5*4

func setWatches(wants []want) *wire.Call {
	body := &jute.SetWatches2Request{}
	for _, want := range wants {
		if want.mode == WatchPersistentRecursive {
			body.Recursive = append(body.Recursive, want.c.path)
		} else {
			body.Persistent = append(body.Persistent, want.c.path)
		}
	}
	return wire.NewCall(jute.OpSetWatches2, body)
}

// await handles the answer to a request for covers, before any later frame is looked
// at. One that was turned away under load is repeated in the background if so wanted.
func (t *watchTable) await(call *wire.Call, wants []want, repeat bool) {
	connection := t.losses
	call.OnEnd = func(call *wire.Call) {
		switch {
		case call.Err != nil: // the next connection begins with them
		case !retryable(call.Code):
			t.answered(call, wants, connection)
		case call.Code != jute.ThrottledOp:
			t.s.link.Drop(codeError(call.Code))
		case repeat:
			t.s.Cleanup(call.Op.String(), func(ctx context.Context) error { return t.askAgain(ctx, wants, connection) })
		}
	}
}

// askAgain repeats a request that was throttled, for what is still wanted of it.
func (t *watchTable) askAgain(ctx context.Context, wants []want, connection uint64) error {
	t.mu.Lock()
	if wants = t.current(wants, connection); len(wants) == 0 {
		t.mu.Unlock()
		return nil
	}
	call := setWatches(wants)
	t.await(call, wants, false)
	sent := t.s.link.Post(call)
	t.mu.Unlock()
	if !sent {
		return nil
	}
	select {
	case <-call.Done():
		if call.Err == nil && call.Code == jute.ThrottledOp {
			return ErrThrottled
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// current are those wants that have not been given up since.
func (t *watchTable) current(wants []want, connection uint64) []want {
	if connection != t.losses {
		return nil
	}
	var out []want
	for _, want := range wants {
		if t.covers[want.c.path] == want.c {
			out = append(out, want)
		}
	}
	return out
}

// answered takes up what the server has said for good.
func (t *watchTable) answered(call *wire.Call, wants []want, connection uint64) {
	var (
		refused []*Watcher
		lost    []*Watch
	)
	t.mu.Lock()
	for _, want := range t.current(wants, connection) {
		c := want.c
		c.pending--
		if call.Code == jute.OK {
			c.stands = max(c.stands, want.mode)
			t.keepChildren(c, call.Zxid)
			c.resync()
			continue
		}
		for w, synced := range c.watchers {
			if !synced && w.mode <= want.mode {
				delete(c.watchers, w)
				refused = append(refused, w)
			}
		}
		if c.pending > 0 {
			continue
		}
		if c.asked = c.stands; c.stands == notWatched {
			lost = append(lost, t.fail(c)...)
		} else {
			t.settle(c)
		}
	}
	t.mu.Unlock()
	for _, w := range refused {
		t.s.c.watchers.end(w, &OpError{Op: call.Op.String(), Path: w.path, Outcome: Definite, Err: codeError(call.Code)})
	}
	for _, w := range lost {
		w.fire(Event{Type: EventConnectionLost, Path: w.key.path})
	}
}

// fail gives up a cover that the server has refused; it returns the watches that have
// relied on it.
func (t *watchTable) fail(c *cover) []*Watch {
	c.failed = true
	delete(t.covers, c.path)
	borrowed := func(w *Watch) bool { return w.cover == c }
	return append(t.take(watchKey{c.path, jute.WatchData}, borrowed), t.take(watchKey{c.path, jute.WatchChildren}, borrowed)...)
}
