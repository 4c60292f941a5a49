package zktest

import (
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/zookit/zookit/internal/jute"
)

// WithFixture makes the server begin with the nodes of a document, whose form [Server.Load]
// describes:
//
//	//go:embed testdata/stacks.json
//	var stacks string
//	...
//	server := zktest.Start(t, zktest.WithFixture(stacks))
//
// Several are loaded in their order. [Server.Wipe] takes them away like all else.
func WithFixture(document string) Option {
	return func(o *options) error {
		d, err := parseDocument([]byte(document))
		if err != nil {
			return fmt.Errorf("fixture: %w", err)
		}
		o.fixtures = append(o.fixtures, d)
		return nil
	}
}

// Load writes the nodes of a document into the tree. A node is its data, or an object; what
// begins with a slash is the path of a node below:
//
//	{
//	  "/stacks/42": "idle",
//	  "/workers": {
//	    "container": true,
//	    "/a": "10.0.0.1:8080",
//	    "/b": {"data": "10.0.0.2:8080", "ttl": "1m30s"}
//	  },
//	  "/secrets": {
//	    "acl": ["digest:ops:w4PIv8/Wzcq4qj4/MfEQ8pvUSS4=:cdrwa", "world:anyone:r"],
//	    "/key": {"base64": "3q2+7w=="}
//	  },
//	  "/queue": {"nextSequence": 17}
//	}
//
// All is optional, and parents need not be written. The keys of an object are
//
//   - data, as text, or base64, for data that is not UTF-8; else the node has none
//   - container: true, or ttl: a duration, for nodes of these kinds; else they are persistent
//   - acl: a list of scheme:id:permissions, as ZooKeeper's shell writes them, with the
//     schemes world, digest and ip; else everybody may do everything
//   - nextSequence: the number of the next sequential node below. Without it the numbers go on
//     as if all had been created here: it is the count of nodes created below, and
//     greater than each number that ends the name of a loaded node in ten digits.
//
// What is missing is created. A node that is there already gets the data, the access control and
// the nextSequence that the document has for it and keeps the rest; its kind cannot
// change. Nothing is deleted; for that see [Server.Delete] and [Server.Wipe]. The nodes are
// new ones: versions and times are those of a transaction that a client makes now, and watches fire.
// There are no ephemeral nodes in a document, since it has no sessions, and no nodes below
// /zookeeper, which are the server's own.
//
// It is one transaction: a document with anything wrong changes nothing, and the error says
// in which line, at which node, and what the rule is. Unknown keys and nodes that are there
// twice are errors. A document may be 16 MiB long, and so may all paths and data in it.
// Load reads to the end of r before it begins, and returns its error.
func (s *Server) Load(r io.Reader) error {
	text, err := io.ReadAll(io.LimitReader(r, maxDocument+1))
	if err != nil {
		return fmt.Errorf("zktest: load: reading the document: %w", err)
	}
	d, err := parseDocument(text)
	if err != nil {
		return fmt.Errorf("zktest: load: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.load(d); err != nil {
		return fmt.Errorf("zktest: load: %w", err)
	}
	return nil
}

// load writes a document in one transaction. The mutex is held.
func (s *Server) load(d *document) error {
	var err error
	s.transact(&caller{trusted: true}, func(x *txn) jute.Code {
		least := map[string]int32{}
		for _, e := range d.nodes {
			if err = x.load(d, e, least); err != nil {
				return jute.SystemError
			}
		}
		for path, number := range least {
			n := x.tree.find(path)
			x.keep(path, n)
			n.stat.Cversion = max(n.stat.Cversion, number)
		}
		for _, e := range d.nodes {
			if e.sequence == nil {
				continue
			}
			n := x.tree.find(e.path)
			x.keep(e.path, n)
			n.stat.Cversion = *e.sequence
			if n.emptyContainer() {
				err = d.errorf(e.offset, e.path, "a container that has had children and has none is deleted: %s needs a child", keySequence)
				return jute.SystemError
			}
		}
		return jute.OK
	})
	return err
}

// load writes one node, and notes in least what the name asks of its parent's counter.
func (x *txn) load(d *document, e *entry, least map[string]int32) error {
	n := x.tree.find(e.path)
	if n == nil {
		if code := x.make(e); code != jute.OK {
			return d.errorf(e.offset, e.path, "%s", x.refusal(code, e.path))
		}
		above, name, _ := splitPath(e.path)
		least[above] = max(least[above], sequenceAfter(name))
		return nil
	}
	switch {
	case e.container && n.stat.EphemeralOwner != containerOwner:
		return d.errorf(e.offset, e.path, "the node is there already and is no container")
	case e.ttl != 0 && e.ttl != n.ttl():
		return d.errorf(e.offset, e.path, "the node is there already and does not have this TTL")
	}
	if e.data != nil {
		if _, code := x.set(e.path, e.data, -1); code != jute.OK {
			return d.errorf(e.offset, e.path, "%s", x.refusal(code, e.path))
		}
	}
	if e.acl != nil {
		if _, code := x.setACL(e.path, e.acl, -1); code != jute.OK {
			return d.errorf(e.offset, e.path, "%s", x.refusal(code, e.path))
		}
	}
	return nil
}

func (x *txn) make(e *entry) jute.Code {
	r := &jute.CreateRequest{Path: e.path, Data: e.data, ACL: e.acl}
	if r.Data == nil {
		r.Data = []byte{}
	}
	if r.ACL == nil {
		r.ACL = openACL()
	}
	op, ttl := jute.OpCreate, int64(-1)
	switch {
	case e.container:
		op, r.Flags = jute.OpCreateContainer, jute.FlagContainer
	case e.ttl != 0:
		op, r.Flags, ttl = jute.OpCreateTTL, jute.FlagPersistentTTL, e.ttl
	}
	_, code := x.create(op, r, ttl)
	return code
}

// refusal is why the tree did not take a node.
func (x *txn) refusal(code jute.Code, path string) string {
	if code == jute.NoChildrenForEphemerals {
		parent, _, _ := splitPath(path)
		return fmt.Sprintf("its parent %s is an ephemeral node of a session, which has no children", parent)
	}
	return fmt.Sprintf("the server answers with code %d", code)
}

// sequenceAfter returns the number that follows the one at the end of a sequential
// node's name; 0 if there is none.
func sequenceAfter(name string) int32 {
	const digits = 10
	if len(name) < digits {
		return 0
	}
	n, err := strconv.ParseUint(name[len(name)-digits:], 10, 31)
	if err != nil {
		return 0
	}
	return int32(min(n+1, math.MaxInt32))
}
