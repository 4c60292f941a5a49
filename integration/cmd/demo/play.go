package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// worker is one process of examples/stackupdate.
type worker struct {
	name   string
	cmd    *exec.Cmd
	out    io.Reader
	stderr bytes.Buffer
	exited error // read after play's group is done
}

// play starts the workers, injects the two faults and returns when all have ended.
//
// Of the two workers that take long for a step the first to write is killed, and the other one frozen at its
// own next writing. The first worker starts only then: whatever the others have done by that time, somebody is there
// who takes the lock over, and has not done all of its work before.
func (d *demo) play(ctx context.Context, s *story) error {
	var (
		group  sync.WaitGroup
		events = make(chan event)
		all    = map[string]*worker{}
		faults = &faults{slow: map[string]*worker{}}
	)
	for i := 2; i <= d.workers; i++ {
		slow := i > d.workers-2
		w, err := d.start(ctx, name(i), slow)
		if err != nil {
			return errors.Join(err, stop(all))
		}
		all[w.name] = w
		if slow {
			faults.slow[w.name] = w
		}
	}
	for _, w := range all {
		group.Go(func() { w.follow(events) })
	}
	go func() { group.Wait(); close(events) }()

	var late error
	for ev := range events {
		s.add(ev)
		for _, own := range faults.on(ev) {
			s.add(own)
			if own.Event != "frozen" {
				continue
			}
			w, err := d.start(ctx, name(1), false)
			if err != nil {
				late = errors.Join(err, faults.frozen.cmd.Process.Kill())
				continue
			}
			all[w.name] = w
			// The frozen one is followed still, so that nobody has found the group done.
			group.Go(func() { w.follow(events) })
		}
	}
	if late != nil {
		return late
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	for _, w := range all {
		if w.exited != nil && w != faults.killed {
			return fmt.Errorf("worker %s: %w: %s", w.name, w.exited, strings.TrimSpace(w.stderr.String()))
		}
	}
	return nil
}

func name(i int) string { return fmt.Sprintf("w%d", i) }

// start starts a worker. A slow one takes so long for a step that a signal hits it in the middle of it.
func (d *demo) start(ctx context.Context, name string, slow bool) (*worker, error) {
	step := 5 * time.Millisecond
	if slow {
		step = 300 * time.Millisecond
	}
	w := &worker{name: name}
	args := append(d.args(), "-worker", name, "-updates", fmt.Sprint(d.updates), "-step", step.String())
	w.cmd = exec.CommandContext(ctx, d.binary, args...)
	w.cmd.Stderr = &w.stderr
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	w.out = out
	return w, w.cmd.Start()
}

// follow reads a worker's timeline until the worker ends.
func (w *worker) follow(events chan<- event) {
	lines := bufio.NewScanner(w.out)
	for lines.Scan() {
		var ev event
		if json.Unmarshal(lines.Bytes(), &ev) == nil {
			events <- ev
		}
	}
	w.exited = w.cmd.Wait()
}

func stop(workers map[string]*worker) error {
	var errs []error
	for _, w := range workers {
		errs = append(errs, w.cmd.Process.Kill())
		_ = w.cmd.Wait()
	}
	return errors.Join(errs...)
}

// faults decides, from what the workers tell, when to kill and to freeze.
type faults struct {
	slow           map[string]*worker // the two that can be hit
	killed, frozen *worker            // once they are

	thaw  bool  // done
	token int64 // that the frozen one held
}

// on is told of every event and returns the faults that it has injected upon it.
func (f *faults) on(ev event) []event {
	slow := f.slow[ev.Worker]
	writes := slow != nil && ev.Event == "writes" && ev.Detail == "volume"
	switch {
	case writes && f.killed == nil:
		f.killed = slow
		return f.signal(slow, syscall.SIGKILL, "killed", ev.Token)
	case writes && f.frozen == nil && slow != f.killed:
		f.frozen, f.token = slow, ev.Token
		return f.signal(slow, syscall.SIGSTOP, "frozen", ev.Token)
	case f.frozen != nil && !f.thaw && ev.Event == "ends" && ev.Token > f.token:
		f.thaw = true
		return f.signal(f.frozen, syscall.SIGCONT, "thawed", f.token)
	}
	return nil
}

func (f *faults) signal(w *worker, sig syscall.Signal, what string, token int64) []event {
	if err := w.cmd.Process.Signal(sig); err != nil {
		return nil
	}
	return []event{{Time: time.Now().UnixNano(), Worker: w.name, Event: what, Token: token}}
}
