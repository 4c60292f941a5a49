package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/internal/wire"
)

// maxChecks is how many nodes one confirmation checks, if their paths fit into a
// request. Whoever holds more has them checked in turn; the session itself is
// confirmed by each.
const maxChecks = 1000

// keeper confirms a session while it has holds, and ends the holds when that does
// not succeed in time. Its goroutine runs from the first hold until there is none.
type keeper struct {
	s     *Session
	woken chan struct{} // cap 1: reconnected, a node is gone, or holds have changed

	mu      sync.Mutex
	claim   *Hold // of the session itself, checked by every confirmation; nil if there is none
	version int32 // of claim's node
	holds   []*Hold
	next    int  // where the next confirmation begins
	urgent  bool // a confirmation is due at once
	running bool
	over    bool
	wg      sync.WaitGroup
}

func newKeeper(s *Session) *keeper { return &keeper{s: s, woken: make(chan struct{}, 1)} }

// add is false if there is a hold of the same node.
func (k *keeper) add(h *Hold) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.over || k.s.ctx.Err() != nil { // and with it h's context
		return true
	}
	if slices.ContainsFunc(k.holds, func(other *Hold) bool { return other.path == h.path }) {
		return false
	}
	k.holds = append(k.holds, h)
	if !k.running {
		k.running = true
		k.wg.Go(k.run)
		return true
	}
	k.wake() // the bound that it waits for may be another one now
	return true
}

// guard makes every confirmation check the session's claim, and confirms from now on
// whether there are holds or not.
func (k *keeper) guard(path string, version int32) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.over || k.s.ctx.Err() != nil {
		return
	}
	k.claim, k.version = &Hold{s: k.s, path: path}, version
	if !k.running {
		k.running = true
		k.wg.Go(k.run)
	}
	k.urgent = true
	k.wake()
}

// guarded is the transaction that checks that nodes exist, whose paths are the servers',
// and the session's claim as well, if there is one.
func (k *keeper) guarded(paths ...string) *wire.Call {
	body := checks(paths...)
	k.mu.Lock()
	claim, version := k.claim, k.version
	k.mu.Unlock()
	if claim != nil {
		body.Ops = slices.Insert(body.Ops, 0, jute.MultiOp{Op: jute.OpCheck, Body: &jute.PathVersionRequest{Path: claim.path, Version: version}})
	}
	call := wire.NewCall(jute.OpMulti, body)
	call.Guards = claim != nil
	return call
}

// remove ends a hold. The watch on its node is left to the node's deletion.
func (k *keeper) remove(h *Hold, cause error) {
	h.cancel(cause)
	k.mu.Lock()
	defer k.mu.Unlock()
	for i, other := range k.holds {
		if other == h {
			last := len(k.holds) - 1
			k.holds[i], k.holds[last] = k.holds[last], nil
			k.holds = k.holds[:last]
			break
		}
	}
	if len(k.holds) == 0 {
		k.wake()
	}
}

func (k *keeper) size() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.holds)
}

// poke makes a confirmation due at once, if there is anything to confirm.
func (k *keeper) poke() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.holds) > 0 || k.claim != nil { // otherwise the first hold to come would pay for it
		k.urgent = true
		k.wake()
	}
}

func (k *keeper) pressed() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	was := k.urgent
	k.urgent = false
	return was
}

func (k *keeper) wake() {
	select {
	case k.woken <- struct{}{}:
	default:
	}
}

// wait returns when the goroutine has ended; it is called when the session is over.
func (k *keeper) wait() {
	k.mu.Lock()
	k.over = true // from here on add starts nothing
	k.mu.Unlock()
	k.wg.Wait()
}

// idle tells whether there is nothing to hold any more, which ends the keeper.
func (k *keeper) idle() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.holds) > 0 || k.claim != nil {
		return false
	}
	k.running, k.urgent = false, false
	return true
}

// batch returns the holds to check next, in turn where they are too many.
func (k *keeper) batch() []*Hold {
	k.mu.Lock()
	defer k.mu.Unlock()
	var out []*Hold
	size := checkSize(k.s.claim.nodePath())
	for i := range min(len(k.holds), maxChecks) {
		h := k.holds[(k.next+i)%len(k.holds)]
		if size += checkSize(k.s.out(h.path)); size > k.s.c.set.maxRequest && i > 0 {
			break
		}
		out = append(out, h)
	}
	if len(out) > 0 {
		k.next = (k.next + len(out)) % len(k.holds)
	}
	return out
}

