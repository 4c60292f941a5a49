package recipes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/zookit/zookit/client"
)

// smallData is what is read again rather than asked about: its reply is hardly longer than a stat.
const smallData = 512

// mirrorRead is one request of a flight.
type mirrorRead struct {
	mirrorItem
	op mirrorOp
}

type mirrorOp int

const (
	readData mirrorOp = iota
	readStat
	readList
)

// fly sends a flight of reads and applies what they find.
func (l *mirrorLoop) fly(ctx context.Context, items []mirrorItem) error {
	clear(l.gone)
	resyncs := l.resyncs
	l.at = l.m.cl.State().Epoch // of another session there would be an event, behind which nothing is believed
	reads, results, current, err := l.read(ctx, items)
	if err != nil {
		return err
	}
	over, err := l.drain(ctx)
	if err != nil {
		return err
	}
	// If the watch was set anew what was found missing may be older than what is known; everything is read again.
	whole := !over && l.resyncs == resyncs
	if whole {
		l.current = current // from here on, as events before the sync's answer may be old ones
	}
	l.apply(reads, results, whole && current, whole)
	return nil
}

// read sends a flight, behind a sync if the server is not known to be current.
// current says whether it is.
func (l *mirrorLoop) read(ctx context.Context, items []mirrorItem) (reads []mirrorRead, results []client.BatchResult, current bool, err error) {
	ops := l.m.cl.WithRetry(client.RetryForever())
	if l.doubt && !l.confirmed {
		if err := l.confirm(ctx); err != nil {
			return nil, nil, false, err
		}
	}
	sync := !l.current && l.m.cl.State().State != client.ReadOnly
	for {
		b := ops.Batch()
		if sync {
			b.Sync(l.m.path)
		}
		reads = reads[:0]
		for _, item := range items {
			reads = l.ask(b, reads, item)
		}
		results, err = b.Do(ctx)
		if ctx.Err() != nil {
			return nil, nil, false, ended(ctx)
		}
		if sync && errors.Is(err, client.ErrReadOnly) { // the server has lost its quorum
			sync = false
			continue
		}
		if len(results) == 0 || errors.Is(err, client.ErrClosed) || errors.Is(err, client.ErrAuthFailed) {
			return nil, nil, false, err
		}
		if sync {
			results = results[1:]
		}
		return reads, results, l.current || sync, nil
	}
}

// confirm has a quorum commit something in the session, so that what its server knows is current, whatever the
// server is.
func (l *mirrorLoop) confirm(ctx context.Context) error {
	for {
		s, err := l.m.cl.Session(ctx)
		if err != nil {
			return err
		}
		err = s.Confirm(ctx)
		if err == nil {
			l.confirmed, l.doubt = true, false
			return nil
		}
		if ctx.Err() != nil || errors.Is(err, client.ErrClosed) || errors.Is(err, client.ErrAuthFailed) {
			return err
		}
		if !errors.Is(err, client.ErrSessionLost) {
			if err := sleep(ctx, jittered(paceMost)); err != nil {
				return err
			}
		}
	}
}

// ask adds the requests of an item to a flight.
func (l *mirrorLoop) ask(b *client.Batch, reads []mirrorRead, item mirrorItem) []mirrorRead {
	if item.want&(wantData|wantWalk) != 0 {
		known := l.m.tree.nodes[item.path]
		// A walk asks whether large data has changed before it reads it.
		if l.m.cfg.NoData || item.want&wantWalk != 0 && known != nil && len(known.Data) > smallData {
			b.Exists(item.path)
			reads = append(reads, mirrorRead{item, readStat})
		} else {
			b.Get(item.path)
			reads = append(reads, mirrorRead{item, readData})
		}
	}
	if item.want&wantList != 0 {
		b.Children(item.path)
		reads = append(reads, mirrorRead{item, readList})
	}
	return reads
}

// apply changes the tree as a flight of reads has found it. trusted says that what was not
// found is not there; whole, that the watch has stood since the flight left.
func (l *mirrorLoop) apply(reads []mirrorRead, results []client.BatchResult, trusted, whole bool) {
	l.largest = 0
	for i, r := range reads { // the filter is the user's, and is not called under the lock
		l.largest = max(l.largest, len(results[i].Data))
		if r.op == readList {
			results[i].Children = slices.DeleteFunc(results[i].Children, func(name string) bool { return !l.m.within(client.Join(r.path, name)) })
		}
	}
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	for i, r := range reads {
		res := results[i]
		switch {
		case errors.Is(res.Err, client.ErrNoNode), r.op == readStat && res.Err == nil && !res.Exists:
			l.missing(r.mirrorItem, trusted)
		case res.Err != nil:
			l.unread(r.mirrorItem, res.Err)
		case r.op == readList:
			if whole {
				l.list(r.path, res, trusted)
			}
		default:
			l.found(r, res, trusted, whole)
		}
	}
}

// sure tells whether a node that is missing, or older than it was known, may be believed. If not
// the item is read again behind a commit.
func (l *mirrorLoop) sure(item mirrorItem, trusted bool) bool {
	if !trusted {
		return false
	}
	if l.confirmed || l.epoch == 0 || l.epoch == l.at {
		return true
	}
	l.doubt = true
	l.sweep.add(item.path, item.want)
	return false
}

func (l *mirrorLoop) missing(item mirrorItem, trusted bool) {
	if l.m.tree.nodes[item.path] == nil || l.sure(item, trusted) {
		l.remove(item.path)
	}
}

// unread takes note that a node could not be read.
func (l *mirrorLoop) unread(item mirrorItem, err error) {
	if !errors.Is(err, client.ErrNoAuth) {
		l.broken = err
		return
	}
	l.remove(item.path) // what is below cannot be listed
	if item.path != l.m.path {
		l.m.tree.know(splitPath(item.path))
	}
	l.m.tree.unreadable[item.path] = struct{}{}
	if item.path == l.m.path {
		l.broken = err
	}
}

