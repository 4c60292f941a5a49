package recipes

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/zookit/zookit/client"
)

// Persistent is something held that outlives sessions and processes: its node is not ephemeral,
// and stands until somebody deletes it. Nobody else is granted what it stands for until then,
// whatever becomes of who holds it. It is safe for concurrent use.
//
// It has no context that ends by itself, since nothing ends it but a deletion: [Persistent.Check] asks
// the servers. Nothing keeps two processes from taking up one handle: that is for those to
// rule out who keep it.
type Persistent struct {
	cl    *client.Client
	path  string
	token int64

	mu       sync.Mutex
	over     error // why it is held no more
	uprooted *uprooting
}

// Path returns the path of the node.
func (p *Persistent) Path() string { return p.path }

// Token returns the fencing token, the czxid of the node: greater than that of all grants in the
// line before; see [Grant.Token].
func (p *Persistent) Token() int64 { return p.token }

// Handle writes the holding down for [OpenPersistent].
func (p *Persistent) Handle() PersistentHandle { return PersistentHandle{path: p.path, token: p.token} }

// OpenPersistent takes up what was written down ([Persistent.Handle]), in any process and any session.
// The chroot of cl has to be that of the client that acquired it.
//
// Errors: [ErrGrantLost] with client.ErrHoldDeleted if it is held no more: the node is gone, or there is
// another one of that name. client.ErrBadArgument for no client and the zero handle. Otherwise
// ctx's and what the client and the server say: it may be held then.
func OpenPersistent(ctx context.Context, cl *client.Client, h PersistentHandle) (*Persistent, error) {
	if cl == nil || h.token == 0 {
		return nil, fmt.Errorf("open: %w: the client is nil, or the handle the zero value", client.ErrBadArgument)
	}
	p := &Persistent{cl: cl, path: h.path, token: h.token}
	if err := p.Check(ctx); err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	return p, nil
}

// Check asks the servers whether it is still held: nil says that it was at a moment between the call and
// its return, by a commit of the quorum. Ask before each step that matters; a write to
// ZooKeeper is better guarded by Txn, and everything else by Token.
//
// Errors: [ErrGrantLost] with client.ErrHoldDeleted when somebody has deleted the node
// ([Line.Break]); [ErrReleased] after Release here. Both last. Any other, ctx's or
// the client's, says that it could not be found out.
func (p *Persistent) Check(ctx context.Context) error {
	_, err := p.read(ctx)
	return err
}

// Revoked asks the servers whether somebody wants what is held to be released; see
// [Grant.Revoked]. Errors are those of Check.
func (p *Persistent) Revoked(ctx context.Context) (bool, error) {
	data, err := p.read(ctx)
	return revoked(data), err
}

// read returns the data of the node, which stood when a quorum committed.
func (p *Persistent) read(ctx context.Context) ([]byte, error) {
	if err := p.err(); err != nil {
		return nil, err
	}
	var pace pace
	for {
		s, err := p.cl.Session(ctx)
		if err != nil {
			return nil, fmt.Errorf("check %s: %w", p.path, err)
		}
		err = s.Confirm(ctx, p.path)
		var data []byte
		var stat client.Stat
		if err == nil {
			data, stat, err = s.Get(ctx, p.path) // behind the commit, so it is current
		}
		switch {
		case errors.Is(err, client.ErrNoNode), err == nil && stat.Czxid != p.token:
			p.lose(client.ErrHoldDeleted)
			return nil, p.err()
		case err == nil:
			return data, p.err()
		case !passing(err):
			return nil, fmt.Errorf("check %s: %w", p.path, err)
		}
		if err := pace.wait(ctx); err != nil {
			return nil, fmt.Errorf("check %s: %w", p.path, err)
		}
	}
}

func (p *Persistent) err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.over
}

func (p *Persistent) lose(why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over == nil {
		p.over = fmt.Errorf("%w: %s: %w", ErrGrantLost, p.path, why)
	}
}

// Txn starts a transaction that the servers carry out only if the node still stands: a write to
// ZooKeeper that nobody can make who does not hold. Commit says [ErrGrantLost] if it has gone. Unlike that
// of a grant it does not depend on a session: with the connection its reply can be lost, and client.Outcome
// is Unknown.
func (p *Persistent) Txn() *Txn {
	return &Txn{path: p.path, err: p.err, lose: p.lose, inner: p.cl.Txn().Check(p.path, client.AnyVersion), guards: 1}
}

// Release ends the holding and deletes the node: that very node, or none. Work under it must be
// over. It returns nil when nobody is kept waiting by it any more, also if somebody had deleted the node before, and
// when called again.
//
// A call whose ctx ends first returns the error of ctx; the client goes on deleting, over all its sessions,
// until it is closed. What was not deleted by then, or what the server refuses to delete
// (client.ErrNoAuth), is still held, and can be taken up by its handle.
func (p *Persistent) Release(ctx context.Context) error {
	p.mu.Lock()
	if p.over == nil {
		p.over = ErrReleased
	}
	if p.uprooted == nil {
		p.uprooted = uproot(p.cl, p.path, p.token)
	}
	u := p.uprooted
	p.mu.Unlock()
	if err := u.wait(ctx); err != nil {
		return fmt.Errorf("release %s: %w", p.path, err)
	}
	return nil
}
