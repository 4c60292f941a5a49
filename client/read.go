package client

import (
	"context"
	"errors"
	"slices"

	"github.com/zookit/zookit/internal/jute"
)

// Get returns a node's data and stat. Errors: [ErrNoNode], [ErrNoAuth].
func (o Ops) Get(ctx context.Context, path string) ([]byte, Stat, error) {
	r := newReading[jute.DataReply](o, jute.OpGetData, path, false)
	err := o.exec(ctx, &r.request)
	return r.answer.Data, statOf(&r.answer.Stat), err
}

// GetW is Get that also sets a one-shot watch, which fires when the node's data
// changes or the node is deleted. On error there is no watch. Errors: those of Get.
func (o Ops) GetW(ctx context.Context, path string) ([]byte, Stat, *Watch, error) {
	r := newReading[jute.DataReply](o, jute.OpGetData, path, true)
	w, err := o.watch(ctx, &r.request, watchData)
	return r.answer.Data, statOf(&r.answer.Stat), w, err
}

// Exists tells whether the node exists, and its stat if so. Errors: [ErrNoAuth] is
// not among them, existence is readable by everybody.
func (o Ops) Exists(ctx context.Context, path string) (Stat, bool, error) {
	r := newReading[statReply](o, jute.OpExists, path, false)
	err := o.exec(ctx, &r.request)
	if errors.Is(err, ErrNoNode) {
		return Stat{}, false, nil
	}
	return statOf(&r.answer.Stat), err == nil, err
}

// ExistsW is Exists that also sets a one-shot watch, which fires when the node is
// created, changed or deleted. The watch is also set if the node does not exist, which is
// no error. On error there is no watch.
func (o Ops) ExistsW(ctx context.Context, path string) (Stat, bool, *Watch, error) {
	r := newReading[statReply](o, jute.OpExists, path, true)
	w, err := o.watch(ctx, &r.request, watchExists)
	if errors.Is(err, ErrNoNode) {
		return Stat{}, false, w, nil
	}
	return statOf(&r.answer.Stat), err == nil, w, err
}

// Children returns the names of a node's children, sorted, and its stat. Errors: [ErrNoNode], [ErrNoAuth].
func (o Ops) Children(ctx context.Context, path string) ([]string, Stat, error) {
	r := newReading[jute.Children2Reply](o, jute.OpGetChildren2, path, false)
	err := o.exec(ctx, &r.request)
	slices.Sort(r.answer.Children)
	return r.answer.Children, statOf(&r.answer.Stat), err
}

// ChildrenW is Children that also sets a one-shot watch, which fires when a child is
// created or deleted, or the node itself is deleted. On error there is no watch. Errors: those
// of Children.
func (o Ops) ChildrenW(ctx context.Context, path string) ([]string, Stat, *Watch, error) {
	r := newReading[jute.Children2Reply](o, jute.OpGetChildren2, path, true)
	w, err := o.watch(ctx, &r.request, watchChildren)
	slices.Sort(r.answer.Children)
	return r.answer.Children, statOf(&r.answer.Stat), w, err
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

// reading is a read with what it asks and what is answered, in one piece of memory.
type reading[R any] struct {
	request
	args   jute.PathWatchRequest
	answer R
}

func newReading[R any, P interface {
	*R
	jute.Record
}](o Ops, op jute.Op, path string, watch bool) *reading[R] {
	r := &reading[R]{args: jute.PathWatchRequest{Path: o.out(path), Watch: watch}}
	r.request = request{op: op, path: path, body: &r.args, reply: P(&r.answer), repeat: true}
	return r
}

func (o Ops) read(op jute.Op, path string, watch bool, reply jute.Record) *request {
	return &request{op: op, path: path, body: &jute.PathWatchRequest{Path: o.out(path), Watch: watch}, reply: reply, repeat: true}
}

// statReply is the body of the replies to exists, setData and setACL.
type statReply struct{ jute.Stat }