// found puts a node that was read, or a stat, into the tree.
func (l *mirrorLoop) found(r mirrorRead, res client.BatchResult, trusted, whole bool) {
	if czxid, ok := l.gone[r.path]; ok && (czxid == 0 || res.Stat.Czxid <= czxid) {
		return // it was deleted since it was read
	}
	old := l.m.tree.nodes[r.path]
	if old != nil && res.Stat.Mzxid < old.Stat.Mzxid && (l.epoch == l.at || !l.sure(r.mirrorItem, trusted)) {
		return // only servers that have lost their data, and all sessions with it, go back
	}
	if old == nil && !trusted && l.epoch != 0 && res.Stat.Czxid <= l.newest {
		return // it may have been deleted, which this server does not know
	}
	switch same := old != nil && sameData(old.Stat, res.Stat); {
	case r.op == readStat && !l.m.cfg.NoData && !same:
		l.sweep.add(r.path, wantData)
	case same:
		l.m.tree.put(&MirrorNode{Path: r.path, Data: old.Data, Stat: res.Stat})
	case !l.put(&MirrorNode{Path: r.path, Data: res.Data, Stat: res.Stat}):
		return
	}
	if r.want&wantWalk != 0 && whole {
		l.walk(r.path, res.Stat, trusted)
	}
}

// sameData tells whether two stats are of the same data of the same node. Times count as well: where
// servers have lost their data transactions are numbered again.
func sameData(a, b client.Stat) bool {
	return a.Mzxid == b.Mzxid && a.Czxid == b.Czxid && a.Version == b.Version && a.DataLength == b.DataLength &&
		a.Ctime.Equal(b.Ctime) && a.Mtime.Equal(b.Mtime)
}

// put stores a node and tells the readers. It reports whether there was room.
func (l *mirrorLoop) put(n *MirrorNode) bool {
	t, cfg := &l.m.tree, l.m.cfg
	old := t.nodes[n.Path]
	switch bytes := t.bytes + sizeOf(n) - sizeOf(old); {
	case old == nil && len(t.nodes) >= cfg.MaxNodes:
		l.limit(fmt.Errorf("%w: more than %d nodes (MaxNodes)", ErrMirrorLimit, cfg.MaxNodes))
		return false
	case bytes > cfg.MaxBytes:
		l.limit(fmt.Errorf("%w: more than %d bytes (MaxBytes)", ErrMirrorLimit, cfg.MaxBytes))
		return false
	}
	t.put(n)
	l.newest = max(l.newest, n.Stat.Mzxid)
	for path := n.Path; path != l.m.path && !t.known(path); {
		parent, name := splitPath(path)
		t.know(parent, name)
		path = parent
	}
	l.changed(n.Path, old, n)
	return true
}

// limit ends a rebuild for want of room.
func (l *mirrorLoop) limit(err error) {
	if !l.retry.IsZero() {
		return // that has been told
	}
	l.broken, l.sweeping = err, true
	l.sweep = newMirrorQueue()
}

// walk goes on to the children of a node that was verified.
func (l *mirrorLoop) walk(path string, stat client.Stat, trusted bool) {
	t := &l.m.tree
	switch {
	case !l.m.descends(path):
	case stat.NumChildren == 0:
		l.list(path, client.BatchResult{Stat: stat}, trusted)
	case t.listed[path] == stat.Pzxid && l.epoch == l.at:
		for name := range t.kids[path] {
			l.sweep.add(client.Join(path, name), wantData|wantWalk)
		}
	default:
		l.sweep.add(path, wantList)
	}
}

// list takes note of a node's children as they were listed, and has them verified.
func (l *mirrorLoop) list(path string, res client.BatchResult, trusted bool) {
	t := &l.m.tree
	there := make(map[string]struct{}, len(res.Children))
	for _, name := range res.Children {
		there[name] = struct{}{}
		t.know(path, name)
		l.sweep.add(client.Join(path, name), wantData|wantWalk)
	}
	if trusted {
		t.listed[path] = res.Stat.Pzxid
	}
	for name := range t.kids[path] {
		if _, ok := there[name]; !ok {
			l.missing(mirrorItem{client.Join(path, name), wantData | wantWalk}, trusted)
		}
	}
}

// deleted takes note of a deletion.
func (l *mirrorLoop) deleted(path string) {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	l.gone[path] = 0
	if n := l.m.tree.nodes[path]; n != nil {
		l.gone[path] = n.Stat.Czxid
	}
	l.remove(path)
	t, cfg := &l.m.tree, l.m.cfg
	if roomy := len(t.nodes) < cfg.MaxNodes*9/10 && t.bytes < cfg.MaxBytes/10*9; roomy && !l.retry.IsZero() {
		if soon := time.Now().Add(jittered(time.Second)); soon.Before(l.retry) {
			l.retry = soon
		}
	}
}

// remove takes a node and all below it out of the tree.
func (l *mirrorLoop) remove(path string) {
	l.m.tree.below(path, func(path string) {
		l.takeOut(path)
		delete(l.m.tree.kids, path)
	})
	if path != l.m.path {
		l.m.tree.forget(path)
	}
}

// takeOut takes one node out of the tree and tells the readers.
func (l *mirrorLoop) takeOut(path string) {
	if old := l.m.tree.drop(path); old != nil {
		l.changed(path, old, nil)
	}
}

func (l *mirrorLoop) changed(path string, old, now *MirrorNode) {
	l.m.version.Add(1)
	for r := range l.m.readers {
		r.note(path, old, now)
	}
}
