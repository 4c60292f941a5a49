package inspect

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/zookit/zookit/client"
)

// flight is how many nodes are looked at in one flight.
const flight = 200

// walk looks for recipes at a node and below it, level by level, and calls found for each with what it is; below a recipe it does
// not look. Nodes that tell nothing of themselves, those without children, are not reported. What goes meanwhile is left out.
//
// Nodes that the client may not read are left out, and counted.
//
// It looks at most at so many nodes, and says [errTooMany] if there are more; step is told how many it has looked at.
func (q *subject) walk(ctx context.Context, root string, most int, step func(n int), found func(s *sight, f finding) error) (denied int, err error) {
	first, err := see(ctx, q.cl, []string{root}, true)
	switch {
	case err != nil:
		return 0, err
	case first[0] == nil:
		return 0, fmt.Errorf("%s: %w", root, client.ErrNoNode)
	case first[0].denied != nil:
		return 0, first[0].denied
	}
	w := walker{q: q, found: found}
	if err := w.visit(ctx, first[0]); err != nil {
		return w.denied, err
	}
	for looked := 1; len(w.next) > 0; {
		n := min(len(w.next), flight)
		if looked+n > most {
			return w.denied, fmt.Errorf("%w: %d were looked at, and there are more below %s: name a path below %s, or raise --most", errTooMany, looked, w.next[0].path, root)
		}
		here := w.next[:n]
		w.next = w.next[n:]
		paths := make([]string, n)
		for i, p := range here {
			paths[i] = p.path
		}
		seen, err := see(ctx, q.cl, paths, false)
		if err != nil {
			return w.denied, err
		}
		for i, s := range seen {
			if s == nil {
				continue
			}
			s.beside = here[i].beside
			if err := w.visit(ctx, s); err != nil {
				return w.denied, err
			}
		}
		looked += n
		step(n)
	}
	return w.denied, nil
}

// place is a node that is still to be looked at.
type place struct {
	path   string
	beside bool // a semaphore's line is
}

type walker struct {
	q     *subject
	found func(s *sight, f finding) error
	next  []place
	// denied is how many nodes could not be looked at.
	denied int
}

// visit reports a node if it is a recipe, and otherwise notes its children.
func (w *walker) visit(ctx context.Context, s *sight) error {
	err := s.denied
	if err == nil {
		err = w.look(ctx, s)
	}
	if errors.Is(err, client.ErrNoAuth) { // of it, or of what is below it
		w.denied++
		return nil
	}
	return err
}

func (w *walker) look(ctx context.Context, s *sight) error {
	f, err := recognise(ctx, w.q.cl, s, false)
	if err != nil {
		return err
	}
	if f.kind != kindNode && (len(s.children) > 0 || s.beside) {
		return w.found(s, f)
	}
	lines := map[string]bool{}
	here := map[string]bool{}
	for _, k := range f.kids {
		here[k.name] = true
	}
	for _, k := range f.kids {
		for _, suffix := range []string{lineBeside, queueBeside} {
			if of, ok := strings.CutSuffix(k.name, suffix); ok && here[of] {
				lines[k.name] = true // it belongs to the other one
			}
		}
	}
	for _, k := range f.kids {
		path := s.at(k.name)
		beside := lines[k.name+lineBeside]
		if lines[k.name] || own(path) || k.stat.NumChildren == 0 && !beside {
			continue
		}
		w.next = append(w.next, place{path: path, beside: beside})
	}
	return nil
}

// own tells whether a node is ZooKeeper's, or zookit's for keeping histories and receipts.
func own(path string) bool { return path == "/zookeeper" || path == "/zookit" }
