package client

import (
	"context"
	"slices"
	"strings"

	"github.com/zookit/zookit/internal/jute"
)

// Ephemerals returns the paths of the session's ephemeral nodes that begin with prefix,
// sorted. prefix is a piece of text, as the server compares it: "/a" finds "/ab" too,
// "/a/" only what is below /a, and "/" everything. With a chroot only what is below
// that is found. It tells what the connected server knows; [Ops.Sync] before it makes
// that current. On a Client the session is the current one. Errors: [ErrBadPath];
// [ErrUnimplemented] before ZooKeeper 3.6.
func (o Ops) Ephemerals(ctx context.Context, prefix string) ([]string, error) {
	if err := checkPath(prefix, true); err != nil { // it may end with a slash
		return nil, refused(jute.OpGetEphemerals, prefix, err)
	}
	var reply jute.ChildrenReply
	err := o.attempt(ctx, &request{op: jute.OpGetEphemerals, path: prefix, body: &jute.PathRequest{Path: o.out(prefix)}, reply: &reply, repeat: true})
	if err != nil {
		return nil, err
	}
	below := o.out("/")
	paths := make([]string, 0, len(reply.Children))
	for _, path := range reply.Children {
		if below == "/" || strings.HasPrefix(path, below+"/") {
			paths = append(paths, o.in(path))
		}
	}
	slices.Sort(paths)
	return paths, nil
}

// AllChildrenNumber returns how many nodes there are below path, at any depth. It
// costs the server a walk through the names of all its nodes. Errors: [ErrNoNode],
// [ErrNoAuth]; [ErrUnimplemented] before ZooKeeper 3.6.
func (o Ops) AllChildrenNumber(ctx context.Context, path string) (int, error) {
	var reply jute.CountReply
	err := o.exec(ctx, &request{op: jute.OpGetAllChildrenNumber, path: path, body: &jute.PathRequest{Path: o.out(path)}, reply: &reply, repeat: true})
	return int(reply.Count), err
}
