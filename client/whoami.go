package client

import (
	"context"

	"github.com/zookit/zookit/internal/jute"
)

// Identity is whom a server takes a client for, under one of the schemes of its ACLs.
// A client has several: one for each of its credentials, and its address.
type Identity struct {
	// Scheme is the ACL scheme, such as "ip", "digest", "sasl" or "x509".
	Scheme string
	// User is the name under it: an address, a user (for "digest" without the
	// password's digest), or the subject of a certificate.
	User string
}

// WhoAmI asks the connected server whom it takes this client for. A wrong digest
// password shows nowhere in it: servers do not know passwords, only what ACLs say of
// them. Errors: [ErrUnimplemented] before ZooKeeper 3.7.
func (o Ops) WhoAmI(ctx context.Context) ([]Identity, error) {
	var reply jute.WhoAmIReply
	if err := o.attempt(ctx, &request{op: jute.OpWhoAmI, path: "/", reply: &reply, repeat: true}); err != nil {
		return nil, err
	}
	out := make([]Identity, len(reply.Identities))
	for i, id := range reply.Identities {
		out[i] = Identity{Scheme: id.Scheme, User: id.User}
	}
	return out, nil
}
