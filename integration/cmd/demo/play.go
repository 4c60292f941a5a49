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
func (d *demo) play(ctx context.Context, s *story) error {
	// Two of the workers take so long for a step that a signal hits them in the middle of it.
	killed, frozen := name(d.workers-1), name(d.workers)
	var (
		group  sync.WaitGroup
		events = make(chan event)
		all    = map[string]*worker{}
	)
	for i := range d.workers {
		step := 5 * time.Millisecond
		if n := name(i + 1); n == killed || n == frozen {
			step = 300 * time.Millisecond
		}
		w, err := d.start(ctx, name(i+1), step)
		if err != nil {
			return errors.Join(err, stop(all))
		}
		all[w.name] = w
	}
	for _, w := range all {
		group.Go(func() { w.follow(events) })
	}
	go func() { group.Wait(); close(events) }()

	faults := &faults{killed: all[killed], frozen: all[frozen]}
	for ev := range events {
		s.add(ev)
		for _, own := range faults.on(ev) {
			s.add(own)
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	for _, w := range all {
		if w.exited != nil && w.name != killed {
			return fmt.Errorf("worker %s: %w: %s", w.name, w.exited, strings.TrimSpace(w.stderr.String()))
		}
	}
	return nil
}

func name(i int) string { return fmt.Sprintf("w%d", i) }

func (d *demo) start(ctx context.Context, name string, step time.Duration) (*worker, error) {
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
	killed, frozen *worker

	kill, freeze, thaw bool  // done
	token              int64 // that the frozen one held
}

// on is told of every event and returns the faults that it has injected upon it.
func (f *faults) on(ev event) []event {
	switch {
	case !f.kill && ev.Worker == f.killed.name && ev.Event == "writes" && ev.Detail == "volume":
		f.kill = true
		return f.signal(f.killed, syscall.SIGKILL, "killed", ev.Token)
	case f.kill && !f.freeze && ev.Worker == f.frozen.name && ev.Event == "writes" && ev.Detail == "volume":
		f.freeze, f.token = true, ev.Token
		return f.signal(f.frozen, syscall.SIGSTOP, "frozen", ev.Token)
	case f.freeze && !f.thaw && ev.Event == "ends" && ev.Token > f.token:
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
