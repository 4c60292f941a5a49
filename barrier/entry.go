package barrier

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// entry is one attempt to enter, under one session.
//
// The watch on `ready` is armed before the own node is made: a round that this node helps to
// open cannot open unseen. Both are then looked at again after each wake-up; of events
// only "ready was created" counts by itself, since peers may have deleted ready by
// the time it is looked for (Kazoo's first leaver does).
type entry struct {
	d   *Double
	s   *client.Session
	own string // path of the own node

	ready  *client.Watch
	rung   bool // it has fired
	opened bool // because ready was created
	lost   bool // one was lost with its connection, since the own node was made

	czxid int64 // of the own node

	// The directory, when it was first looked at after that.
	first   client.Stat
	present int
	blind   bool // a watch had been lost before
}

func (e *entry) stop() {
	if e.ready != nil {
		e.ready.Remove()
	}
}

// arm watches ready anew.
func (e *entry) arm(ctx context.Context) (stat client.Stat, ok bool, err error) {
	e.stop()
	e.rung, e.opened = false, false
	stat, ok, e.ready, err = e.s.ExistsW(ctx, e.d.ready())
	return stat, ok, err
}

// hear takes an event of the watch on ready.
func (e *entry) hear(ev client.Event) {
	e.rung, e.opened = true, ev.Type == client.EventNodeCreated
	e.lost = e.lost || ev.Type == client.EventConnectionLost
}

// listen takes it if it is there: an event is, before the reply to a read behind it.
func (e *entry) listen() {
	if e.rung {
		return
	}
	select {
	case ev := <-e.ready.C:
		e.hear(ev)
	default:
	}
}

// clear returns when a round can be entered: when ready is missing, or stands for a round in
// which n are inside. A stale one, of whose round nobody is there any more, it deletes.
func (e *entry) clear(ctx context.Context) error {
	for {
		ready, ok, err := e.arm(ctx)
		if err != nil || !ok {
			return err
		}
		names, _, err := e.s.Children(ctx, e.d.dir)
		if errors.Is(err, client.ErrNoNode) {
			continue // deleted just now
		}
		if err != nil {
			return err
		}
		all, err := e.members(ctx, names)
		if err != nil {
			return err
		}
		old := slices.DeleteFunc(slices.Clone(all), func(m member) bool { return m.czxid > ready.Czxid })
		switch {
		case len(old) == 0:
			err = e.deleteStale(ctx, ready)
		case len(all) >= e.d.n:
			return nil
		default: // by name, the first is the last to leave
			err = e.until(ctx, client.Join(e.d.dir, old[0].name))
		}
		if err != nil {
			return err
		}
	}
}

// deleteStale deletes a ready that was read as stale, and no later one: to mark it first
// shows by its czxid which one it is, and makes it one of a version that no other has.
func (e *entry) deleteStale(ctx context.Context, ready client.Stat) error {
	marked, err := e.s.Set(ctx, e.d.ready(), nil, ready.Version)
	if err == nil && marked.Czxid == ready.Czxid {
		err = e.s.Delete(ctx, e.d.ready(), marked.Version)
	}
	if errors.Is(err, client.ErrNoNode) || errors.Is(err, client.ErrBadVersion) || errors.Is(err, client.ErrConnectionLost) {
		return nil // somebody else was at it, or may have been: look again
	}
	return err
}

// until returns when the node has gone, or ready has, or it is otherwise time to look again.
func (e *entry) until(ctx context.Context, path string) error {
	_, ok, w, err := watchNode(ctx, e.s.Ops, path)
	if err != nil || !ok {
		return err
	}
	defer w.Remove()
	return e.sleep(ctx, w)
}

// sleep returns nil at the next event of ready or of w, at once if ready's has been heard.
func (e *entry) sleep(ctx context.Context, w *client.Watch) error {
	if e.rung {
		return ended(ctx)
	}
	select {
	case ev := <-e.ready.C:
		e.hear(ev)
		return nil
	case <-w.C:
		return nil
	case <-e.s.Detaching():
		return client.ErrDetached
	case <-e.s.Context().Done():
		return context.Cause(e.s.Context())
	case <-ctx.Done():
		return ended(ctx)
	}
}

// join makes the own node. If the outcome is not known the error says so.
func (e *entry) join(ctx context.Context) error {
	for {
		made, err := e.s.Idempotent().Create(ctx, e.own, e.d.cfg.data, client.WithMode(client.Ephemeral), e.d.cfg.parents())
		if err == nil {
			e.czxid, e.lost = made.Stat.Czxid, false
			return nil
		}
		if !errors.Is(err, client.ErrNodeExists) {
			return err
		}
		// Nobody else has this name: it is of a session of ours that is over.
		stat, ok, err := e.s.Exists(ctx, e.own)
		switch {
		case err != nil:
			return err
		case ok && stat.EphemeralOwner == e.s.ID():
			e.czxid, e.lost = stat.Czxid, false
			return nil
		case ok:
			err = deleteNode(ctx, e.s.Ops, e.own)
		}
		if err != nil {
			return err
		}
	}
}

