package inspect

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
)

const (
	// gather is for how long changes are gathered before it is looked again, so that a hundred at once are not as many looks.
	gather = 50 * time.Millisecond
	// poll is how often it is looked where servers have no lasting watches (before 3.6).
	poll = time.Second
)

// watch shows what is at a path, and whatever changes, until ctx ends.
func (q *subject) watch(ctx context.Context, env *app.Env, p *output.Printer, path string) error {
	changes, closing, err := q.changes(ctx, path)
	if err != nil {
		return err
	}
	defer closing()
	s := screen{env: env, p: p, live: env.Terminal() && p.Format() == "table"}
	for {
		r, err := q.look(ctx, path)
		if err == nil {
			err = s.show(r)
		}
		if err == nil {
			err = changes(ctx)
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// changes returns a function that returns when something at the path, or beside it, may have changed.
func (q *subject) changes(ctx context.Context, path string) (wait func(ctx context.Context) error, closing func(), err error) {
	var watchers []*client.Watcher
	closing = func() {
		for _, w := range watchers {
			w.Close()
		}
	}
	for _, at := range []string{path, besideOf(path)} {
		w, err := q.cl.AddWatch(ctx, at, client.WatchPersistentRecursive)
		if errors.Is(err, client.ErrUnimplemented) {
			closing()
			return func(ctx context.Context) error { return pause(ctx, poll) }, func() {}, nil
		}
		if err != nil {
			closing()
			return nil, nil, err
		}
		watchers = append(watchers, w)
	}
	return func(ctx context.Context) error {
		var err error
		select {
		case _, ok := <-watchers[0].C:
			err = ended(watchers[0], ok)
		case _, ok := <-watchers[1].C:
			err = ended(watchers[1], ok)
		case <-ctx.Done():
			return ctx.Err()
		}
		if err == nil {
			err = pause(ctx, gather)
		}
		for _, w := range watchers {
			drain(w)
		}
		return err
	}, closing, nil
}

func ended(w *client.Watcher, ok bool) error {
	if ok {
		return nil
	}
	return w.Err()
}

// drain takes what has come meanwhile: all of it is seen by the next look.
func drain(w *client.Watcher) {
	for {
		select {
		case _, ok := <-w.C:
			if !ok {
				return
			}
		default:
			return
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// screen shows one report after the other, each in the place of the one before if it is a terminal.
type screen struct {
	env  *app.Env
	p    *output.Printer
	live bool
	last []byte // what was shown
}

// show shows a report, unless it is what is shown already.
func (s *screen) show(r *report) error {
	text, err := json.Marshal(r)
	if err != nil || bytes.Equal(text, s.last) {
		return err
	}
	first := s.last == nil
	s.last = text
	switch {
	case s.p.Format() == "json":
		_, err = fmt.Fprintf(s.env.Out, "%s\n", text)
		return err
	case s.live:
		return s.redraw(r)
	case !first && s.p.Format() == "table":
		_, err = io.WriteString(s.env.Out, "\n")
	case !first && s.p.Format() == "yaml":
		_, err = io.WriteString(s.env.Out, "---\n")
	}
	if err != nil {
		return err
	}
	return show(s.env, s.p, r)
}

// redraw shows as much of a report as the terminal has room for. It writes once, so that nothing flickers.
func (s *screen) redraw(r *report) error {
	var text bytes.Buffer
	p, err := output.New(&text, "table")
	if err != nil {
		return err
	}
	if err := p.Print(r); err != nil {
		return err
	}
	columns, rows := s.env.Size()
	lines := append([]string{output.Legible(r.Path + ": " + r.Summary)}, strings.Split(strings.TrimRight(text.String(), "\n"), "\n")...)
	if len(lines) >= rows {
		lines = append(lines[:rows-2], fmt.Sprintf("… and %d more", len(lines)-rows+2))
	}
	var out strings.Builder
	out.WriteString("\x1b[H\x1b[2J") // to the upper left corner, with nothing on the screen
	for _, line := range append(lines, time.Now().Format("15:04:05")) {
		if runes := []rune(line); len(runes) > columns {
			line = string(runes[:columns])
		}
		out.WriteString(line + "\n")
	}
	_, err = io.WriteString(s.env.Out, out.String())
	return err
}
