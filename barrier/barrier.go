package barrier

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/zookit/zookit/client"
)

// Barrier is closed while the node at its path exists, whoever made it, and
// open otherwise. It belongs to no session: who closes it and dies leaves it closed.
//
// A Barrier is safe for concurrent use, holds nothing between calls and need not be closed.
type Barrier struct {
	cl   *client.Client
	path string
	cfg  config
	err  error
}

// New returns the barrier at path. Nothing is sent; a path or an option that cannot be is
// reported by the first call.
func New(cl *client.Client, path string, opts ...Option) *Barrier {
	b := &Barrier{cl: cl, path: path}
	if b.cfg, b.err = configure(cl, path, opts); b.err != nil {
		b.err = b.failed(b.err)
	}
	return b
}

// Path returns the path of the barrier's node, as it was given.
func (b *Barrier) Path() string { return b.path }

func (b *Barrier) failed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("barrier %s: %w", b.path, err)
}

// Create closes the barrier. It reports whether this call did: false, without an error, says
// that it was closed already. Missing parents are made.
//
// The answer is exact also when replies are lost, except when the session is lost with the
// reply: then the error's client.Outcome is Unknown, and [Barrier.IsSet] tells how it is
// now. The same holds if ctx ends while a reply is due. For that the barrier is made by a
// transaction with a short-lived marker beside it (client.Txn.WithMarker): two requests,
// which need the rights to create and to delete in the parent. Errors: client.ErrNoAuth, and
// those common to all operations.
func (b *Barrier) Create(ctx context.Context) (created bool, err error) {
	if b.err != nil {
		return false, b.err
	}
	for {
		err = b.write(ctx, func() error {
			_, err := b.cl.Txn().Create(b.path, b.cfg.data).WithMarker(b.parent()).Commit(ctx)
			return err
		})
		switch {
		case err == nil:
			return true, nil
		case errors.Is(err, client.ErrNodeExists) && client.Outcome(err) == client.Definite:
			return false, nil
		case !errors.Is(err, client.ErrNoNode) || client.Outcome(err) != client.Definite || b.parent() == "/":
			return false, b.failed(err)
		}
		err = b.write(ctx, func() error {
			_, err := b.cl.Idempotent().Create(ctx, b.parent(), nil, b.kind(), client.WithParents())
			if errors.Is(err, client.ErrUnimplemented) { // no containers before 3.5.1
				_, err = b.cl.Idempotent().Create(ctx, b.parent(), nil, client.WithParents())
			}
			return err
		})
		if err != nil && !errors.Is(err, client.ErrNodeExists) {
			return false, b.failed(err)
		}
	}
}

func (b *Barrier) parent() string { return parentOf(b.path) }

// kind is that of a missing parent.
func (b *Barrier) kind() client.CreateOption {
	if containers(b.cfg.layout) {
		return client.WithMode(client.Container)
	}
	return client.WithMode(client.Persistent)
}

// Remove opens the barrier. It reports whether this call did: false, without an error, says that
// it was open. What is said of lost replies at [Barrier.Create] holds here, too.
// Errors: client.ErrNotEmpty, if somebody has put nodes below the barrier's; client.ErrNoAuth.
func (b *Barrier) Remove(ctx context.Context) (removed bool, err error) {
	if b.err != nil {
		return false, b.err
	}
	err = b.write(ctx, func() error {
		_, err := b.cl.Txn().Delete(b.path, client.AnyVersion).WithMarker(b.parent()).Commit(ctx)
		return err
	})
	if errors.Is(err, client.ErrNoNode) && client.Outcome(err) == client.Definite {
		return false, nil
	}
	return err == nil, b.failed(err)
}

// IsSet tells whether the barrier is closed, as the server that answers knows it: one that
// lags behind may be late by a moment. Only Wait tells that it has been opened since.
func (b *Barrier) IsSet(ctx context.Context) (bool, error) {
	if b.err != nil {
		return false, b.err
	}
	_, ok, err := b.cl.Exists(ctx, b.path)
	return ok, b.failed(err)
}

// Wait returns nil once the barrier is open, or has been: if it is opened and closed
// again before the wait sees it open, the wait is over all the same. It asks the server to catch up
// before it looks, so that one that lags behind lets nobody through. It outlives
// lost connections and sessions, and servers in read-only mode. Otherwise it returns the error of ctx, client.ErrClosed,
// client.ErrDetached, or what the server refuses: client.ErrNoAuth, for who may not read
// the node is not told by servers that it has gone. However it ends, it leaves no watch
// behind on the server.
func (b *Barrier) Wait(ctx context.Context) error {
	if b.err != nil {
		return b.err
	}
	return b.failed(b.wait(ctx))
}

func (b *Barrier) wait(ctx context.Context) error {
	var first int64 // the node that is waited for
	for {
		s, err := b.cl.Session(ctx) // of a server that is not read-only: such a one knows the past only
		if err == nil {
			err = b.waitIn(ctx, s, &first)
		}
		if err == nil || !passing(err) {
			return err
		}
	}
}

// waitIn waits in one session. The server catches up before it is asked for the first time. Whatever
// the session sees from then on is no older: that there is no node, or another one than was seen
// before, tells that the barrier has been opened since Wait was called, not some time before.
func (b *Barrier) waitIn(ctx context.Context, s *client.Session, first *int64) error {
	if err := s.Sync(ctx, b.path); err != nil {
		return err
	}
	for {
		stat, ok, w, err := watchNode(ctx, s.Ops, b.path)
		switch {
		case err != nil:
			return err
		case !ok:
			return nil
		case *first != 0 && stat.Czxid != *first: // another one: the first was removed
			w.Remove()
			return nil
		}
		*first = stat.Czxid
		select {
		case ev := <-w.C:
			if ev.Type == client.EventNodeDeleted {
				return nil
			}
		case <-ctx.Done():
			w.Remove()
			return ended(ctx)
		}
	}
}

// write does a write until it was not a server in read-only mode that refused it.
func (b *Barrier) write(ctx context.Context, do func() error) error {
	for {
		err := do()
		if !errors.Is(err, client.ErrReadOnly) || client.Outcome(err) == client.Unknown {
			return err
		}
		if _, err := b.cl.Session(ctx); err != nil { // of a server that is not read-only
			return err
		}
	}
}

// watchNode reads a node and watches it if it exists; otherwise no watch is left. It needs the right to
// read it: servers do not tell those who may not read a node what happens to it.
func watchNode(ctx context.Context, o client.Ops, path string) (client.Stat, bool, *client.Watch, error) {
	// A read, not an exists, which would leave a watch on a missing node.
	_, stat, w, err := o.GetW(ctx, path)
	if errors.Is(err, client.ErrNoNode) {
		return client.Stat{}, false, nil, nil
	}
	return stat, err == nil, w, err
}

// deleteNode deletes a node; that there is none is as good.
func deleteNode(ctx context.Context, o client.Ops, path string) error {
	err := o.Delete(ctx, path, client.AnyVersion)
	if errors.Is(err, client.ErrNoNode) {
		return nil
	}
	return err
}

func parentOf(path string) string {
	if i := strings.LastIndexByte(path, '/'); i > 0 {
		return path[:i]
	}
	return "/"
}
