package group

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"iter"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// Member is a membership: it lasts, over lost connections and sessions, until it is left or the
// client ends. It is safe for concurrent use.
type Member struct {
	id   string
	node *recipes.Node
}

// Join makes this program a member of the group in the directory dir, which is made if it is missing, under an id
// that tells members apart, and with data that the others see. It returns when the others can see it; ctx
// bounds the call only.
//
// An id that somebody else has is waited for: who was killed is a member until the servers have ended its
// session, and a program that is started again under the same id becomes one then. (In Kazoo's layouts ids need not be
// unique, and nothing is waited for.)
//
// Errors: client.ErrBadPath, client.ErrBadArgument; [ErrTaken]; what the server definitely refuses
// (client.ErrNoAuth, client.ErrTooLarge, ...); client.ErrClosed, client.ErrDetached; that of ctx. After an
// error this program is no member, and what may have been made of it is deleted in the background.
func Join(ctx context.Context, cl *client.Client, dir, id string, data []byte, opts ...Option) (*Member, error) {
	s, err := configure(cl, dir, opts)
	if err != nil {
		return nil, err
	}
	return join(ctx, cl, dir, id, data, &s)
}

func join(ctx context.Context, cl *client.Client, dir, id string, data []byte, s *settings) (*Member, error) {
	name, data, err := s.name(id, data)
	if err == nil {
		var node *recipes.Node
		node, err = recipes.KeepNode(ctx, cl, client.Join(dir, name), recipes.NodeConfig{Data: data, Layout: s.layout, ACL: s.acl})
		if err == nil {
			return &Member{id: id, node: node}, nil
		}
	}
	return nil, fmt.Errorf("join group %s as %.100q: %w", dir, id, err)
}

// newID is the unique part of a name: a UUID as Kazoo writes it.
func newID() string {
	var id [16]byte
	rand.Read(id[:]) // never fails: it would end the program instead
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return hex.EncodeToString(id[:])
}

// ID returns the id that was given to Join.
func (m *Member) ID() string { return m.id }

// Path returns the path of the member's node.
func (m *Member) Path() string { return m.node.Path() }

// Data returns what the member's node holds, or is to hold as soon as it can be written.
func (m *Member) Data() []byte { return m.node.Data() }

// Set changes the member's data, which it keeps over sessions. It returns nil when the servers
// have it, and costs a write and a read, and each watcher one read.
//
// Errors: what the server definitely refuses, and then the data is as it was; [ErrLeft];
// client.ErrClosed; that of ctx, and then the data is written in the background, unless another Set
// comes first. In the layout of Kazoo's Party the data is the id, and should stay that.
func (m *Member) Set(ctx context.Context, data []byte) error { return m.node.Set(ctx, data) }

// State tells whether the others see this member, as far as is known.
func (m *Member) State() recipes.NodeChange { return m.node.State() }

// States yields that, and then every change; see [recipes.Node.States].
func (m *Member) States(ctx context.Context) iter.Seq[recipes.NodeChange] { return m.node.States(ctx) }

// Leave ends the membership; it returns nil when the others do not see it any more. It may be called again, and after the
// client was closed. A call whose ctx ends first returns the error of ctx; the client goes on in the
// background. client.ErrDetached says that the membership was left, with its session, to another process,
// which goes on with it by calling Join.
func (m *Member) Leave(ctx context.Context) error { return m.node.Close(ctx) }
