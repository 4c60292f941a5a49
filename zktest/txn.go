package zktest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/zookit/zookit/internal/jute"
)

// event is a change that watches may wait for.
type event struct {
	kind int32 // a jute.Event... constant
	path string
	acl  []jute.ACL // of the node at path: who may not read it is not told
}

// txn is one transaction: changes to the tree under one zxid, which either all stay
// or are all taken back. The checks are made in the real server's order, since that
// decides which code a request with two faults gets.
type txn struct {
	tree   *tree
	who    *caller
	zxid   int64
	now    int64
	undo   []func()
	events []event
	// touched are the paths of the nodes that are changed.
	touched []string
	// created counts the creations below a node as far as this transaction knows,
	// which is further than the node's own counter can.
	created map[*node]int32
}

// begin starts the next transaction. Its zxid is spent whether it succeeds or not,
// as a real server also logs the transactions that failed.
func (t *tree) begin(who *caller, now time.Time) *txn {
	t.zxid++
	return &txn{tree: t, who: who, zxid: t.zxid, now: now.UnixMilli()}
}

// rollback takes back everything that the transaction did.
func (x *txn) rollback() {
	for _, f := range slices.Backward(x.undo) {
		f()
	}
	x.undo, x.events = nil, nil
}

// keep arranges for the node's own fields to be restored by rollback.
func (x *txn) keep(path string, n *node) {
	x.touched = append(x.touched, path)
	data, acl, stat := n.data, n.acl, n.stat
	x.undo = append(x.undo, func() { n.data, n.acl, n.stat = data, acl, stat })
}

func (x *txn) emit(kind int32, path string, acl []jute.ACL) {
	x.events = append(x.events, event{kind: kind, path: path, acl: acl})
}

// kind returns what a create request makes: its owner, and whether its name gets a
// number. The operation decides between container, TTL and the rest; the flags do
// so only where the real server looks at them.
func (x *txn) kind(op jute.Op, flags int32, ttl int64) (owner int64, sequential bool, code jute.Code) {
	if flags < jute.FlagPersistent || flags > jute.FlagPersistentSequentialTTL {
		return 0, false, jute.BadArguments
	}
	isTTL := flags == jute.FlagPersistentTTL || flags == jute.FlagPersistentSequentialTTL
	if isTTL && (ttl <= 0 || ttl > maxTTLMillis) || !isTTL && ttl >= 0 {
		return 0, false, jute.BadArguments
	}
	if op == jute.OpCreateTTL && ttl < 0 {
		// A real server accepts it, and then dies of it, again each time it is started.
		return 0, false, jute.BadArguments
	}
	sequential = flags == jute.FlagPersistentSequential || flags == jute.FlagEphemeralSequential ||
		flags == jute.FlagPersistentSequentialTTL
	switch {
	case op == jute.OpCreateContainer:
		owner = containerOwner
	case op == jute.OpCreateTTL && ttl > 0:
		owner = ttlOwner | ttl
	case flags == jute.FlagEphemeral || flags == jute.FlagEphemeralSequential:
		owner = x.who.session
	}
	return owner, sequential, jute.OK
}

// create makes a node and returns its path. A ttl of -1 is none.
func (x *txn) create(op jute.Op, r *jute.CreateRequest, ttl int64) (string, jute.Code) {
	owner, sequential, code := x.kind(op, r.Flags, ttl)
	if code != jute.OK {
		return "", code
	}
	parentPath, _, ok := splitPath(r.Path)
	if !ok {
		return "", jute.BadArguments
	}
	acl, code := x.who.resolveACL(r.ACL)
	if code != jute.OK {
		return "", code
	}
	parent := x.tree.find(parentPath)
	switch {
	case parent == nil:
		return "", jute.NoNode
	case !x.who.may(parent.acl, permCreate):
		return "", jute.NoAuth
	}
	number, ok := x.created[parent]
	if !ok {
		number = parent.stat.Cversion
	}
	path := r.Path
	if sequential {
		path += fmt.Sprintf("%010d", number)
	}
	switch {
	case !validPath(path):
		return "", jute.BadArguments
	case x.tree.find(path) != nil:
		return "", jute.NodeExists
	case parent.ephemeral():
		return "", jute.NoChildrenForEphemerals
	}
	_, name, _ := splitPath(path)
	x.keep(parentPath, parent)
	number++
	if x.created == nil {
		x.created = map[*node]int32{}
	}
	x.created[parent] = number
	if number > parent.stat.Cversion || x.tree.wrap {
		parent.stat.Cversion = number
		parent.stat.Pzxid = x.zxid
	}
	x.attach(path, parent, name, &node{
		data: r.Data,
		acl:  acl,
		stat: jute.Stat{
			Czxid: x.zxid, Mzxid: x.zxid, Pzxid: x.zxid, Ctime: x.now, Mtime: x.now, EphemeralOwner: owner,
		},
	})
	x.undo = append(x.undo, func() { x.detach(path, parent, name) })
	x.emit(jute.EventNodeCreated, path, acl)
	x.emit(jute.EventNodeChildrenChanged, parentPath, parent.acl)
	return path, jute.OK
}

