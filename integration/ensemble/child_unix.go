//go:build unix && !linux

package ensemble

import (
	"context"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// tether starts children together with a watchdog each: a shell that kills the
// child as soon as the pipe from this process breaks.
type tether struct{}

func newTether() *tether { return &tether{} }

func (t *tether) close() {}

// start starts cmd in a process group of its own, so that an interrupt from the
// terminal reaches the program that may still need its servers, and not them.
func (t *tether) start(cmd *exec.Cmd) (io.Closer, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	w := &watchdog{cmd: exec.Command("/bin/sh", "-c", `read -r _ || kill -9 "$0"`, strconv.Itoa(cmd.Process.Pid))}
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	pipe, err := w.cmd.StdinPipe()
	if err == nil {
		w.pipe = pipe
		err = w.cmd.Start()
	}
	if err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return nil, err
	}
	return w, nil
}

type watchdog struct {
	cmd  *exec.Cmd
	pipe io.WriteCloser
}

// Close tells the watchdog that the child is gone, and waits for its end.
func (w *watchdog) Close() error {
	_, err := io.WriteString(w.pipe, "\n")
	if err != nil {
		_ = w.cmd.Process.Kill()
	}
	_ = w.pipe.Close()
	return w.cmd.Wait()
}

func freeze(_ context.Context, p *os.Process) error { return p.Signal(syscall.SIGSTOP) }

func thaw(p *os.Process) error { return p.Signal(syscall.SIGCONT) }
