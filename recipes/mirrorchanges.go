package recipes

import (
	"container/list"
	"context"
	"errors"
	"iter"
)

// MirrorChangeKind says what a [MirrorChange] tells.
type MirrorChangeKind int

const (
	// MirrorAdded: there is a node. Old is nil.
	MirrorAdded MirrorChangeKind = iota
	// MirrorUpdated: the node's data was set, or it was deleted and made again; Czxid tells which.
	MirrorUpdated
	// MirrorRemoved: the node is gone. New is nil.
	MirrorRemoved
	// MirrorResynced: everything has been read since the watch stands, at the start and again after each
	// reconnect. What was yielded before adds up to the state of the subtree; Path is the root.
	MirrorResynced
)

// String returns the kind's name.
func (k MirrorChangeKind) String() string {
	switch k {
	case MirrorAdded:
		return "added"
	case MirrorUpdated:
		return "updated"
	case MirrorRemoved:
		return "removed"
	case MirrorResynced:
		return "resynced"
	default:
		return "unknown"
	}
}

// MirrorChange is a change of a mirror, as one consumer sees it: from what it was told last, Old, to what is there now, New.
type MirrorChange struct {
	Kind     MirrorChangeKind
	Path     string
	Old, New *MirrorNode
}

// Changes yields first what is there, a MirrorAdded for each node and a MirrorResynced if
// the mirror is in sync, and then what changes. Several changes of a node that a consumer has not taken yet become
// one, so that a slow consumer costs bounded memory, delays nobody, and has the newest state when it
// goes on; a node that comes and goes meanwhile is not mentioned. The order is that of the first change that is
// not taken.
//
// An error comes with an empty change. One of [MirrorState].Err, which is not final, is followed by
// further changes. The sequence ends with ctx, whose error comes last, after [Mirror.Close] without an
// error, or with the client's end, whose error comes last. Each range starts anew.
func (m *Mirror) Changes(ctx context.Context) iter.Seq2[MirrorChange, error] {
	return func(yield func(MirrorChange, error) bool) {
		r := m.addReader()
		defer m.removeReader(r)
		for {
			if ctx.Err() != nil {
				yield(MirrorChange{}, ended(ctx))
				return
			}
			if next, ok := m.next(r); ok {
				if !yield(next.change, next.err) {
					return
				}
				continue
			}
			select {
			case <-r.wake:
			case <-m.done:
				if next, ok := m.next(r); ok {
					if !yield(next.change, next.err) {
						return
					}
					continue
				}
				if err := m.State().Err; !errors.Is(err, ErrMirrorClosed) {
					yield(MirrorChange{}, err)
				}
				return
			case <-ctx.Done():
			}
		}
	}
}

// mirrorReader is one consumer of changes. The mirror's lock guards it.
type mirrorReader struct {
	wake    chan struct{} // of capacity one
	pending map[string]*mirrorPending
	order   *list.List // of *mirrorPending; that of the marker has no path
	marker  *list.Element
	err     error
}

type mirrorPending struct {
	path string
	old  *MirrorNode // what the consumer knows
	at   *list.Element
}

func (m *Mirror) addReader() *mirrorReader {
	r := &mirrorReader{wake: make(chan struct{}, 1), pending: map[string]*mirrorPending{}, order: list.New()}
	s := m.Snapshot() // sorted outside of the lock
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, path := range s.paths {
		if n := m.tree.nodes[path]; n != nil {
			r.note(path, nil, n)
		}
	}
	for path, n := range m.tree.nodes { // made since
		if _, ok := s.nodes[path]; !ok {
			r.note(path, nil, n)
		}
	}
	if m.state.Synced {
		r.mark()
	}
	if !m.over && m.state.Err != nil {
		r.fail(m.state.Err)
	}
	m.readers[r] = struct{}{}
	return r
}

func (m *Mirror) removeReader(r *mirrorReader) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.readers, r)
}

// note says that a node is no longer what it was.
func (r *mirrorReader) note(path string, old, now *MirrorNode) {
	p := r.pending[path]
	if p == nil {
		p = &mirrorPending{path: path, old: old}
		p.at = r.order.PushBack(p)
		r.pending[path] = p
	}
	if p.old == nil && now == nil {
		r.order.Remove(p.at)
		delete(r.pending, path)
	}
	r.signal()
}

// mark puts the marker behind everything that is pending.
func (r *mirrorReader) mark() {
	if r.marker != nil {
		r.order.Remove(r.marker)
	}
	r.marker = r.order.PushBack(&mirrorPending{})
	r.err = nil
	r.signal()
}

func (r *mirrorReader) fail(err error) {
	r.err = err
	r.signal()
}

func (r *mirrorReader) signal() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// mirrorYield is what a consumer gets at once.
type mirrorYield struct {
	change MirrorChange
	err    error
}

// next takes the next change or error of a reader, if there is one.
func (m *Mirror) next(r *mirrorReader) (mirrorYield, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := r.err; err != nil {
		r.err = nil
		return mirrorYield{err: err}, true
	}
	front := r.order.Front()
	if front == nil {
		return mirrorYield{}, false
	}
	p, _ := r.order.Remove(front).(*mirrorPending)
	if front == r.marker {
		r.marker = nil
		return mirrorYield{change: MirrorChange{Kind: MirrorResynced, Path: m.path}}, true
	}
	delete(r.pending, p.path)
	change := MirrorChange{Kind: MirrorUpdated, Path: p.path, Old: p.old, New: m.tree.nodes[p.path]}
	switch {
	case change.Old == nil:
		change.Kind = MirrorAdded
	case change.New == nil:
		change.Kind = MirrorRemoved
	}
	return mirrorYield{change: change}, true
}
