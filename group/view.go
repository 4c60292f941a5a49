package group

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"path"
	"slices"
	"sync"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// View is a live copy of a group: who is in it is read from memory. However many goroutines use it, it
// costs one watch on the server, one read for each member that joins or changes its data, and none for
// one that leaves. It is safe for concurrent use.
//
// It never goes back in time, and the newest state always arrives; several changes may be seen as one.
type View struct {
	dir    string
	s      settings
	mirror *recipes.Mirror

	mu      sync.Mutex
	version uint64 // of members
	members []Info // as they were made last; never written to
}

// Observe starts a view of the group in dir, and returns when all members have been read. dir
// need not exist. ctx bounds the call only: the view lives until it is closed, or the client is.
//
// Errors: those of recipes.StartMirror, among them client.ErrUnimplemented from servers before 3.6, and
// client.ErrBadArgument for options that cannot be.
func Observe(ctx context.Context, cl *client.Client, dir string, opts ...Option) (*View, error) {
	s, err := configure(cl, dir, opts)
	if err != nil {
		return nil, err
	}
	return observe(ctx, cl, dir, s)
}

func observe(ctx context.Context, cl *client.Client, dir string, s settings) (*View, error) {
	m, err := recipes.StartMirror(ctx, cl, dir, recipes.MirrorConfig{
		Depth:  1,
		Filter: func(p string) bool { return s.counts(path.Base(p)) },
	})
	if err != nil {
		return nil, fmt.Errorf("observe group %s: %w", dir, err)
	}
	return &View{dir: dir, s: s, mirror: m}, nil
}

// Members returns the members, by id. The slice and the data in it must not be written to.
func (v *View) Members() []Info {
	snap := v.mirror.Snapshot()
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.members != nil && snap.Version() <= v.version {
		return v.members
	}
	names := snap.Children(v.dir)
	members := make([]Info, 0, len(names))
	for _, name := range names {
		n, ok := snap.Get(client.Join(v.dir, name))
		if ok && n.Stat.EphemeralOwner != 0 {
			members = append(members, v.s.info(name, n.Data, n.Stat))
		}
	}
	slices.SortFunc(members, byID)
	v.version, v.members = snap.Version(), members
	return members
}

// Get returns the member with an id, the first one if several have it.
func (v *View) Get(id string) (Info, bool) {
	members := v.Members()
	i, ok := slices.BinarySearchFunc(members, id, func(m Info, id string) int { return cmp.Compare(m.ID, id) })
	if !ok {
		return Info{}, false
	}
	return members[i], true
}

// State tells how current the view is; see [recipes.MirrorState].
func (v *View) State() recipes.MirrorState { return v.mirror.State() }

// Updates yields the members, at once and then whenever they have changed: always all of them, by id, and
// always the newest state, so that a slow consumer delays nobody and misses only what is past. The
// slices must not be written to.
//
// An error comes without members. One that is not final (see [recipes.MirrorState]) is followed by
// more; the last is that of ctx or of the client. After Close the sequence ends without one.
func (v *View) Updates(ctx context.Context) iter.Seq2[[]Info, error] {
	return func(yield func([]Info, error) bool) {
		last := v.Members()
		if !yield(last, nil) {
			return
		}
		for _, err := range v.mirror.Changes(ctx) {
			if err != nil {
				if !yield(nil, fmt.Errorf("observe group %s: %w", v.dir, err)) {
					return
				}
				continue
			}
			now := v.Members()
			if slices.EqualFunc(last, now, Info.same) {
				continue
			}
			last = now
			if !yield(now, nil) {
				return
			}
		}
	}
}

// Close ends the view, takes its watch back and waits for its goroutine. It may be called again.
func (v *View) Close() { v.mirror.Close() }

// Watch is Observe, Updates and Close in one: it yields the members of the group in dir, at once
// and whenever they have changed, until ctx or the client ends, or the consumer leaves.
func Watch(ctx context.Context, cl *client.Client, dir string, opts ...Option) iter.Seq2[[]Info, error] {
	return func(yield func([]Info, error) bool) {
		v, err := Observe(ctx, cl, dir, opts...)
		if err != nil {
			yield(nil, err)
			return
		}
		defer v.Close()
		v.Updates(ctx)(yield)
	}
}