func (k *keeper) run() {
	var (
		period  = k.s.timeout / 5
		tick    = time.NewTimer(period)
		expiry  = time.NewTimer(time.Until(k.s.ConfirmedUntil()))
		call    *wire.Call
		checked []*Hold
		sent    time.Time
		again   bool // another confirmation is due when call has ended
	)
	defer tick.Stop()
	defer expiry.Stop()
	for {
		var done <-chan struct{}
		if call != nil {
			done = call.Done()
		}
		due := false
		select {
		case <-k.s.ctx.Done():
			k.endAll(context.Cause(k.s.ctx))
			return
		case <-expiry.C:
		case <-tick.C:
			if call != nil && time.Since(sent) >= period {
				k.s.link.Drop(errSuspect)
			}
			due = true
		case <-k.woken:
			again = k.pressed() || again
			due = again
		case <-done:
			due = k.conclude(call, checked) || again
			call = nil
		}
		// After a pause of the process the bound may be past although its timer has not
		// fired yet: whatever woke us, this comes first.
		if left := time.Until(k.s.ConfirmedUntil()); left > 0 {
			expiry.Reset(left)
		} else {
			k.endAll(ErrUnconfirmed)
		}
		if k.idle() {
			if call != nil { // nobody waits for it, but a server that never answers it has to be left all the same
				k.s.leaveUnless(call, period-time.Since(sent))
			}
			return
		}
		if call != nil { // one at a time, and tick watches over it
			continue
		}
		if due && k.s.servedReadOnly() { // nothing can be confirmed; the next connection pokes
			due, again = false, false
			tick.Reset(period)
		}
		if due {
			again = false
			sent = time.Now() // not after the tick
			tick.Reset(period)
			checked = k.batch()
			call = k.confirm(checked)
		}
	}
}

// leaveUnless leaves the server if a call has not ended in time.
func (s *Session) leaveUnless(call *wire.Call, in time.Duration) {
	time.AfterFunc(in, func() {
		select {
		case <-call.Done():
		default:
			s.link.Drop(errSuspect)
		}
	})
}

// confirm sends a confirmation, and behind it watches for nodes that have none yet.
func (k *keeper) confirm(batch []*Hold) *wire.Call {
	paths := make([]string, len(batch))
	for i, h := range batch {
		paths[i] = k.s.out(h.path)
	}
	k.mu.Lock()
	claim := k.claim
	k.mu.Unlock()
	calls := make([]*wire.Call, 0, len(batch)+2)
	if claim != nil || len(batch) > 0 && !k.s.c.set.unconfirmed {
		calls = append(calls, k.guarded(paths...))
	}
	if claim != nil {
		if call := k.watch(claim, claim.path); call != nil {
			calls = append(calls, call)
		}
	}
	for i, h := range batch {
		if call := k.watch(h, paths[i]); call != nil {
			calls = append(calls, call)
		}
	}
	if len(calls) == 0 {
		return nil
	}
	k.s.send(calls...)
	return calls[0]
}

// watch arms a watch on a hold's node, so that its deletion by somebody is noticed
// at once and not only by the next confirmation. This is not done when the hold is
// taken: most locks are released before the first confirmation is due.
func (k *keeper) watch(h *Hold, path string) *wire.Call {
	k.mu.Lock()
	defer k.mu.Unlock()
	if h.watch != nil {
		return nil
	}
	w := &Watch{table: k.s.watches, key: watchKey{path: path, kind: jute.WatchData}}
	w.fire = func(ev Event) {
		if ev.Type == EventNodeDeleted && h.cancel != nil {
			k.remove(h, ErrHoldDeleted)
			return
		}
		k.mu.Lock()
		h.watch = nil
		k.mu.Unlock()
		k.poke()
	}
	h.watch = w
	call := wire.NewCall(jute.OpGetData, &jute.PathWatchRequest{Path: path, Watch: true})
	k.s.watches.announce(w, call, false)
	arrived := call.OnEnd
	call.OnEnd = func(call *wire.Call) {
		arrived(call)
		switch {
		case call.Err != nil: // to be watched over the next connection
			k.mu.Lock()
			h.watch = nil
			k.mu.Unlock()
		case call.Code == jute.NoNode && h.cancel != nil:
			k.remove(h, ErrHoldDeleted)
		}
	}
	return call
}

// conclude handles the end of a confirmation; it reports whether another is due at once.
func (k *keeper) conclude(call *wire.Call, checked []*Hold) bool {
	if call.Op != jute.OpMulti {
		return false
	}
	if call.Err != nil {
		k.s.c.counters.confirmation(call.Err)
		return k.s.wasConnected() // otherwise the next connection wakes the keeper
	}
	i, err := k.s.failedCheck(call, len(checked))
	k.s.c.counters.confirmation(err)
	switch {
	case err == nil:
		return false
	case errors.Is(err, ErrSessionTaken): // and the session ends
		return false
	case errors.Is(err, ErrNoNode) && i < len(checked):
		k.remove(checked[i], ErrHoldDeleted)
		return true
	case retryable(call.Code) && call.Code != jute.ThrottledOp, errors.Is(err, ErrSessionLost):
		k.s.link.Drop(fmt.Errorf("the server answered %w", err))
		return false
	}
	k.s.c.log.Warn("zookeeper session not confirmed", "session", sessionName(k.s.id), "epoch", k.s.epoch, "err", err)
	return false
}

func (k *keeper) endAll(cause error) {
	k.mu.Lock()
	holds := k.holds
	k.holds = nil
	if k.s.ctx.Err() != nil {
		k.running = false
	}
	k.mu.Unlock()
	for _, h := range holds {
		h.cancel(cause)
	}
}
