package shell

import (
	"context"
	"sync"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
)

// lasting are the watches of addWatch.
type lasting struct {
	mu  sync.Mutex
	all map[*client.Watcher]struct{}
}

func (l *lasting) add(w *client.Watcher) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == nil {
		l.all = map[*client.Watcher]struct{}{}
	}
	l.all[w] = struct{}{}
}

func (l *lasting) drop(w *client.Watcher) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.all, w)
}

func (l *lasting) on(path string) []*client.Watcher {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []*client.Watcher
	for w := range l.all {
		if w.Path() == path {
			out = append(out, w)
		}
	}
	return out
}

// once reports the next thing that happens to a node.
func (s *session) once(w *client.Watch) {
	s.beside.Go(func() {
		select {
		case ev, ok := <-w.C:
			if ok {
				s.tell(ev)
			}
		case <-s.ctx.Done():
			w.Remove()
		}
	})
}

func (s *session) tell(ev client.Event) {
	s.say("watch: %s: %s", output.Legible(ev.Path), ev.Type)
}

// addWatch reports all that happens to a node until the watch is removed.
func (s *session) addWatch(ctx context.Context, path string, mode client.AddWatchMode) error {
	w, err := s.cl.AddWatch(ctx, path, mode)
	if err != nil {
		return err
	}
	s.lasting.add(w)
	s.beside.Go(func() {
		defer s.lasting.drop(w)
		defer w.Close()
		for ev, err := range w.All(s.ctx) {
			switch {
			case err != nil && s.ctx.Err() == nil:
				s.say("watch: %s: it has ended: %v", output.Legible(path), err)
			case err == nil && ev.Type != client.EventResynced:
				s.tell(ev)
			}
		}
	})
	return nil
}

// removeWatches ends the watches of addWatch on a node.
func (s *session) removeWatches(path string) error {
	found := s.lasting.on(path)
	if len(found) == 0 {
		return app.Usagef("%s: there is no watch of addWatch on it", path)
	}
	for _, w := range found {
		w.Close()
	}
	return nil
}
