package client

import (
	"context"
	"crypto/sha1" //nolint:gosec // the digest scheme of ZooKeeper is defined with SHA-1
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/zookit/zookit/internal/jute"
)

// Perms are the permissions that an [ACL] gives: one of those below, or several added with |.
type Perms int32

const (
	// PermRead allows to read a node's data and to list its children.
	PermRead Perms = 1 << 0
	// PermWrite allows to set its data.
	PermWrite Perms = 1 << 1
	// PermCreate allows to create children of it.
	PermCreate Perms = 1 << 2
	// PermDelete allows to delete children of it; of the node itself its parent's ACL decides.
	PermDelete Perms = 1 << 3
	// PermAdmin allows to set its ACL. To read the ACL takes this or PermRead.
	PermAdmin Perms = 1 << 4
	// PermAll is all of them.
	PermAll Perms = PermRead | PermWrite | PermCreate | PermDelete | PermAdmin
)

// ACL is one entry of a node's access control list: who may do what. A list allows what any
// of its entries allows. Permissions do not pass on to children. [WorldACL], [AuthACL], [DigestACL],
// [IPACL], [X509ACL] and [SASLACL] make entries.
type ACL struct {
	// Perms is what is allowed; never nothing.
	Perms Perms
	// Scheme says how clients are known: "world", "auth", "digest", "ip", "x509", "sasl" or what
	// else the servers have.
	Scheme string
	// ID is who of them, in the words of the scheme.
	ID string
}

// WorldACL gives everybody perms. WorldACL(PermAll) is the default of every create.
func WorldACL(perms Perms) ACL { return ACL{Perms: perms, Scheme: "world", ID: "anyone"} }

// AuthACL gives perms to whoever creates the node: the server replaces it by one
// entry for each of the client's credentials. Without a credential the create
// fails with [ErrInvalidACL].
func AuthACL(perms Perms) ACL { return ACL{Perms: perms, Scheme: "auth"} }

// DigestACL gives perms to clients that present [WithAuth]("digest", user+":"+password).
// The password is not in the ACL, only its digest.
func DigestACL(perms Perms, user, password string) ACL {
	sum := sha1.Sum([]byte(user + ":" + password)) //nolint:gosec // see import
	return ACL{Perms: perms, Scheme: "digest", ID: user + ":" + base64.StdEncoding.EncodeToString(sum[:])}
}

// IPACL gives perms to clients that connect from addr, an address or a network such as "10.0.0.0/8".
func IPACL(perms Perms, addr string) ACL { return ACL{Perms: perms, Scheme: "ip", ID: addr} }

// X509ACL gives perms to clients whose TLS certificate has the subject, a distinguished
// name as the server prints it (RFC 2253, most specific first), such as "CN=client" or
// "CN=worker-7,OU=heat,O=example": see [Ops.WhoAmI].
func X509ACL(perms Perms, subject string) ACL { return ACL{Perms: perms, Scheme: "x509", ID: subject} }

func (a ACL) check() error {
	switch {
	case a.Perms <= 0 || a.Perms&^PermAll != 0:
		return fmt.Errorf("%w: ACL permissions %#x are not a combination of PermRead to PermAdmin", ErrBadArgument, int32(a.Perms))
	case a.Scheme == "":
		return fmt.Errorf("%w: ACL without a scheme", ErrBadArgument)
	case a.Scheme == "digest" && !strings.Contains(a.ID, ":"):
		return fmt.Errorf("%w: an ACL of scheme digest needs the form user:digest, see DigestACL", ErrBadArgument)
	}
	return nil
}

// aclRecords checks acls; an empty list is refused, since the server would refuse it.
func aclRecords(acls []ACL) ([]jute.ACL, error) {
	if len(acls) == 0 {
		return nil, fmt.Errorf("%w: an empty ACL list: nobody could use the node", ErrBadArgument)
	}
	out := make([]jute.ACL, len(acls))
	for i, a := range acls {
		if err := a.check(); err != nil {
			return nil, err
		}
		out[i] = jute.ACL{Perms: int32(a.Perms), Scheme: a.Scheme, ID: a.ID}
	}
	return out, nil
}

// aclsFor is the ACL of a node to be created at path.
func (o Ops) aclsFor(path string, cr *creation) ([]jute.ACL, error) {
	if cr.own {
		return aclRecords(cr.acl)
	}
	if provide := o.c.set.aclProvider; provide != nil {
		if o.bare {
			path = "/" // of the chroot, the only nodes that are created so
		}
		if acls := provide(path); acls != nil {
			records, err := aclRecords(acls)
			if err != nil {
				return nil, fmt.Errorf("from the ACL provider: %w", err)
			}
			return records, nil
		}
	}
	return aclRecords(o.c.set.acl)
}

// GetACL returns the node's access control list. Errors: [ErrNoNode], [ErrNoAuth].
func (o Ops) GetACL(ctx context.Context, path string) ([]ACL, Stat, error) {
	var reply jute.ACLReply
	if err := o.exec(ctx, o.getACLRequest(path, &reply)); err != nil {
		return nil, Stat{}, err
	}
	return aclsOf(reply.ACL), statOf(&reply.Stat), nil
}

func (o Ops) getACLRequest(path string, reply *jute.ACLReply) *request {
	return &request{op: jute.OpGetACL, path: path, body: &jute.PathRequest{Path: o.out(path)}, reply: reply, repeat: true}
}

func aclsOf(records []jute.ACL) []ACL {
	acls := make([]ACL, len(records))
	for i, a := range records {
		acls[i] = ACL{Perms: Perms(a.Perms), Scheme: a.Scheme, ID: a.ID}
	}
	return acls
}

// SetACL replaces the node's access control list if its Aversion is version, or
// whatever it is for [AnyVersion]. Errors: [ErrNoNode], [ErrBadVersion], [ErrNoAuth], [ErrInvalidACL], [ErrBadArgument].
func (o Ops) SetACL(ctx context.Context, path string, acls []ACL, version int32) (Stat, error) {
	records, err := aclRecords(acls)
	if err != nil {
		return Stat{}, refused(jute.OpSetACL, path, err)
	}
	var reply statReply
	err = o.exec(ctx, &request{op: jute.OpSetACL, path: path, body: &jute.SetACLRequest{Path: o.out(path), ACL: records, Version: version}, reply: &reply})
	return statOf(&reply.Stat), err
}
