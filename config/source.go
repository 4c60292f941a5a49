package config

import (
	"context"
	"errors"
	"sync"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// source is a node that is watched, whoever wants its value: all Values of a client on one path
// share one watch on the server and one read for each change.
type source struct {
	key    sourceKey
	mirror *recipes.Mirror
	ready  chan struct{} // closed when mirror or err is there
	err    error
	users  int // guarded by sources.mu
}

type sourceKey struct {
	cl   *client.Client
	path string
}

// sources are those in use. A source leaves when its last user does.
var sources = struct {
	mu  sync.Mutex
	all map[sourceKey]*source
}{all: map[sourceKey]*source{}}

// openSource returns the source of a path, which it starts if there is none.
func openSource(ctx context.Context, cl *client.Client, path string) (*source, error) {
	key := sourceKey{cl, path}
	for {
		sources.mu.Lock()
		s, ok := sources.all[key]
		if !ok {
			s = &source{key: key, ready: make(chan struct{})}
			sources.all[key] = s
		}
		s.users++
		sources.mu.Unlock()
		if !ok {
			s.mirror, s.err = recipes.StartMirror(ctx, cl, path, recipes.MirrorConfig{Depth: recipes.OnlyNode})
			if s.err != nil {
				s.leave()
			}
			close(s.ready)
			return s, s.err
		}
		select {
		case <-s.ready:
		case <-ctx.Done():
			s.release()
			return nil, ended(ctx)
		}
		if s.err == nil {
			select {
			case <-s.mirror.Done():
				s.release()
				return nil, s.mirror.State().Err
			default:
				return s, nil
			}
		}
		s.release()
		if !errors.Is(s.err, context.Canceled) && !errors.Is(s.err, context.DeadlineExceeded) {
			return nil, s.err
		}
		// That was the context of whoever came first.
		if err := ended(ctx); err != nil {
			return nil, err
		}
	}
}

// leave takes a source that has failed out of the table, for those who come later.
func (s *source) leave() {
	sources.mu.Lock()
	defer sources.mu.Unlock()
	s.users--
	if sources.all[s.key] == s {
		delete(sources.all, s.key)
	}
}

// release gives a source back. The last one to do so ends it, and waits for that.
func (s *source) release() {
	sources.mu.Lock()
	s.users--
	last := s.users == 0
	if last && sources.all[s.key] == s {
		delete(sources.all, s.key)
	}
	sources.mu.Unlock()
	if last && s.mirror != nil {
		s.mirror.Close()
	}
}
