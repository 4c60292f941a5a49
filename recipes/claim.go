package recipes

import (
	"context"
	"fmt"
	"path"
	"time"

	"github.com/zookit/zookit/client"
)

// Claimed is an ephemeral node that a recipe has made in a session, in a way of its own: by a
// transaction, say, that checks something else as well.
type Claimed struct {
	// Path is the node's path, Token its czxid.
	Path  string
	Token int64
	// For is what is held thereby, as the client's hooks are told. Default: the node's parent.
	For string
	// Asked is when somebody asked for it. Default: now.
	Asked time.Time
	// Delete is one try to remove the node, as [Remove] takes it; it can do what has to be done
	// together with that. Default: the node is deleted.
	Delete func(ctx context.Context) error
}

// Claim makes a grant of a node that this very session has just made, as soon as it is confirmed
// for long enough: usually at once, since the transaction that made the node has confirmed the session. The
// caller knows that the node is the session's own: from the answer to its creation, or from a
// look at its Stat.EphemeralOwner.
//
// Errors: client.ErrNoNode if the node has gone, client.ErrSessionLost, client.ErrBadArgument for a
// node that is held already; ctx's and what the client and the server say. The node is the caller's
// then.
func Claim(ctx context.Context, s *client.Session, c Claimed) (*Grant, error) {
	if s == nil || c.Path == "" || c.Token == 0 {
		return nil, fmt.Errorf("%w: a claim needs a session, and the path and token of its node", client.ErrBadArgument)
	}
	if c.For == "" {
		c.For = path.Dir(c.Path)
	}
	if c.Asked.IsZero() {
		c.Asked = time.Now()
	}
	return grantOf(ctx, s, c.For, []string{c.Path}, c.Token, c.Asked, c.Delete)
}
