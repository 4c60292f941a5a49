package election

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// publishing is a term's node of data.
type publishing struct {
	turn    chan struct{} // held by who writes
	tried   bool          // there may be a node; guarded by turn, like version
	version int32         // which it is expected to have; none: absent
}

const none int32 = -1

func newPublishing() publishing { return publishing{turn: make(chan struct{}, 1), version: none} }

// Publish tells everybody who looks at the leader the data, in place of what was published
// before: see [Leader.Data]. It is written under the leadership's own guard: the servers refuse
// it once the leader's node is gone. The data belongs to this term alone, and ends with it.
//
// It lives in an ephemeral node of its own in the directory of [WithData], which has the name of
// the leader's node: that one's data is the id, by which Curator and Kazoo know the leader.
//
// It returns nil when the data is written, also if answers were lost on the way; calls at the
// same time are carried out one after the other. Errors: client.ErrBadArgument without WithData,
// [ErrLost] or [ErrResigned] if the term is over, client.ErrTooLarge, client.ErrNoAuth, ctx's
// (then it may have been written), and what the client says otherwise.
func (t *Term) Publish(ctx context.Context, data []byte) error {
	err := t.publish(ctx, data)
	if errors.Is(err, client.ErrSessionLost) && !errors.Is(err, ErrLost) {
		err = fmt.Errorf("%w: %w", ErrLost, err) // the term with the session
	}
	if err != nil {
		return fmt.Errorf("election %s: publish: %w", t.election.path, err)
	}
	return nil
}

func (t *Term) publish(ctx context.Context, data []byte) error {
	if t.election.dataDir == "" {
		return fmt.Errorf("%w: there is no place for data: say one by election.WithData", client.ErrBadArgument)
	}
	select {
	case t.data.turn <- struct{}{}:
		defer func() { <-t.data.turn }()
	case <-ctx.Done():
		return ended(ctx)
	}
	var pace pace
	for {
		err := t.write(ctx, data)
		if err == nil || !retriable(err) {
			return err
		}
		if over := ended(ctx); over != nil {
			return fmt.Errorf("%w; at last: %w", over, err)
		}
		if err := t.meet(ctx, data, err); !errors.Is(err, errAgain) {
			return err
		}
		if err := pace.wait(ctx); err != nil {
			return err
		}
	}
}

var errAgain = errors.New("not done yet")

// write makes one try, on what is known of the node.
func (t *Term) write(ctx context.Context, data []byte) error {
	p, node := &t.data, t.election.dataPath(t.Path())
	txn := t.grant.Txn()
	if p.version == none {
		p.tried = true
		txn.Create(node, data, client.WithMode(client.Ephemeral))
	} else {
		txn.Set(node, data, p.version)
	}
	results, err := txn.Commit(ctx)
	if err == nil {
		p.version = results[0].Stat.Version // 0 after a create
	}
	return err
}

// retriable tells whether a try may have failed for what others, or lost answers, have done.
func retriable(err error) bool {
	if errors.Is(err, ErrLost) || errors.Is(err, ErrResigned) {
		return false
	}
	for _, met := range []error{client.ErrNoNode, client.ErrNodeExists, client.ErrBadVersion, client.ErrConnectionLost} {
		if errors.Is(err, met) {
			return true
		}
	}
	return false
}

// meet finds out how things are after a try that failed. It returns nil if the data is written,
// and errAgain if it is to be tried again.
func (t *Term) meet(ctx context.Context, data []byte, failed error) error {
	e, p := t.election, &t.data
	node := e.dataPath(t.Path())
	if p.version == none && errors.Is(failed, client.ErrNoNode) {
		opts := []client.CreateOption{client.WithParents()}
		if e.layout == recipes.Curator {
			opts = append(opts, client.WithMode(client.Container))
		}
		_, err := e.cl.Create(ctx, e.dataDir, nil, opts...)
		if err != nil && !errors.Is(err, client.ErrNodeExists) && !errors.Is(err, client.ErrConnectionLost) {
			return err
		}
		return errAgain
	}
	found, stat, err := t.grant.Session().Get(ctx, node)
	if errors.Is(err, client.ErrNoNode) {
		p.version = none
		return errAgain
	}
	if err != nil {
		return err
	}
	p.version = stat.Version
	if stat.EphemeralOwner == t.grant.Session().ID() && bytes.Equal(found, data) {
		return nil
	}
	return errAgain
}

// unpublish has the data deleted in the background, when the grant has ended.
func (t *Term) unpublish() {
	if t.election.dataDir == "" {
		return
	}
	s, node := t.grant.Session(), t.election.dataPath(t.Path())
	s.Cleanup("delete "+node, func(ctx context.Context) error {
		select {
		case t.data.turn <- struct{}{}:
			defer func() { <-t.data.turn }()
		case <-ctx.Done():
			return ctx.Err()
		}
		if !t.data.tried { // nor will be
			return nil
		}
		// The leader first: nobody is to see it without its data.
		_, leads, err := s.Exists(ctx, t.Path())
		if err == nil && leads {
			err = errAgain
		}
		if err != nil {
			return err
		}
		err = s.Delete(ctx, node, client.AnyVersion)
		if errors.Is(err, client.ErrNoNode) {
			return nil
		}
		return err
	})
}
