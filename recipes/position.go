package recipes

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/zookit/zookit/client"
)

// position is where a contender stands in the line.
//
// A line grows at its end, and where a writer becomes a reader in its own place; so those ahead
// of a contender are known from its first look at the line, but for who has left since. A look at the whole line
// tells that; in a line of thousands it must not be taken at each hand-over. It
// need not be in two cases: where nobody was ahead of the blocker, its end leaves
// nobody, unless it can have become a reader in its place; and where the blocker left word that nobody was ahead of it when it was let
// through (see leaveWord).
//
// A short line is looked at nevertheless: word costs two requests and a transaction of three operations.
type position struct {
	blocked bool
	blocker Contender
	first   bool // nobody is ahead of the blocker
	last    bool // the rule lets the own contender through when the blocker and all ahead of it are gone
	next    bool // the blocker is directly ahead
	head    bool // not blocked, and nobody is ahead at all
}

// open is the position of a contender whose blocker is gone, with all that were ahead of it.
func (p position) open() position { return position{head: p.next} }

// errGrown says that a line has become long while somebody waited in it.
var errGrown = errors.New("the line has become long")

// firstCount is how long a contender waits before it counts a short line again. Then it is twice as long each time.
const firstCount = time.Second

// watch waits until it is time to look again. If the position that it returns is not
// blocked the look has been taken: the rule lets the own contender through, and its node
// is there.
func (t *ticket) watch(ctx context.Context, p position) (position, error) {
	path := client.Join(t.line.dir, p.blocker.Name)
	for {
		if t.long && t.hears(p) {
			next, err := t.watchWord(ctx, path, p)
			if !errors.Is(err, client.ErrUnimplemented) {
				return next, err
			}
			t.line.oneShot.Store(true) // servers before 3.6
		}
		next, err := t.watchOnce(ctx, path, p)
		if !errors.Is(err, errGrown) {
			return next, err
		}
	}
}

// hears tells whether a word of the blocker would be of use.
func (t *ticket) hears(p position) bool { return !p.first && p.last && !t.line.oneShot.Load() }

// watchOnce watches the blocker's node by a watch of the plain kind. It ends with errGrown if it finds that the word of
// the blocker is to be waited for.
func (t *ticket) watchOnce(ctx context.Context, path string, p position) (position, error) {
	// A read, not an exists: a read of a missing node leaves no watch behind.
	_, _, w, err := t.session.GetW(ctx, path)
	switch {
	case errors.Is(err, client.ErrNoNode):
	case err != nil:
		return p, err
	default:
		defer w.Remove()
		pause := firstCount
		count := time.NewTimer(pause)
		defer count.Stop()
		for there := true; there; {
			select {
			case ev := <-w.C: // also when the connection was lost, and the watch with it
				if ev.Type != client.EventNodeDeleted {
					return p, nil
				}
				there = false
			case <-count.C:
				if err := t.count(ctx); err != nil || t.long && t.hears(p) {
					return p, cmp.Or(err, errGrown)
				}
				if pause *= 2; !t.long {
					count.Reset(pause)
				}
			case <-t.session.Detaching():
				return p, client.ErrDetached
			case <-t.session.Context().Done():
				return p, context.Cause(t.session.Context())
			case <-ctx.Done():
				return p, ended(ctx)
			}
		}
	}
	if !p.first || !p.last || p.blocker.becomesReader() {
		return p, nil
	}
	return p.open(), t.present(ctx)
}

// count finds out whether a line that was short is long now. Whoever waits that long can afford a read, and is spared the
// list of what has become a long line.
func (t *ticket) count(ctx context.Context) error {
	if t.long {
		return nil
	}
	dir, _, err := t.session.Exists(ctx, t.line.dir)
	t.long = dir.NumChildren > t.line.cfg.ShortLine
	return err
}

// becomesReader tells whether the end of a node may be a writer's that goes on as a reader in the
// same place (see [Line.Downgrade]). In Kazoo's layout a writer has the name of a mutex.
func (c Contender) becomesReader() bool {
	return c.Kind == KindWrite || c.Layout == Kazoo && c.Kind == KindMutex
}

// watchWord watches the blocker's node by a lasting watch, which hears what word it leaves.
func (t *ticket) watchWord(ctx context.Context, path string, p position) (position, error) {
	set, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(t.session.Context(), func() { cancel(context.Cause(t.session.Context())) })()
	w, err := t.session.Client().AddWatch(set, path, client.WatchPersistent, client.WithWatchBuffer(wordEvents))
	if err != nil {
		return p, err
	}
	defer w.Close()
	<-w.C // the watch stands
	_, _, err = t.session.Get(ctx, path)
	if err != nil && !errors.Is(err, client.ErrNoNode) {
		return p, err
	}
	for there := err == nil; there; {
		select {
		case ev, ok := <-w.C:
			switch {
			case !ok:
				return p, w.Err()
			case ev.Type == client.EventResynced: // the connection was another for a while
				return p, nil
			}
			there = ev.Type != client.EventNodeDeleted
		case <-t.session.Detaching():
			return p, client.ErrDetached
		case <-t.session.Context().Done():
			return p, context.Cause(t.session.Context())
		case <-ctx.Done():
			return p, ended(ctx)
		}
	}
	// The answer to this comes behind all events of the transaction that deleted the node.
	if err := t.present(ctx); err != nil {
		return p, err
	}
	if leftWord(w.C) {
		return p.open(), nil
	}
	return p, nil
}

// wordEvents is how many events of a blocker are kept: those of its word, and one more.
const wordEvents = 4

// leftWord says whether what has come so far of a deleted node tells that it was made again.
func leftWord(events <-chan client.Event) bool {
	for {
		select {
		case ev, ok := <-events:
			if !ok {
				return false
			}
			if ev.Type == client.EventNodeCreated {
				return true
			}
		default:
			return false
		}
	}
}

// present returns nil if the own node is there.
func (t *ticket) present(ctx context.Context) error {
	stat, ok, err := t.session.Exists(ctx, t.path)
	if err == nil && (!ok || stat.Czxid != t.token || stat.EphemeralOwner != t.session.ID()) {
		err = t.gone()
	}
	return err
}
