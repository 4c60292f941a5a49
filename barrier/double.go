package barrier

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// readyName is the node that says that a round is open.
const readyName = "ready"

// Double is a double barrier as one participant sees it: nobody is let in before n
// participants are there, and nobody is let out before all have left. It can be used again,
// round after round. All participants have to give the same n; each has a Double of its own, which
// is inside once at a time.
//
// A Double is safe for concurrent use and holds nothing while it is outside; it need not be closed.
type Double struct {
	cl   *client.Client
	dir  string
	n    int
	cfg  config
	err  error
	busy atomic.Bool

	// These belong to whom busy belongs. The own node has another name once the one before is
	// certainly gone: a peer that still waits for that is not to take the new one for it. Until then
	// it keeps its name, so that nobody counts this participant twice.
	own  string
	prev *recipes.Removal // of the node before
}

// NewDouble returns a participant of the double barrier for n at path, the directory in
// which participants have their nodes; it is made with its parents when the first enters.
// n is at least 1. Nothing is sent; an argument that cannot be is reported by the first call.
func NewDouble(cl *client.Client, path string, n int, opts ...Option) *Double {
	d := &Double{cl: cl, dir: path, n: n}
	d.cfg, d.err = configure(cl, path, opts)
	if d.err == nil && n < 1 {
		d.err = fmt.Errorf("%w: %d participants: at least 1 is needed", client.ErrBadArgument, n)
	}
	if d.err != nil {
		d.err = d.failed(d.err)
	}
	return d
}

// Path returns the directory of the participants, as it was given.
func (d *Double) Path() string { return d.dir }

// newName is a UUID as the layout's library writes it.
func newName(layout recipes.Layout) string {
	var id [16]byte
	rand.Read(id[:]) // never fails: it would end the program instead
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	if layout == recipes.Kazoo {
		return hex.EncodeToString(id[:])
	}
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[0:4], id[4:6], id[6:8], id[8:10], id[10:16])
}

func (d *Double) failed(err error) error { return fmt.Errorf("double barrier %s: %w", d.dir, err) }

func (d *Double) ready() string { return client.Join(d.dir, readyName) }

// Enter waits until n participants are there, and returns this one's place inside: a round
// has been opened. It never does so unless n had been there at once, this one's own node being
// there still when it returns. Who comes late, when a round is open, is let in at once as
// long as at least n are inside, and otherwise waits for that round to end, and
// then for n of the next.
//
// Lost connections and sessions do not end the wait. A participant whose session is lost
// before Enter has returned comes again: if the round was opened without it, it is one
// that comes late.
//
// Errors: that of ctx; [ErrEntered]; [ErrMissed], in Kazoo's layout only; client.ErrClosed,
// client.ErrDetached, and what the server refuses (client.ErrNoAuth, ...). Whatever the error,
// the participant's node is deleted, in the background if need be, and Enter can be called again.
func (d *Double) Enter(ctx context.Context) (*Inside, error) {
	if d.err != nil {
		return nil, d.err
	}
	if !d.busy.CompareAndSwap(false, true) {
		return nil, d.failed(ErrEntered)
	}
	in, err := d.enter(ctx)
	if err != nil {
		d.busy.Store(false)
		return nil, d.failed(err)
	}
	return in, nil
}

// missingTries is how often in a row a create may find its parent missing, though it
// makes the parent itself: more often than somebody deletes it in between.
const missingTries = 8

// enter repeats attempts until one ends for good.
func (d *Double) enter(ctx context.Context) (*Inside, error) {
	pause := newPause()
	for missing := 0; ; {
		in, err := d.attempt(ctx)
		if err == nil {
			return in, nil
		}
		if errors.Is(err, client.ErrNoNode) {
			missing++
		} else {
			missing = 0
		}
		if !passing(err) || missing > missingTries {
			return nil, err
		}
		d.cl.Logger().Debug("entering the double barrier again", "path", d.dir, "err", err)
		if err := pause.wait(ctx); err != nil {
			return nil, err
		}
	}
}

// attempt is one try under one session.
func (d *Double) attempt(ctx context.Context) (*Inside, error) {
	s, err := d.cl.Session(ctx)
	if err != nil {
		return nil, err
	}
	end, err := s.Begin()
	if err != nil {
		return nil, err
	}
	defer end()
	if d.prev != nil { // or the deletion might hit the new node
		if err := d.prev.Wait(ctx); err != nil {
			return nil, err
		}
		if d.prev.Gone() {
			d.own = ""
		}
		d.prev = nil
	}
	if d.own == "" {
		d.own = client.Join(d.dir, newName(d.cfg.layout))
	}
	e := &entry{d: d, s: s, own: d.own}
	defer e.stop()
	if err := e.clear(ctx); err != nil {
		return nil, err
	}
	err = e.join(ctx)
	if err == nil {
		var in *Inside
		if in, err = e.await(ctx); err == nil {
			return in, nil
		}
	} else if client.Outcome(err) != client.Unknown {
		return nil, err // there is no node
	}
	d.prev = recipes.Remove(s, e.own, nil)
	if !passing(err) {
		// Until ctx ends: nobody is to count a participant that only lingers.
		_ = d.prev.Wait(ctx)
	}
	return nil, err
}

const (
	pauseFirst = 10 * time.Millisecond
	pauseMost  = time.Second
)

// pause keeps a loop that begins again from becoming a storm.
type pause struct {
	backoff *backoff.ExponentialBackOff
	again   bool
}

func newPause() *pause {
	return &pause{backoff: backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(pauseFirst), backoff.WithMaxInterval(pauseMost), backoff.WithMaxElapsedTime(0))}
}

// wait waits its turn, which is at once the first time, or returns the error of ctx.
func (p *pause) wait(ctx context.Context) error {
	if !p.again {
		p.again = true
		return ended(ctx)
	}
	timer := time.NewTimer(p.backoff.NextBackOff())
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ended(ctx)
	}
}
