package stage

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/zookit/zookit/integration/faults/worker"
)

// Role is the first argument of a program that is to be a worker.
const Role = "worker"

// Process is a worker process.
type Process struct {
	// Name is that in the histories.
	Name string
	// Output is the file with what it wrote as errors.
	Output string

	cmd   *exec.Cmd
	in    io.WriteCloser
	done  chan struct{} // closed when it has been reaped
	heard chan worker.Message

	mu       sync.Mutex
	status   worker.Message
	ready    bool
	failures []string
	killed   bool
	how      error
}

func start(t *tether, program string, config worker.Config) (*Process, error) {
	text, err := json.Marshal(config)
	if err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	p := &Process{
		Name: config.Process, Output: filepath.Join(config.Dir, config.Process+".err"),
		done: make(chan struct{}), heard: make(chan worker.Message, 16),
	}
	errors, err := os.Create(p.Output)
	if err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	defer func() { _ = errors.Close() }()
	p.cmd = exec.Command(program, Role, string(text)) //nolint:noctx // it is ended by Kill, or with this process
	p.cmd.Stderr = errors
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	if err := t.start(p.cmd); err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	go p.listen(out)
	return p, nil
}

// listen lives as long as the process.
func (p *Process) listen(out io.Reader) {
	defer close(p.done)
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var m worker.Message
		if json.Unmarshal(lines.Bytes(), &m) != nil {
			continue
		}
		p.hear(m)
	}
	_, _ = io.Copy(io.Discard, out)
	err := p.cmd.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil && !p.killed {
		p.failures = append(p.failures, fmt.Sprintf("process %s has ended by itself: %v (see %s)", p.Name, err, p.Output))
	}
	p.how = err
}

func (p *Process) hear(m worker.Message) {
	p.mu.Lock()
	switch m.Event {
	case worker.Status:
		p.status = m
	case worker.Ready:
		p.ready = true
	case worker.Failed:
		p.failures = append(p.failures, m.Err)
	case worker.Closed:
		p.status.Counts = m.Counts
	}
	p.mu.Unlock()
	switch m.Event {
	case worker.Finished, worker.Closed, worker.Jumped:
		select {
		case p.heard <- m:
		default: // nobody asks
		}
	}
}

// Status is the last one. Its maps are the caller's.
func (p *Process) Status() worker.Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.status
	m.Done, m.Sessions = maps.Clone(m.Done), maps.Clone(m.Sessions)
	return m
}

// Ready tells whether all clients have been connected.
func (p *Process) Ready() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ready
}

// Failures are what workloads ended with.
func (p *Process) Failures() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.failures...)
}

// Pid is the process's id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Kill ends the process with SIGKILL and returns when it is gone.
func (p *Process) Kill() error {
	p.mu.Lock()
	p.killed = true
	p.mu.Unlock()
	_ = p.cmd.Process.Kill() // an error means that it is gone already
	<-p.done
	return nil
}

// Stop stops the process, and returns when it stands still.
func (p *Process) Stop(ctx context.Context) error { return freeze(ctx, p.cmd.Process) }

// Continue lets a stopped process go on.
func (p *Process) Continue() error { return thaw(p.cmd.Process) }

// Tell sends a command and waits for the answer.
func (p *Process) Tell(ctx context.Context, c worker.Command, answer string) (worker.Message, error) {
	fail := func(err error) (worker.Message, error) {
		return worker.Message{}, fmt.Errorf("worker %s, told to %s: %w", p.Name, c.Do, err)
	}
	text, err := json.Marshal(c)
	if err != nil {
		return fail(err)
	}
	if _, err := p.in.Write(append(text, '\n')); err != nil {
		return fail(err)
	}
	for {
		select {
		case m := <-p.heard:
			if m.Event == answer {
				return m, nil
			}
		case <-p.done:
			select {
			case m := <-p.heard:
				if m.Event == answer {
					return m, nil
				}
			default:
			}
			return fail(errors.New("it has ended"))
		case <-ctx.Done():
			return fail(context.Cause(ctx))
		}
	}
}

// Stacks has the process write its goroutines to Output, and end.
func (p *Process) Stacks() {
	p.mu.Lock()
	p.killed = true
	p.mu.Unlock()
	_ = quit(p.cmd.Process)
	select {
	case <-p.done:
	case <-time.After(5 * time.Second):
		_ = p.Kill()
	}
}
