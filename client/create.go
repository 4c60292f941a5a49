package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/internal/wire"
)

// Mode is the kind of node that a create makes.
type Mode int

const (
	// Persistent nodes stay until they are deleted.
	Persistent Mode = iota
	// Ephemeral nodes go with the session that made them. They have no children.
	Ephemeral
	// PersistentSequential nodes get a ten-digit number appended to their name.
	PersistentSequential
	// EphemeralSequential nodes are both.
	EphemeralSequential
	// Container nodes are deleted by the server some time after their last child is gone. ZooKeeper 3.5.1 or later.
	Container
	// PersistentTTL nodes are deleted by the server when they have no children and
	// have not changed for the time of [WithTTL]. ZooKeeper 3.5.3 or later with extendedTypesEnabled, else [ErrUnimplemented].
	PersistentTTL
	// PersistentSequentialTTL nodes are both.
	PersistentSequentialTTL
)

func (m Mode) sequential() bool {
	return m == PersistentSequential || m == EphemeralSequential || m == PersistentSequentialTTL
}

func (m Mode) ephemeral() bool { return m == Ephemeral || m == EphemeralSequential }

func (m Mode) ttl() bool { return m == PersistentTTL || m == PersistentSequentialTTL }

// maxTTL is EphemeralType.TTL's largest value.
const maxTTL = 0x00ffffffffff * time.Millisecond

type creation struct {
	mode    Mode
	ttl     time.Duration
	acl     []ACL
	own     bool // acl was given with WithACL
	parents bool
	above   Mode // of parents that are made
	protect bool
	unique  string
}

func (c *creation) apply(opts []CreateOption) error {
	for i, opt := range opts {
		if opt == nil {
			return fmt.Errorf("%w: option %d is nil", ErrBadArgument, i)
		}
		opt(c)
	}
	return nil
}

// CreateOption is a setting of [Ops.Create].
type CreateOption func(*creation)

// WithMode sets the kind of node. The default is [Persistent].
func WithMode(m Mode) CreateOption { return func(c *creation) { c.mode = m } }

// WithTTL sets the time to live of the TTL modes: 1 ms to about 34 years, in whole milliseconds.
func WithTTL(d time.Duration) CreateOption { return func(c *creation) { c.ttl = d } }

// WithACL sets the node's ACL, and that of parents that are made. The default is what
// [WithACLProvider] says of the path, otherwise [WithDefaultACL].
func WithACL(acls ...ACL) CreateOption {
	return func(c *creation) { c.acl, c.own = acls, true }
}

// WithParents makes missing parents, as persistent nodes.
func WithParents() CreateOption {
	return func(c *creation) { c.parents, c.above = true, Persistent }
}

// WithContainerParents makes missing parents, the direct one as a [Container] that
// goes when it is empty and those above it as persistent nodes.
func WithContainerParents() CreateOption {
	return func(c *creation) { c.parents, c.above = true, Container }
}

// WithProtection makes the outcome of a create certain even if its reply is lost:
// prefix, with which the last element of the path has to begin, must be unique to
// this very call (a random UUID in it), so that any child of the parent that begins
// with it is this call's node. After a lost reply the client looks for it, in the same
// session and behind a commit of the quorum. If the context ends before the outcome
// is known, the error is Unknown and the client goes on to delete the node, should it
// exist, until that is certain or the session is over. With the session lost as well it is
// Unknown whether a persistent node was made: nothing deletes that one.
func WithProtection(prefix string) CreateOption {
	return func(c *creation) { c.protect, c.unique = true, prefix }
}

// Created is what a create has made.
type Created struct {
	// Path is the node's path, with its number if it is sequential.
	Path string
	Stat Stat
}

// Create makes a node. A create whose reply is lost is Unknown, but for
// [WithProtection] and [Ops.Idempotent]. Errors: [ErrNodeExists], [ErrNoNode] (no parent),
// [ErrNoChildrenForEphemerals], [ErrNoAuth], [ErrInvalidACL], [ErrUnimplemented], [ErrBadArgument].
func (o Ops) Create(ctx context.Context, path string, data []byte, opts ...CreateOption) (Created, error) {
	created, _, err := o.create(ctx, path, data, false, opts)
	return created, err
}

