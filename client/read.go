package client

import (
	"context"
	"errors"
	"slices"

	"github.com/zookit/zookit/internal/jute"
)

// Get returns a node's data and stat. Errors: [ErrNoNode], [ErrNoAuth].
func (o Ops) Get(ctx context.Context, path string) ([]byte, Stat, error) {
	var reply jute.DataReply
	err := o.exec(ctx, o.read(jute.OpGetData, path, false, &reply))
	return reply.Data, statOf(&reply.Stat), err
}

// GetW is Get that also sets a one-shot watch, which fires when the node's data
// changes or the node is deleted. On error there is no watch. Errors: those of Get.
func (o Ops) GetW(ctx context.Context, path string) ([]byte, Stat, *Watch, error) {
	var reply jute.DataReply
	w, err := o.watch(ctx, o.read(jute.OpGetData, path, true, &reply), watchData)
	return reply.Data, statOf(&reply.Stat), w, err
}

// Exists tells whether the node exists, and its stat if so. Errors: [ErrNoAuth] is
// not among them, existence is readable by everybody.
func (o Ops) Exists(ctx context.Context, path string) (Stat, bool, error) {
	var reply statReply
	err := o.exec(ctx, o.read(jute.OpExists, path, false, &reply))
	if errors.Is(err, ErrNoNode) {
		return Stat{}, false, nil
	}
	return statOf(&reply.Stat), err == nil, err
}

// ExistsW is Exists that also sets a one-shot watch, which fires when the node is
// created, changed or deleted. The watch is also set if the node does not exist, which is
// no error. On error there is no watch.
func (o Ops) ExistsW(ctx context.Context, path string) (Stat, bool, *Watch, error) {
	var reply statReply
	w, err := o.watch(ctx, o.read(jute.OpExists, path, true, &reply), watchExists)
	if errors.Is(err, ErrNoNode) {
		return Stat{}, false, w, nil
	}
	return statOf(&reply.Stat), err == nil, w, err
}

// Children returns the names of a node's children, sorted, and its stat. Errors: [ErrNoNode], [ErrNoAuth].
func (o Ops) Children(ctx context.Context, path string) ([]string, Stat, error) {
	var reply jute.Children2Reply
	err := o.exec(ctx, o.read(jute.OpGetChildren2, path, false, &reply))
	slices.Sort(reply.Children)
	return reply.Children, statOf(&reply.Stat), err
}

// ChildrenW is Children that also sets a one-shot watch, which fires when a child is
// created or deleted, or the node itself is deleted. On error there is no watch. Errors: those
// of Children.
func (o Ops) ChildrenW(ctx context.Context, path string) ([]string, Stat, *Watch, error) {
	var reply jute.Children2Reply
	w, err := o.watch(ctx, o.read(jute.OpGetChildren2, path, true, &reply), watchChildren)
	slices.Sort(reply.Children)
	return reply.Children, statOf(&reply.Stat), w, err
}

// Sync waits until the server has caught up with the leader: later reads over the
// same connection see everything that was committed before. It is not a quorum
// read: a leader that was deposed and has not noticed yet answers it. The path need
// not exist.
func (o Ops) Sync(ctx context.Context, path string) error {
	return o.exec(ctx, o.syncRequest(path))
}

func (o Ops) syncRequest(path string) *request {
	return &request{op: jute.OpSync, path: path, body: &jute.PathRequest{Path: o.out(path)}, repeat: true}
}

func (o Ops) read(op jute.Op, path string, watch bool, reply jute.Record) *request {
	return &request{op: op, path: path, body: &jute.PathWatchRequest{Path: o.out(path), Watch: watch}, reply: reply, repeat: true}
}

// statReply is the body of the replies to exists, setData and setACL.
type statReply struct{ jute.Stat }