func (x *txn) attach(path string, parent *node, name string, n *node) {
	x.touched = append(x.touched, path)
	x.tree.nodes[path] = n
	parent.adopt(name)
	if n.ephemeral() {
		x.tree.addEphemeral(n.stat.EphemeralOwner, path)
	}
	x.tree.trackMortal(path, n)
}

func (x *txn) detach(path string, parent *node, name string) {
	x.touched = append(x.touched, path)
	n := x.tree.nodes[path]
	delete(x.tree.nodes, path)
	delete(x.tree.mortals, path)
	delete(parent.children, name)
	if n.ephemeral() {
		x.tree.dropEphemeral(n.stat.EphemeralOwner, path)
	}
}

// delete removes a node. Version -1 is any.
func (x *txn) delete(path string, version int32) jute.Code {
	parentPath, _, ok := splitPath(path)
	if !ok || ownPath(path) {
		return jute.BadArguments
	}
	parent := x.tree.find(parentPath)
	switch {
	case parent == nil:
		return jute.NoNode
	case !x.who.may(parent.acl, permDelete):
		return jute.NoAuth
	}
	n := x.tree.find(path)
	switch {
	case n == nil:
		return jute.NoNode
	case version != -1 && version != n.stat.Version:
		return jute.BadVersion
	case len(n.children) > 0:
		return jute.NotEmpty
	}
	x.remove(path, parent, n)
	return jute.OK
}

func (x *txn) remove(path string, parent, n *node) {
	parentPath, name, _ := splitPath(path)
	x.keep(parentPath, parent)
	parent.stat.Pzxid = x.zxid
	x.detach(path, parent, name)
	x.undo = append(x.undo, func() { x.attach(path, parent, name, n) })
	x.emit(jute.EventNodeDeleted, path, n.acl)
	x.emit(jute.EventNodeChildrenChanged, parentPath, parent.acl)
}

// set replaces a node's data. Version -1 is any.
func (x *txn) set(path string, data []byte, version int32) (jute.Stat, jute.Code) {
	if !validPath(path) {
		return jute.Stat{}, jute.BadArguments
	}
	n := x.tree.find(path)
	switch {
	case n == nil:
		return jute.Stat{}, jute.NoNode
	case !x.who.may(n.acl, permWrite):
		return jute.Stat{}, jute.NoAuth
	case version != -1 && version != n.stat.Version:
		return jute.Stat{}, jute.BadVersion
	}
	x.keep(path, n)
	n.data = data
	n.stat.Version++
	n.stat.Mzxid, n.stat.Mtime = x.zxid, x.now
	x.emit(jute.EventNodeDataChanged, path, n.acl)
	return n.visible(), jute.OK
}

// setACL replaces a node's access control list. Version -1 is any. No watch fires.
func (x *txn) setACL(path string, acl []jute.ACL, version int32) (jute.Stat, jute.Code) {
	if !validPath(path) {
		return jute.Stat{}, jute.BadArguments
	}
	acl, code := x.who.resolveACL(acl)
	if code != jute.OK {
		return jute.Stat{}, code
	}
	n := x.tree.find(path)
	switch {
	case n == nil:
		return jute.Stat{}, jute.NoNode
	case !x.who.may(n.acl, permAdmin):
		return jute.Stat{}, jute.NoAuth
	case version != -1 && version != n.stat.Aversion:
		return jute.Stat{}, jute.BadVersion
	}
	x.keep(path, n)
	n.acl = acl
	n.stat.Aversion++
	return n.visible(), jute.OK
}

// check succeeds when the node exists and has the version; -1 is any.
func (x *txn) check(path string, version int32) jute.Code {
	if !validPath(path) {
		return jute.BadArguments
	}
	n := x.tree.find(path)
	switch {
	case n == nil:
		return jute.NoNode
	case !x.who.may(n.acl, permRead):
		return jute.NoAuth
	case version != -1 && version != n.stat.Version:
		return jute.BadVersion
	}
	return jute.OK
}

// removeOwned deletes what a session owns, without asking for permissions.
func (x *txn) removeOwned(session int64) {
	var paths []string
	for path := range x.tree.ephemerals[session] {
		paths = append(paths, path)
	}
	slices.SortFunc(paths, strings.Compare)
	for _, path := range paths {
		parent, _, _ := splitPath(path)
		x.remove(path, x.tree.find(parent), x.tree.find(path))
	}
}
