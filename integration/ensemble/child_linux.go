package ensemble

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// tether starts children that the kernel kills when this process ends. It sends
// that signal when the *thread* that started a child ends, so one thread starts
// them all and lives until the tether is closed.
type tether struct {
	work chan func()
	done chan struct{}
}

func newTether() *tether {
	t := &tether{work: make(chan func()), done: make(chan struct{})}
	go t.run()
	return t
}

func (t *tether) run() {
	// Never unlocked: the thread ends with this goroutine.
	runtime.LockOSThread()
	defer close(t.done)
	for f := range t.work {
		f()
	}
}

// start starts cmd in a process group of its own, so that an interrupt from the
// terminal reaches the program that may still need its servers, and not them.
func (t *tether) start(cmd *exec.Cmd) (watchdog io.Closer, err error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	started := make(chan error)
	t.work <- func() { started <- cmd.Start() }
	return nil, <-started
}

// close ends the tether. Children that still run are killed.
func (t *tether) close() {
	close(t.work)
	<-t.done
}

// freeze returns when every thread has stopped: the signal alone only asks for it.
func freeze(ctx context.Context, p *os.Process) error {
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !frozen(p.Pid) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("process %d has not stopped after SIGSTOP: %w", p.Pid, context.Cause(ctx))
		}
	}
	return nil
}

func thaw(p *os.Process) error { return p.Signal(syscall.SIGCONT) }

// frozen looks at the state letter of each thread.
func frozen(pid int) bool {
	files, err := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "task", "*", "stat"))
	if err != nil || len(files) == 0 {
		return false
	}
	for _, file := range files {
		stat, err := os.ReadFile(file)
		if err != nil {
			return false
		}
		// The name of the program stands before the state, in brackets, and
		// may itself hold any character.
		_, rest, ok := cutLast(stat, []byte(") "))
		if !ok || len(rest) == 0 || rest[0] != 'T' {
			return false
		}
	}
	return true
}

func cutLast(s, sep []byte) (before, after []byte, found bool) {
	if i := bytes.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, nil, false
}