// CreateAndList makes a node and lists its siblings, itself among them, behind it:
// two requests in one flight. The list holds everything older than the node that
// was there when it was read. It is sorted by name. If the node was made and the list
// could not be had, the error is Unknown and Created tells the node; with
// [WithProtection] the node is deleted again instead.
func (s *Session) CreateAndList(ctx context.Context, path string, data []byte, opts ...CreateOption) (Created, []string, error) {
	return s.create(ctx, path, data, true, opts)
}

func (o Ops) create(ctx context.Context, path string, data []byte, list bool, opts []CreateOption) (Created, []string, error) {
	var cr creation
	if err := cr.apply(opts); err != nil {
		return Created{}, nil, refused(jute.OpCreate, path, err)
	}
	r, err := o.createRequest(path, data, &cr)
	if err != nil {
		return Created{}, nil, refused(jute.OpCreate, path, err)
	}
	var reply jute.Create2Reply
	r.reply = &reply
	var siblings *wire.Call
	if list {
		r.prepare = func(*Session, *wire.Call) {
			siblings = wire.NewCall(jute.OpGetChildren2, &jute.PathWatchRequest{Path: o.out(parentOf(path))})
		}
		r.behind = func() *wire.Call { return siblings }
	}
	if err := o.certain(r, &reply, path, data, &cr); err != nil {
		return Created{}, nil, refused(jute.OpCreate, path, err)
	}
	for {
		err = o.attempt(ctx, r)
		if !errors.Is(err, ErrNoNode) || !cr.parents || parentOf(path) == "/" {
			break
		}
		if err = o.makeParents(ctx, path, cr.above, &cr); err != nil {
			break
		}
	}
	if err != nil {
		return Created{}, nil, err
	}
	created := Created{Path: o.in(reply.Path), Stat: statOf(&reply.Stat)}
	if !list {
		return created, nil, nil
	}
	names, err := o.listed(ctx, parentOf(path), siblings)
	if err == nil {
		return created, names, nil
	}
	err = &OpError{Op: r.op.String(), Path: path, Outcome: Unknown, Err: fmt.Errorf("made, but not listed: %w", err)}
	if !cr.protect {
		return created, nil, err
	}
	// By its path: to look for it the directory would have to be readable.
	o.s.Cleanup("delete "+created.Path, func(ctx context.Context) error { return o.steady(o.s).deleteGone(ctx, created.Path) })
	return Created{}, nil, err
}

// certain makes a create find out its outcome where that was asked for.
func (o Ops) certain(r *request, reply *jute.Create2Reply, path string, data []byte, cr *creation) error {
	switch {
	case cr.protect:
		o.protect(r, reply, path, cr)
	case o.idempotent && cr.mode.sequential():
		return fmt.Errorf("%w: an idempotent create of a sequential node needs WithProtection", ErrBadArgument)
	case o.idempotent:
		o.createAgain(r, reply, data, cr.mode)
	}
	return nil
}

// listed waits for the list that was sent behind a create, or reads it again.
func (o Ops) listed(ctx context.Context, parent string, call *wire.Call) ([]string, error) {
	var reply jute.Children2Reply
	select {
	case <-call.Done():
		if call.Err == nil && call.Code == jute.OK && call.Decode(&reply) == nil {
			slices.Sort(reply.Children)
			return reply.Children, nil
		}
	case <-ctx.Done():
	}
	names, _, err := o.Children(ctx, parent)
	return names, err
}

func (o Ops) createRequest(path string, data []byte, cr *creation) (*request, error) {
	if err := checkPath(path, cr.mode.sequential()); err != nil {
		return nil, err
	}
	acls, err := o.aclsFor(path, cr)
	if err != nil {
		return nil, err
	}
	if cr.mode.ttl() != (cr.ttl != 0) || cr.ttl < 0 || cr.ttl > maxTTL || cr.ttl%time.Millisecond != 0 {
		return nil, fmt.Errorf("%w: time to live %v: the TTL modes need WithTTL of whole milliseconds up to %v, other modes none", ErrBadArgument, cr.ttl, maxTTL)
	}
	if cr.protect && cr.unique == "" {
		return nil, fmt.Errorf("%w: protection: the prefix is empty, so that every node would be this call's", ErrBadArgument)
	}
	if !strings.HasPrefix(baseOf(path), cr.unique) {
		return nil, fmt.Errorf("%w: protection: the name %s does not begin with %s", ErrBadArgument, quoted(baseOf(path)), quoted(cr.unique))
	}
	body := jute.CreateRequest{Path: o.out(path), Data: data, ACL: acls, Flags: int32(cr.mode)}
	if data == nil {
		body.Data = []byte{}
	}
	switch cr.mode {
	case Persistent, Ephemeral, PersistentSequential, EphemeralSequential:
		return &request{op: jute.OpCreate2, path: path, body: &body}, nil
	case Container:
		return &request{op: jute.OpCreateContainer, path: path, body: &body}, nil
	case PersistentTTL, PersistentSequentialTTL:
		return &request{op: jute.OpCreateTTL, path: path, body: &jute.CreateTTLRequest{CreateRequest: body, TTLMillis: cr.ttl.Milliseconds()}}, nil
	default:
		return nil, fmt.Errorf("%w: mode %d", ErrBadArgument, cr.mode)
	}
}

