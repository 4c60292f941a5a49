package client

import (
	"context"
	"errors"

	"github.com/zookit/zookit/internal/jute"
)

// Set replaces a node's data if its version is version, or whatever it is for
// [AnyVersion], and returns the new stat. A nil data is stored as none; ZooKeeper
// does not tell it from an empty one for every client. If the connection was lost and
// the node still has the expected version after reconnecting in the same session,
// the set is repeated; see also [Ops.Idempotent]. Errors: [ErrNoNode], [ErrBadVersion], [ErrNoAuth], [ErrQuotaExceeded].
func (o Ops) Set(ctx context.Context, path string, data []byte, version int32) (Stat, error) {
	var reply statReply
	err := o.exec(ctx, o.setRequest(path, data, version, &reply))
	return statOf(&reply.Stat), err
}

func (o Ops) setRequest(path string, data []byte, version int32, reply *statReply) *request {
	r := &request{
		op: jute.OpSetData, path: path, reply: reply,
		body: &jute.SetDataRequest{Path: o.out(path), Data: data, Version: version},
		lost: o.untouched(path, version, func(s Stat) int64 { return s.Mzxid }),
	}
	if o.idempotent {
		o.setAgain(r, reply, data, version)
	}
	return r
}

// Delete deletes a node without children if its version is version, or whatever it
// is for [AnyVersion]. If the connection was lost and the node is still there with
// the expected version after reconnecting in the same session, the delete is
// repeated; see also [Ops.Idempotent]. Errors: [ErrNoNode], [ErrBadVersion], [ErrNotEmpty], [ErrNoAuth].
func (o Ops) Delete(ctx context.Context, path string, version int32) error {
	err := o.exec(ctx, o.deleteRequest(path, version))
	if o.idempotent && errors.Is(err, ErrNoNode) {
		return nil
	}
	return err
}

func (o Ops) deleteRequest(path string, version int32) *request {
	r := &request{
		op: jute.OpDelete, path: path,
		body: &jute.PathVersionRequest{Path: o.out(path), Version: version},
		lost: o.untouched(path, version, func(s Stat) int64 { return s.Czxid }),
	}
	if o.idempotent {
		o.deleteAgain(r, version)
	}
	return r
}

// untouched resolves a write whose reply was lost: if, seen from the same session
// behind a commit of the quorum, the node is still as it was before the write was
// sent, then the write was not executed and never will be. "As it was" means the
// expected version, and that the transaction which the write would have changed is
// not newer than what the session had seen before. Anything else may have been
// somebody else's doing and stays unknown.
func (o Ops) untouched(path string, version int32, changed func(Stat) int64) func(context.Context, *Session, int64) (error, bool) {
	return func(ctx context.Context, s *Session, seen int64) (error, bool) {
		if version == AnyVersion {
			return nil, false
		}
		same := o.inside(s)
		if err := same.barrier(ctx); err != nil {
			return err, false
		}
		stat, ok, err := same.Exists(ctx, path)
		if err != nil || !ok || stat.Version != version || changed(stat) > seen {
			return err, false
		}
		return errAgain, true
	}
}

// barrier waits for a commit of the quorum in this session. Requests of the session
// that were sent over earlier connections and are not executed by then never will
// be: the leader refuses them since the session has moved. Reads behind it see
// everything committed before.
func (o Ops) barrier(ctx context.Context) error {
	err := o.attempt(ctx, &request{op: jute.OpMulti, path: "/", body: checks("/"), repeat: true, wait: true})
	if err != nil && Outcome(err) == Definite && !errors.Is(err, ErrReadOnly) {
		return nil // a failed transaction is committed as well
	}
	return err
}

// checks is a transaction that changes nothing: it only asks whether nodes exist.
func checks(paths ...string) *jute.MultiRequest {
	m := &jute.MultiRequest{Ops: make([]jute.MultiOp, len(paths))}
	for i, p := range paths {
		m.Ops[i] = jute.MultiOp{Op: jute.OpCheck, Body: &jute.PathVersionRequest{Path: p, Version: AnyVersion}}
	}
	return m
}

// DeleteAll deletes a node and all its descendants, deepest first. It is not atomic:
// after an error part of them may be gone. Nodes that others delete meanwhile do not
// disturb it, nor children that others add. Deleting a node that does not exist is
// no error. The root, or with a chroot its node, keeps existing. Errors: [ErrNoAuth].
func (o Ops) DeleteAll(ctx context.Context, path string) error {
	for {
		names, _, err := o.Children(ctx, path)
		if errors.Is(err, ErrNoNode) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, name := range names {
			child := Join(path, name)
			if child == "/zookeeper" && o.out("/") == "/" {
				continue
			}
			if err := o.DeleteAll(ctx, child); err != nil {
				return err
			}
		}
		if path == "/" {
			return nil
		}
		err = o.deleteGone(ctx, path)
		if !errors.Is(err, ErrNotEmpty) {
			return err
		}
	}
}

// deleteGone deletes a node whatever its version until it is certainly gone.
func (o Ops) deleteGone(ctx context.Context, path string) error {
	err := o.exec(ctx, &request{
		op: jute.OpDelete, path: path, repeat: true,
		body: &jute.PathVersionRequest{Path: o.out(path), Version: AnyVersion},
	})
	if errors.Is(err, ErrNoNode) {
		return nil
	}
	return err
}
