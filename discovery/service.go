package discovery

import (
	"context"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// Service is a live list of a service's instances: Curator's ServiceCache. It costs one watch on the server, and one read
// for each instance that comes or changes. Reading it is from memory. Safe for concurrent use.
type Service struct {
	name   string
	mirror *recipes.Mirror
	log    func(path string, err error)

	mu   sync.Mutex
	view *view
}

// view is a snapshot of the mirror with its nodes decoded. It never changes.
type view struct {
	version  uint64
	known    map[string]*entry // by path
	entries  []*entry          // those that could be decoded, by path
	rejected map[string]error
}

// entry is an instance, or what is none.
type entry struct {
	node     *recipes.MirrorNode
	instance Instance
	err      error
}

// key tells an instance from all that were and will be.
func (e *entry) key() int64 { return e.node.Stat.Czxid }

// Watch starts a live list of a service's instances, and returns when all are read. The service need not exist yet. ctx bounds
// the call only: the list lives until [Service.Close], or until the client is closed. Errors are those of
// recipes.StartMirror.
func (d *Discovery) Watch(ctx context.Context, name string) (*Service, error) {
	if d.err != nil {
		return nil, d.err
	}
	m, err := recipes.StartMirror(ctx, d.cl, client.Join(d.base, name), recipes.MirrorConfig{Depth: 1})
	if err != nil {
		return nil, d.failed(err)
	}
	log := func(path string, err error) { d.cl.Logger().Warn("an instance is left out", "path", path, "err", err) }
	return &Service{name: name, mirror: m, log: log, view: &view{}}, nil
}

// Name returns the service's name.
func (s *Service) Name() string { return s.name }

// Close ends the list and waits for its goroutine. It shows on what it had. It may be called again.
func (s *Service) Close() { s.mirror.Close() }

// Mirror returns what the list stands on, which tells whether it is in step with the servers.
func (s *Service) Mirror() *recipes.Mirror { return s.mirror }

// Instances returns the instances as they are known, by the name of their nodes: disabled ones, too. While there is no
// connection they are those that there were. The slice is the caller's.
func (s *Service) Instances() []Instance { return s.look().instances() }

func (v *view) instances() []Instance {
	out := make([]Instance, len(v.entries))
	for i, e := range v.entries {
		out[i] = e.instance
	}
	return out
}

// Rejected returns why nodes are left out, by path: each is an [ErrBadInstance].
func (s *Service) Rejected() map[string]error { return maps.Clone(s.look().rejected) }

// look decodes what has changed since it was last called.
func (s *Service) look() *view {
	v, rejected := s.decode()
	for path, err := range rejected {
		s.log(path, err)
	}
	return v
}

// decode also returns what is newly rejected.
func (s *Service) decode() (*view, map[string]error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	snap := s.mirror.Snapshot()
	if s.view.known != nil && s.view.version == snap.Version() {
		return s.view, nil
	}
	v := &view{version: snap.Version(), known: map[string]*entry{}, rejected: map[string]error{}}
	rejected := map[string]error{}
	for n := range snap.All() {
		if n.Path == s.mirror.Path() {
			continue
		}
		e := s.view.known[n.Path]
		if e == nil || e.node != n {
			e = &entry{node: n}
			if e.instance, e.err = Decode(n.Data); e.err != nil {
				rejected[n.Path] = e.err
			}
		}
		v.known[n.Path] = e
		if e.err != nil {
			v.rejected[n.Path] = e.err
			continue
		}
		v.entries = append(v.entries, e)
	}
	s.view = v
	return v, rejected
}

// gather is for how long Updates waits for more changes, so that the start of a hundred processes is not as many updates.
const gather = 20 * time.Millisecond

// Updates yields the instances, and then what they are whenever they have changed: always the latest, though not all
// that there were for a moment. It goes on over lost connections and sessions. An error that is not the last one
// (recipes.MirrorState.Err) comes without instances and says why the list may be old.
//
// The sequence ends with ctx or the client's end, whose error comes last, or after [Service.Close] without one.
func (s *Service) Updates(ctx context.Context) iter.Seq2[[]Instance, error] {
	return func(yield func([]Instance, error) bool) {
		last := s.look()
		if !yield(last.instances(), nil) {
			return
		}
		for _, err := range s.mirror.Changes(ctx) {
			if err != nil {
				if !yield(nil, err) {
					return
				}
				continue
			}
			if s.mirror.Snapshot().Version() == last.version {
				continue
			}
			pause(ctx, gather)
			before := last
			last = s.look()
			if slices.EqualFunc(last.entries, before.entries, func(a, b *entry) bool { return a.node == b.node }) {
				continue
			}
			if !yield(last.instances(), nil) {
				return
			}
		}
	}
}

// pause waits, or not for as long if ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
