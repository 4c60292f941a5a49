package recipes

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"time"

	"github.com/zookit/zookit/client"
)

// Reasons to begin again with a new node; they never reach the user.
var (
	errOwnGone  = errors.New("the own node is gone")
	errNotOwned = errors.New("the own node belongs to another session")
)

// passing says whether an error of an attempt is one that a new attempt may not
// meet: client.ErrNoNode can only stem from a parent that was deleted just as the own
// node was to be made in it.
func passing(err error) bool {
	for _, again := range []error{errOwnGone, errNotOwned, client.ErrSessionLost, client.ErrConnectionLost, client.ErrReadOnly, client.ErrNoNode} {
		if errors.Is(err, again) {
			return true
		}
	}
	return false
}

// ended returns nil while ctx lives, then its error together with its cause.
func ended(ctx context.Context) error {
	err := ctx.Err()
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); !errors.Is(cause, err) {
		return fmt.Errorf("%w: %w", err, cause)
	}
	return err
}

func busy(b Contender) error { return fmt.Errorf("%w: %s is ahead", ErrBusy, b.Name) }

// ticket is one's own place in a line: a node, in a session.
type ticket struct {
	line    *Line
	session *client.Session
	path    string
	own     Contender
	token   int64
	since   time.Time // when the caller asked
	waited  bool      // for somebody
	headed  bool      // nobody was ahead when it was let through
	long    bool      // the line was, at the last look
}

// join makes the own node and lists the line, in one flight. If it returns an error
// there is no node, or the client is seeing to it that there will be none.
func (l *Line) join(ctx context.Context, s *client.Session) (*ticket, []string, error) {
	prefix, err := l.cfg.Layout.NewPrefix(l.cfg.Kind)
	if err != nil {
		return nil, nil, err
	}
	opts := []client.CreateOption{client.WithMode(client.EphemeralSequential), client.WithProtection(prefix)}
	if l.cfg.Layout.grammar().containers {
		opts = append(opts, client.WithContainerParents())
	} else {
		opts = append(opts, client.WithParents())
	}
	made, names, err := s.CreateAndList(ctx, client.Join(l.dir, prefix), l.cfg.Data, opts...)
	if err != nil {
		return nil, nil, err
	}
	t := &ticket{line: l, session: s, path: made.Path, token: made.Stat.Czxid}
	name := path.Base(made.Path)
	kind, seq, ok := l.cfg.Layout.Parse(name, l.cfg.Kind)
	if !ok {
		t.leave()
		return nil, nil, fmt.Errorf("the server answered the create of %s with the name %s, which has no sequence number", prefix, name)
	}
	t.own = Contender{Name: name, Sequence: seq, Kind: kind, Layout: l.cfg.Layout}
	if made.Stat.EphemeralOwner != s.ID() {
		t.leave()
		return nil, nil, fmt.Errorf("%s: %w: %#x instead of %#x", made.Path, errNotOwned, made.Stat.EphemeralOwner, s.ID())
	}
	return t, names, nil
}

// leave has the own node deleted in the background.
func (t *ticket) leave() *Removal { return Remove(t.session, t.path, nil) }

// wait returns a grant as soon as the rule lets the own node through, names being
// the first look at the line. Whatever wakes it up, it goes on by what the servers say then:
// by a new look, or where the line has to be empty up to the own node, by a look at that.
func (t *ticket) wait(ctx context.Context, names []string, try bool) (*Grant, error) {
	var pace pace
	for {
		select {
		case <-t.session.Detaching():
			return nil, client.ErrDetached
		default:
		}
		p, err := t.position(ctx, names)
		if err == nil && p.blocked {
			if try {
				return nil, busy(p.blocker)
			}
			t.waited = true
			p, err = t.watch(ctx, p)
		}
		if err == nil && !p.blocked {
			t.headed = p.head
			var g *Grant
			if g, err = t.claim(ctx); g != nil {
				return g, nil
			}
			if err == nil { // nothing wrong, and nothing confirmed
				err = pace.wait(ctx)
			}
		}
		if err != nil {
			return nil, err
		}
		names, _, err = t.session.Children(ctx, t.line.dir)
		if errors.Is(err, client.ErrNoNode) { // the directory, and so the own node too
			return nil, t.gone()
		}
		if err != nil {
			return nil, err
		}
	}
}

func (t *ticket) gone() error { return fmt.Errorf("%s: %w", t.path, errOwnGone) }

// position says where the own contender stands: whom it has to wait for, if anybody.
func (t *ticket) position(ctx context.Context, names []string) (position, error) {
	line, err := t.line.look(ctx, t.session, names)
	if err != nil {
		return position{}, err
	}
	i := slices.IndexFunc(line, func(c Contender) bool { return c.Name == t.own.Name })
	if i < 0 {
		return position{}, t.gone()
	}
	t.long = len(line) > t.line.cfg.ShortLine
	ahead := line[:i:i]
	b, blocked := t.line.cfg.Rule(ahead, t.own)
	if !blocked {
		return position{head: i == 0}, nil
	}
	j := slices.IndexFunc(ahead, func(c Contender) bool { return c.Name == b.Name })
	if j < 0 {
		return position{}, fmt.Errorf("%w: the rule named %q as the one to wait for, which is not ahead of %s", client.ErrBadArgument, b.Name, t.own.Name)
	}
	rest := ahead[j+1:]
	_, still := t.line.cfg.Rule(rest, t.own)
	return position{blocked: true, blocker: b, first: j == 0, last: !still, next: len(rest) == 0}, nil
}

// claim makes a grant of the own node, which is the next to be served. It returns
// neither grant nor error if the grant could not be confirmed for long enough and
// it is worth looking again.
func (t *ticket) claim(ctx context.Context) (*Grant, error) {
	// The create confirmed the session, and so did every write since. What is left of
	// that must outlast the first confirmation of the hold, which is due after a
	// fifth of the timeout; after a long wait it does not.
	if time.Until(t.session.ConfirmedUntil()) <= t.session.Timeout()/3 {
		err := t.session.Confirm(ctx, t.path)
		if errors.Is(err, client.ErrNoNode) {
			return nil, t.gone()
		}
		if err != nil {
			return nil, err
		}
	}
	hold, err := t.session.Hold(t.path)
	if errors.Is(err, client.ErrUnconfirmed) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	g := newGrant(ctx, t.session, hold, t.line.dir, t.path, t.token, t.since)
	g.word.Store(t.waited && t.headed && t.long)
	return g, nil
}
