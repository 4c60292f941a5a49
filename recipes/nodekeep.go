package recipes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/zookit/zookit/client"
)

// nodeKeeping is what the goroutine that keeps a node knows.
type nodeKeeping struct {
	pace    pace
	earlier []int64 // sessions of this client that are over and may have left a node
	look    bool    // there is a node, as far as is known: look before making one
	czxid   int64   // of the own node as it was last seen or made
	mzxid   int64   // likewise; another one says that somebody has written into it
	fresh   bool    // it has just been made, by a transaction that does not tell its zxid
	unsure  bool    // what became of a create is not known
}

// earlierMost bounds how many sessions are remembered: an old one has no node any more when its
// timeout is over.
const earlierMost = 16

// run keeps the node until it is closed or the client ends, and sees to it that it is deleted.
func (n *Node) run() {
	defer close(n.over)
	defer n.strike()
	err := n.keep()
	n.begin(err)
	if at := n.cl.State(); at.State == client.Closed {
		err = at.Err
	} else if n.ctx.Err() != nil {
		err = nil
	}
	if err != nil { // the client has ended, and its session with it, unless that was left to another process
		n.cancel(err)
		n.ended = err
		n.change(NodeChange{State: NodeClosed, Err: err})
		close(n.parted)
		return
	}
	n.undo = startUprooting(n.cl, n.path, n.uproot)
	close(n.parted)
	select {
	case <-n.undo.gone:
	case <-n.undo.over:
	}
	n.change(NodeChange{State: NodeClosed})
}

// begin reports what became of the first try.
func (n *Node) begin(err error) {
	n.begun.Do(func() { n.first <- err })
}

// keep returns when the node is closed, or with the error that has ended the client.
func (n *Node) keep() error {
	k := &n.keeping
	for {
		s, err := n.cl.Session(n.ctx)
		if err != nil {
			return err
		}
		err = n.keepIn(s)
		if n.ctx.Err() != nil {
			k.earlier = append(k.earlier, s.ID())
			return err
		}
		if !errors.Is(err, client.ErrSessionTaken) { // else the node lives on, and is another process's
			k.earlier = append(k.earlier, s.ID())
			k.earlier = k.earlier[max(0, len(k.earlier)-earlierMost):]
		}
		*k = nodeKeeping{earlier: k.earlier, unsure: k.unsure}
		n.change(NodeChange{State: NodeMissing, Err: err})
	}
}

// keepIn returns when the session is over, or the node is closed.
func (n *Node) keepIn(s *client.Session) error {
	k := &n.keeping
	for {
		since := time.Now()
		err := n.round(s)
		if over := context.Cause(s.Context()); over != nil {
			return over
		}
		if err := ended(n.ctx); err != nil {
			return err
		}
		if err != nil {
			n.cl.Logger().Debug("keeping a node", "path", n.path, "attempt", k.pace.n+1, "err", err)
		}
		if time.Since(since) > paceMost {
			k.pace = pace{}
		}
		if err := k.pace.wait(n.ctx); err != nil {
			return err
		}
	}
}

// round looks at the node once, puts right what is wrong, and returns when it is time to look again.
func (n *Node) round(s *client.Session) error {
	k := &n.keeping
	if !k.look {
		if err := n.create(s); err != nil {
			return n.failed(err)
		}
		k.look = true
	}
	stat, ok, w, err := s.ExistsW(n.ctx, n.path)
	if err != nil {
		return n.failed(err)
	}
	defer w.Remove()
	switch {
	case !ok:
		k.look = false
		n.change(NodeChange{State: NodeMissing})
		return nil
	case stat.EphemeralOwner == s.ID():
		return n.own(s, stat, w)
	case slices.Contains(k.earlier, stat.EphemeralOwner):
		return n.replace(s, stat)
	}
	if n.State().State != NodeTaken {
		n.cl.Logger().Warn("somebody else's node is in the way", "path", n.path, "session", fmt.Sprintf("%#x", uint64(stat.EphemeralOwner)))
	}
	n.change(NodeChange{State: NodeTaken, Session: stat.EphemeralOwner, Czxid: stat.Czxid})
	return n.rest(s, w, nil)
}

// failed takes note of an error: one that the server will repeat is told.
func (n *Node) failed(err error) error {
	if refused(err) {
		n.change(NodeChange{State: NodeMissing, Err: err})
		n.begin(err)
	}
	return err
}

// refused tells whether an error is an answer that does not depend on what others do.
func refused(err error) bool {
	for _, final := range []error{client.ErrTooLarge, client.ErrBadArgument, client.ErrBadPath, client.ErrInvalidACL} {
		if errors.Is(err, final) {
			return true
		}
	}
	for _, passing := range []error{client.ErrNoNode, client.ErrNodeExists, client.ErrBadVersion, client.ErrReadOnly, client.ErrThrottled, client.ErrConnectionLost, client.ErrDetached} {
		if errors.Is(err, passing) {
			return false
		}
	}
	return client.Outcome(err) == client.Definite
}

