package election

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/zookit/zookit/client"
)

// Observe yields who leads, at once, and then whoever leads when that has changed, or has published
// something: always the most recent, though not everybody who ever led for a moment. When nobody
// leads it yields a Leader that is [Leader.None]. It goes on over lost connections and sessions,
// and never goes back in time: who has been succeeded is not yielded again, whatever servers that lag
// behind say.
//
// It works on the consumer's goroutine, looks again when the consumer wants the next value, and
// sends nothing in between: a consumer can be as slow as it likes. It watches the leader's node,
// and with [WithData] the leader's data, and lists the candidates only when the leader has gone;
// so those who join cost it nothing. When the consumer leaves nothing is left behind. Each range
// over it starts anew.
//
// The last thing that it yields is an error: ctx's, client.ErrClosed, [ErrLayoutConflict],
// [ErrStale], or what the server refuses. Before that there are only values.
func (e *Election) Observe(ctx context.Context) iter.Seq2[Leader, error] {
	return func(yield func(Leader, error) bool) {
		if e.err != nil {
			yield(Leader{}, e.err)
			return
		}
		o := observer{e: e}
		defer o.unwatch()
		for first := true; ; first = false {
			before := o.now
			if err := o.look(ctx); err != nil {
				yield(Leader{}, fmt.Errorf("election %s: %w", e.path, err))
				return
			}
			if first || !o.now.same(before) {
				if !yield(o.now, nil) {
					return
				}
			}
			if err := o.wait(ctx); err != nil {
				yield(Leader{}, fmt.Errorf("election %s: %w", e.path, err))
				return
			}
		}
	}
}

// observer is one range over Observe.
type observer struct {
	e       *Election
	now     Leader // as it was yielded last
	newest  int64  // the greatest token of all that were
	epoch   uint64 // of the session in which now was seen; 0 at first
	watches []*client.Watch
}

// patience is how long servers may go on telling of a leader that is known to have been succeeded.
const patience = 30 * time.Second

// look finds out who leads, and sets the watches that tell of a change.
func (o *observer) look(ctx context.Context) error {
	var (
		pace  pace
		stale time.Time // since when what is seen is older than what was
	)
	for {
		// What servers tell within a session only goes forward. The next session may be with one
		// that lags behind: not where a quorum makes sessions, but where servers make their own
		// (localSessionsEnabled).
		epoch := o.e.cl.State().Epoch
		sync := !stale.IsZero() || o.epoch != 0 && epoch != o.epoch
		err := o.glance(ctx, sync)
		switch {
		case err == nil && o.e.cl.State().Epoch == epoch:
			o.epoch = epoch
			return nil
		case err == nil: // in which session was it?
		case errors.Is(err, errOld) && stale.IsZero():
			stale = time.Now()
		case errors.Is(err, errOld):
			if time.Since(stale) > patience {
				return err
			}
		case ctx.Err() != nil || !passing(err):
			return err
		}
		o.unwatch()
		if err := pace.wait(ctx); err != nil {
			return err
		}
	}
}

// passing tells whether an error is one that may be over at the next look.
func passing(err error) bool {
	for _, again := range []error{client.ErrConnectionLost, client.ErrSessionLost, client.ErrReadOnly} {
		if errors.Is(err, again) {
			return true
		}
	}
	return false
}

// errOld says that what was seen has been seen to be over before.
var errOld = fmt.Errorf("%w: they tell of a leader that is known to have been succeeded", ErrStale)

// glance is one try of look.
func (o *observer) glance(ctx context.Context, sync bool) error {
	if sync {
		if err := o.e.cl.Sync(ctx, o.e.path); err != nil {
			return err
		}
	}
	l, err := o.sight(ctx)
	if err != nil {
		return err
	}
	if !l.None() {
		if l.Token < o.newest || l.Token == o.newest && o.now.None() {
			return errOld
		}
		o.newest = l.Token
	}
	o.now = l
	return nil
}

// sight reads who leads, and sets watches. Whoever led before leads as long as its node is there:
// nobody can join before it.
func (o *observer) sight(ctx context.Context) (Leader, error) {
	var pace pace
	e, path := o.e, o.now.Path
	for {
		if path == "" {
			line, err := e.line.Contenders(ctx)
			if err != nil {
				return Leader{}, err
			}
			if len(line) == 0 {
				if vacant, err := o.vacancy(ctx); vacant || err != nil {
					return Leader{}, err
				}
				if err := pace.wait(ctx); err != nil {
					return Leader{}, err
				}
				continue
			}
			path = client.Join(e.path, line[0].Name)
		}
		data, stat, w, err := e.cl.GetW(ctx, path)
		if errors.Is(err, client.ErrNoNode) {
			path = ""
			if err := pace.wait(ctx); err != nil {
				return Leader{}, err
			}
			continue
		}
		if err != nil {
			return Leader{}, err
		}
		o.watches = append(o.watches, w)
		l := newLeader(path, data, stat)
		if e.dataDir != "" {
			err = o.published(ctx, &l)
		}
		return l, err
	}
}

// published reads the leader's data, and watches it, or for it.
func (o *observer) published(ctx context.Context, l *Leader) error {
	path := o.e.dataPath(l.Path)
	for {
		data, stat, w, err := o.e.cl.GetW(ctx, path)
		if err == nil {
			o.watches = append(o.watches, w)
			l.publish(data, stat)
			return nil
		}
		if !errors.Is(err, client.ErrNoNode) {
			return err
		}
		_, exists, w, err := o.e.cl.ExistsW(ctx, path)
		if err != nil {
			return err
		}
		if !exists {
			o.watches = append(o.watches, w)
			return nil
		}
		w.Remove()
	}
}

// vacancy watches for the first candidate, and tells whether there was none when it began.
func (o *observer) vacancy(ctx context.Context) (bool, error) {
	names, stat, w, err := o.e.cl.ChildrenW(ctx, o.e.path)
	if errors.Is(err, client.ErrNoNode) {
		var exists bool
		_, exists, w, err = o.e.cl.ExistsW(ctx, o.e.path)
		if err == nil && exists {
			w.Remove()
			return false, nil
		}
	}
	if err != nil {
		return false, err
	}
	if stat.Pzxid != 0 && stat.Pzxid < o.newest { // the last leader's node was made later
		w.Remove()
		return false, errOld
	}
	if len(names) > 0 { // strangers only, perhaps
		line, err := o.e.line.Contenders(ctx)
		if err != nil || len(line) > 0 {
			w.Remove()
			return false, err
		}
	}
	o.watches = append(o.watches, w)
	return true, nil
}

// wait returns when one of the watches has fired.
func (o *observer) wait(ctx context.Context) error {
	defer o.unwatch()
	var second <-chan client.Event
	if len(o.watches) > 1 {
		second = o.watches[1].C
	}
	select {
	case <-o.watches[0].C: // also when the connection was lost, and the watch with it
		return nil
	case <-second:
		return nil
	case <-ctx.Done():
		return ended(ctx)
	}
}

func (o *observer) unwatch() {
	for _, w := range o.watches {
		w.Remove()
	}
	o.watches = nil
}