// protect makes a create find out what became of an attempt without a reply, and
// clean up what it gives up on.
func (o Ops) protect(r *request, reply *jute.Create2Reply, path string, cr *creation) {
	parent := parentOf(path)
	var in *Session
	next := r.prepare
	r.prepare = func(s *Session, call *wire.Call) {
		in = s
		if next != nil {
			next(s, call)
		}
	}
	forget := func(s *Session) {
		s.Cleanup("create "+parent+"/"+cr.unique+"…", func(ctx context.Context) error {
			return s.deletePrefix(ctx, o, parent, cr.unique)
		})
	}
	r.abandon = func(*wire.Call) { forget(in) }
	r.lost = func(ctx context.Context, s *Session, _ int64) (error, bool) {
		err := s.find(ctx, o, parent, cr, reply)
		if err != nil && !errors.Is(err, errAgain) {
			forget(s)
			return err, false
		}
		return err, true
	}
}

// find looks for the node of a protected create. It returns errAgain if there is
// none: then there never will be one.
func (s *Session) find(ctx context.Context, o Ops, parent string, cr *creation, reply *jute.Create2Reply) error {
	same := o.inside(s)
	if err := same.barrier(ctx); err != nil {
		return err
	}
	names, _, err := same.Children(ctx, parent)
	if errors.Is(err, ErrNoNode) {
		return errAgain
	}
	if err != nil {
		return err
	}
	i := slices.IndexFunc(names, func(n string) bool { return strings.HasPrefix(n, cr.unique) })
	if i < 0 {
		return errAgain
	}
	reply.Path = o.out(Join(parent, names[i]))
	var stat statReply
	err = same.exec(ctx, same.read(jute.OpExists, Join(parent, names[i]), false, &stat))
	if errors.Is(err, ErrNoNode) || err == nil && cr.mode.ephemeral() && stat.EphemeralOwner != s.id {
		return errAgain
	}
	reply.Stat = stat.Stat
	return err
}

// deletePrefix deletes the children of parent that begin with prefix.
func (s *Session) deletePrefix(ctx context.Context, o Ops, parent, prefix string) error {
	same := o.steady(s)
	if err := same.barrier(ctx); err != nil {
		return err
	}
	names, _, err := same.Children(ctx, parent)
	if errors.Is(err, ErrNoNode) {
		return nil
	}
	for _, name := range names {
		if strings.HasPrefix(name, prefix) {
			err = errors.Join(err, same.deleteGone(ctx, Join(parent, name)))
		}
	}
	return err
}

// makeParents makes what is missing above path: upwards to the deepest ancestor
// that exists, so that no rights are needed on those above it, then downwards.
// They get the ACL that child, a node below, was given, if it was.
func (o Ops) makeParents(ctx context.Context, path string, mode Mode, child *creation) error {
	parent := parentOf(path)
	if parent == "/" {
		return nil
	}
	cr := creation{mode: mode, acl: child.acl, own: child.own}
	for {
		r, err := o.createRequest(parent, nil, &cr)
		if err != nil {
			return refused(jute.OpCreate, parent, err)
		}
		r.repeat = true // executed twice it finds the node, which is as good
		err = o.attempt(ctx, r)
		switch {
		case err == nil, errors.Is(err, ErrNodeExists):
			return nil
		case errors.Is(err, ErrUnimplemented) && cr.mode == Container: // before 3.5.1
			cr.mode = Persistent
		case errors.Is(err, ErrNoNode) && parentOf(parent) != "/":
			if err := o.makeParents(ctx, parent, Persistent, child); err != nil {
				return err
			}
		default:
			return err
		}
	}
}