// await waits until a round is open that the own node is in.
func (e *entry) await(ctx context.Context) (*Inside, error) {
	for {
		stat, ok, own, err := e.s.ExistsW(ctx, e.own)
		if err != nil {
			return nil, err
		}
		var open bool
		if !ok || stat.Czxid != e.czxid {
			err = fmt.Errorf("%s: %w", e.own, errOwnGone)
		} else if open, err = e.open(ctx); err == nil && !open {
			err = e.sleep(ctx, own)
			open = e.opened // after the list, and so after the own node was made
		}
		own.Remove()
		switch {
		case err != nil:
			return nil, err
		case open:
			return e.claim(ctx)
		}
		if e.rung { // the other is armed anew at each turn
			if _, _, err := e.arm(ctx); err != nil {
				return nil, err
			}
		}
	}
}

// open tells whether the round is open, and opens it if it is for this one to do.
func (e *entry) open(ctx context.Context) (bool, error) {
	names, dir, err := e.s.Children(ctx, e.d.dir)
	if errors.Is(err, client.ErrNoNode) { // and with the directory the own node
		return false, fmt.Errorf("%s: %w", e.own, errOwnGone)
	}
	if err != nil {
		return false, err
	}
	e.listen()
	switch {
	case slices.Contains(names, readyName):
		return e.standing(ctx, names)
	case e.opened: // and somebody has deleted it since
		return true, nil
	case e.rung: // nothing is to be missed
		return false, nil
	}
	if e.first.Czxid == 0 {
		e.first, e.present, e.blind = dir, len(names), e.lost
	}
	if len(names) < e.d.n {
		return false, e.missed(dir)
	}
	all, err := e.members(ctx, names)
	if err != nil {
		return false, err
	}
	if len(all) < e.d.n { // foreign children
		return false, e.missed(dir)
	}
	_, err = e.s.Idempotent().Create(ctx, e.d.ready(), nil)
	switch {
	case err == nil && e.d.cfg.layout == recipes.Kazoo:
		return true, e.onlyOnce(ctx, names, dir)
	case err == nil, errors.Is(err, client.ErrNodeExists):
		return true, nil
	case errors.Is(err, client.ErrNoNode):
		return false, fmt.Errorf("%s: %w", e.own, errOwnGone)
	}
	return false, err
}

// onlyOnce deletes the ready that was just made if another had been made and deleted since the
// directory was listed: the first of Kazoo's participants to leave has done so, and takes a ready that
// comes later for one more participant that it has to wait for. More children have come
// and gone then than those that are there.
func (e *entry) onlyOnce(ctx context.Context, names []string, before client.Stat) error {
	_, now, err := e.s.Children(ctx, e.d.dir)
	if err != nil {
		return err
	}
	if int(now.Cversion-before.Cversion) < 3+max(now.NumChildren-len(names)-1, 0) {
		return nil
	}
	return deleteNode(ctx, e.s.Ops, e.d.ready())
}

// standing tells whether a ready that stands lets this participant in.
func (e *entry) standing(ctx context.Context, names []string) (bool, error) {
	ready, ok, err := e.s.Exists(ctx, e.d.ready())
	switch {
	case err != nil:
		return false, err
	case !ok: // deleted since: if it was made since the watch was armed, that has been heard
		e.listen()
		return e.opened, nil
	case ready.Czxid > e.czxid: // made when the own node was there
		return true, nil
	}
	all, err := e.members(ctx, names)
	if err != nil {
		return false, err
	}
	if len(all) < e.d.n { // the own node must not keep them waiting who are leaving
		return false, errRoundOver
	}
	return true, nil
}

// missed finds out whether a round may have passed unseen. Where ready is deleted only when nobody
// of its round is left it cannot: the own node is of the round. Kazoo's participants
// delete it as soon as one of them leaves; what the connection loss has hidden then shows
// in how many nodes have been made since: as many as were missing, and ready.
func (e *entry) missed(now client.Stat) error {
	if e.d.cfg.layout != recipes.Kazoo || !e.lost {
		return nil
	}
	changes := int(now.Cversion - e.first.Cversion)
	made := (changes + now.NumChildren - e.first.NumChildren) / 2
	if e.blind || made > e.d.n-e.present {
		return ErrMissed
	}
	return nil
}

// claim makes sure that the own node is there still, and keeps proof of it from now on.
func (e *entry) claim(ctx context.Context) (*Inside, error) {
	pause := newPause()
	for {
		err := e.s.Confirm(ctx, e.own)
		if errors.Is(err, client.ErrNoNode) {
			return nil, fmt.Errorf("%s: %w", e.own, errOwnGone)
		}
		if err != nil {
			return nil, err
		}
		hold, err := e.s.Hold(e.own)
		if err == nil {
			return newInside(e.d, e.s, e.own, hold), nil
		}
		if !errors.Is(err, client.ErrUnconfirmed) {
			return nil, err
		}
		e.d.cl.Logger().Debug("double barrier not confirmed for long enough", "path", e.own, "err", err)
		if err := pause.wait(ctx); err != nil {
			return nil, err
		}
	}
}
