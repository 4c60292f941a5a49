package counter

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"time"

	"github.com/zookit/zookit/client"
)

// receipt is a node of one changer's own that every change of his writes, in the same transaction and with the
// version that it had. So whatever became of the reply, its version and data tell in any
// session whether the change was made; and who writes it first keeps a change that is still on
// its way from ever being made.
//
// It is not ephemeral, since it has to outlive the session with which a reply was lost. It is deleted when
// it has not been used for a moment; what a process leaves that dies before is deleted by others, see sweep.
type receipt struct {
	path    string
	of      string // the node that is changed
	version int32
	n       int       // numbers the changes
	made    time.Time // by the server's clock
	at      time.Time // the same moment by our own
}

const (
	linger    = time.Second    // for which a receipt that is not used is kept
	forgotten = 24 * time.Hour // after which one that is not used is nobody's
	sweeps    = 16             // one in so many deletions looks for those
	sweepMost = 8              // and at so many of the others
)

func newReceipt(dir, of string) *receipt {
	return &receipt{path: client.Join(dir, rand.Text()), of: of}
}

func (r *receipt) text(what string) []byte {
	return fmt.Appendf(nil, "%s %d %s", what, r.n, r.of)
}

// first is what the node is made with.
func (r *receipt) first() []byte { return r.text("new") }

func (r *receipt) created(stat client.Stat) {
	r.made, r.at = stat.Ctime, time.Now()
}

// sign adds the receipt of the next change to its transaction.
func (r *receipt) sign(t *client.Txn) {
	r.n++
	t.Set(r.path, r.text("made"), r.version)
}

// signed says that the transaction was committed.
func (r *receipt) signed() { r.version++ }

// settle finds out whether the latest change, whose reply was lost, was made; if it was not it never will be. An
// error leaves that open.
func (r *receipt) settle(ctx context.Context, o client.Ops) (made bool, err error) {
	for {
		_, err := o.Set(ctx, r.path, r.text("unmade"), r.version)
		if err != nil && client.Outcome(err) == client.Unknown && lasting(ctx, err) == nil {
			continue // the same again says how that ended, and waits at the gate
		}
		if err != nil && !errors.Is(err, client.ErrBadVersion) {
			return false, err
		}
		if err == nil {
			r.version++
			return false, nil
		}
		data, stat, err := o.Get(ctx, r.path)
		switch {
		case err != nil:
			return false, err
		case stat.Version != r.version+1: // somebody else's
		case bytes.Equal(data, r.text("made")):
			r.version++
			return true, nil
		case bytes.Equal(data, r.text("unmade")):
			r.version++
			return false, nil
		}
		return false, fmt.Errorf("%w: %s has version %d and %s: somebody else has written it", ErrUnresolved, r.path, stat.Version, shown(data))
	}
}

// discard deletes the node in the background.
func (r *receipt) discard(cl *client.Client, dir string) {
	cl.Cleanup("delete "+r.path, func(ctx context.Context, s *client.Session) error {
		err := s.Delete(ctx, r.path, client.AnyVersion)
		if err != nil && !errors.Is(err, client.ErrNoNode) {
			return err
		}
		if mathrand.N(sweeps) == 0 {
			r.sweep(ctx, s, dir) // as a favour: whether it succeeds does not matter
		}
		return nil
	})
}

// sweep looks at some of the other receipts, and deletes those that nobody has used for a day. Should one of them
// still have an owner, a process that was frozen, its owner cannot find out about its
// latest change any more, and says so.
func (r *receipt) sweep(ctx context.Context, s *client.Session, dir string) {
	names, _, err := s.Children(ctx, dir)
	if err != nil || len(names) == 0 {
		return
	}
	b := s.Batch()
	mathrand.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for _, name := range names[:min(len(names), sweepMost)] {
		b.Exists(client.Join(dir, name))
	}
	found, _ := b.Do(ctx)
	now := r.made.Add(time.Since(r.at))
	for _, f := range found {
		if f.Err == nil && f.Exists && now.Sub(f.Stat.Mtime) > forgotten && f.Stat.EphemeralOwner == 0 && f.Stat.NumChildren == 0 {
			_ = s.Delete(ctx, f.Path, f.Stat.Version)
		}
	}
}