func (n *Node) options(more ...client.CreateOption) []client.CreateOption {
	opts := append([]client.CreateOption{client.WithMode(client.Ephemeral)}, more...)
	if len(n.cfg.ACL) > 0 {
		opts = append(opts, client.WithACL(n.cfg.ACL...))
	}
	return opts
}

// create makes the node, unless there is one, which is no error.
func (n *Node) create(s *client.Session) error {
	end, err := s.Begin()
	if err != nil {
		return n.leave(s)
	}
	defer end()
	parents := client.WithParents()
	if n.cfg.Layout.grammar().containers {
		parents = client.WithContainerParents()
	}
	k := &n.keeping
	data, u := n.wanted()
	made, err := s.Idempotent().Create(n.ctx, n.path, data, n.options(parents)...)
	switch {
	case err == nil:
		k.czxid, k.mzxid = made.Stat.Czxid, made.Stat.Mzxid
		n.settle(u, nil)
	case errors.Is(err, client.ErrNodeExists):
		err = nil
	case u != nil && refused(err): // its data may be the reason
		n.settle(u, err)
	case client.Outcome(err) == client.Unknown:
		k.unsure = true
	}
	return err
}

// replace puts an own node in the place of one that an earlier session has left.
func (n *Node) replace(s *client.Session, old client.Stat) error {
	end, err := s.Begin()
	if err != nil {
		return n.leave(s)
	}
	defer end()
	k := &n.keeping
	data, u := n.wanted()
	_, err = s.Txn().Delete(n.path, old.Version).Create(n.path, data, n.options()...).Commit(n.ctx)
	switch {
	case err == nil:
		k.fresh = true
		n.settle(u, nil)
	case u != nil && refused(err):
		n.settle(u, err)
	case client.Outcome(err) == client.Unknown: // the next look tells
		k.unsure = true
	}
	if err != nil {
		return n.failed(err)
	}
	return nil
}

// own has a node that is there written, if it is not as it should be, and keeps it.
func (n *Node) own(s *client.Session, stat client.Stat, w *client.Watch) error {
	k := &n.keeping
	known := stat.Czxid == k.czxid && stat.Mzxid == k.mzxid || k.fresh && stat.Version == 0
	k.fresh = false
	if _, u := n.wanted(); !known || u != nil {
		if err := n.write(s, &stat); err != nil {
			return err
		}
	}
	k.czxid, k.mzxid = stat.Czxid, stat.Mzxid
	n.change(NodeChange{State: NodePresent, Session: s.ID(), Czxid: stat.Czxid})
	n.begin(nil)
	return n.rest(s, w, &stat)
}

// write sets the node's data.
func (n *Node) write(s *client.Session, stat *client.Stat) error {
	data, u := n.wanted()
	set, err := s.Idempotent().Set(n.ctx, n.path, data, stat.Version)
	switch {
	case err == nil:
		*stat = set
		n.settle(u, nil)
		return nil
	case errors.Is(err, client.ErrNoNode):
		n.keeping.look = false
	case u != nil && refused(err):
		n.settle(u, err)
	case refused(err):
		n.begin(err)
	}
	return err
}

// rest returns when it is time to look again; meanwhile it writes updates, if the node is the own
// one, whose stat is given then.
func (n *Node) rest(s *client.Session, w *client.Watch, own *client.Stat) error {
	for {
		select {
		case ev := <-w.C:
			n.keeping.look = ev.Type != client.EventNodeDeleted
			if !n.keeping.look {
				n.change(NodeChange{State: NodeMissing})
			}
			return nil
		case <-n.poke:
			if _, u := n.wanted(); own == nil || u == nil {
				continue
			}
			if err := n.write(s, own); err != nil {
				return err
			}
			n.keeping.mzxid = own.Mzxid
		case <-s.Detaching():
			return n.leave(s)
		case <-s.Context().Done():
			return context.Cause(s.Context())
		case <-n.ctx.Done():
			return ended(n.ctx)
		}
	}
}

// leave waits for the end of a session that is to be left to another process, as it is.
func (n *Node) leave(s *client.Session) error {
	n.begin(client.ErrDetached)
	select {
	case <-s.Context().Done():
		return context.Cause(s.Context())
	case <-n.ctx.Done():
		return ended(n.ctx)
	}
}

// uproot is one try to delete what is left: the node of the session that is current, or of one before.
func (n *Node) uproot(ctx context.Context, s *client.Session) error {
	k := &n.keeping
	if k.unsure || len(k.earlier) > 1 || !slices.Contains(k.earlier, s.ID()) {
		// What was sent before this commit has been executed by then, or never will be.
		if err := s.Confirm(ctx); err != nil {
			return err
		}
	}
	stat, ok, err := s.Exists(ctx, n.path)
	if err != nil || !ok || stat.EphemeralOwner != s.ID() && !slices.Contains(k.earlier, stat.EphemeralOwner) {
		return err
	}
	return pulled(s.Delete(ctx, n.path, stat.Version))
}
