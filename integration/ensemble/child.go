package ensemble

import (
	"context"
	"fmt"
	"io"
	"os/exec"
)

// child is a process that ends with this process at the latest.
type child struct {
	cmd      *exec.Cmd
	watchdog io.Closer     // to be closed after the child's end; may be nil
	done     chan struct{} // closed when the child has been reaped
	how      string        // how the child ended, to be read after done
}

// startChild starts cmd, tied to this process by t. Its goroutine ends with the
// child: whoever starts a process kills it.
func startChild(t *tether, cmd *exec.Cmd) (*child, error) {
	watchdog, err := t.start(cmd)
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", cmd.Path, err)
	}
	p := &child{cmd: cmd, watchdog: watchdog, done: make(chan struct{})}
	go p.reap()
	return p, nil
}

func (p *child) reap() {
	defer close(p.done)
	// The error says no more than the state, but for output that could not be
	// copied, and there is none: output goes to files.
	_ = p.cmd.Wait()
	p.how = p.cmd.ProcessState.String()
	if p.watchdog != nil {
		_ = p.watchdog.Close()
	}
}

func (p *child) pid() int { return p.cmd.Process.Pid }

// ended tells whether the child is gone, and how it ended.
func (p *child) ended() (how string, gone bool) {
	select {
	case <-p.done:
		return p.how, true
	default:
		return "", false
	}
}

// kill ends the child with SIGKILL and returns when it has been reaped.
func (p *child) kill(ctx context.Context) error {
	// An error means that the child is gone already, which done tells as well.
	_ = p.cmd.Process.Kill()
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("process %d has not ended after SIGKILL: %w", p.pid(), context.Cause(ctx))
	}
}

// pause returns when every thread of the child stands still.
func (p *child) pause(ctx context.Context) error {
	if how, gone := p.ended(); gone {
		return fmt.Errorf("process %d has ended: %s", p.pid(), how)
	}
	return freeze(ctx, p.cmd.Process)
}

func (p *child) resume() error {
	if how, gone := p.ended(); gone {
		return fmt.Errorf("process %d has ended: %s", p.pid(), how)
	}
	return thaw(p.cmd.Process)
}
