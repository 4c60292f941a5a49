package stage

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// tether starts processes that the kernel kills when this one ends, also if they are stopped. The signal comes
// when the thread that started them ends, so that one thread starts them all.
type tether struct {
	work chan func()
	done chan struct{}
}

func newTether() *tether {
	t := &tether{work: make(chan func()), done: make(chan struct{})}
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		defer close(t.done)
		for f := range t.work {
			f()
		}
	}()
	return t
}

func (t *tether) close() {
	close(t.work)
	<-t.done
}

// start starts the process in a group of its own, so that an interrupt from the terminal does not reach it.
func (t *tether) start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	t.work <- func() { started <- cmd.Start() }
	return <-started
}

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
			return fmt.Errorf("process %d has not stopped: %w", p.Pid, context.Cause(ctx))
		}
	}
	return nil
}

func thaw(p *os.Process) error { return p.Signal(syscall.SIGCONT) }
func quit(p *os.Process) error { return p.Signal(syscall.SIGQUIT) }

// frozen looks at the state letter of each thread, which follows the program's name in brackets.
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
		i := bytes.LastIndex(stat, []byte(") "))
		if i < 0 || i+2 >= len(stat) || stat[i+2] != 'T' {
			return false
		}
	}
	return true
}
