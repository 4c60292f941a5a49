//go:build unix

package child

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// start runs the command in a process group of its own, in the foreground if this
// program has the terminal. ended yields its exit status.
func (g *guard) start(args []string) (ended <-chan int, err error) {
	terminal, holder := foreground()
	g.cmd = exec.Command(args[0], args[1:]...) //nolint:noctx // the guard ends it itself
	g.cmd.Stdin, g.cmd.Stdout, g.cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	g.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	dieWithParent(g.cmd.SysProcAttr)
	started, done := make(chan error), make(chan int, 1)
	go func() {
		// The kernel takes the end of this thread for that of the parent.
		runtime.LockOSThread()
		err := g.cmd.Start()
		if err == nil && terminal {
			signal.Ignore(syscall.SIGTTOU) // which is for whoever changes the foreground from the background
			_ = unix.IoctlSetPointerInt(0, unix.TIOCSPGRP, g.cmd.Process.Pid)
			g.kill(syscall.SIGCONT) // it may have asked for the terminal before it had it
		}
		started <- err
		if err != nil {
			return
		}
		code := g.wait(terminal)
		if terminal {
			_ = unix.IoctlSetPointerInt(0, unix.TIOCSPGRP, holder)
		}
		done <- code
	}()
	return done, <-started
}

// wait returns how the command has ended, as a shell would say it. One that the terminal has
// stopped goes on: nobody could wake it up, and others wait for the grant.
func (g *guard) wait(terminal bool) int {
	for {
		var status syscall.WaitStatus
		_, err := syscall.Wait4(g.cmd.Process.Pid, &status, syscall.WUNTRACED, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return 1
		case status.Exited():
			return status.ExitStatus()
		case status.Signaled():
			return 128 + int(status.Signal())
		case terminal && status.Stopped() && status.StopSignal() == syscall.SIGTSTP:
			g.kill(syscall.SIGCONT)
		}
	}
}

// foreground tells whether standard input is a terminal that the holder's group has, and
// which group that is.
func foreground() (bool, int) {
	group, err := unix.IoctlGetInt(0, unix.TIOCGPGRP)
	if err != nil {
		return false, 0
	}
	holder, err := unix.Getpgid(os.Getppid())
	return err == nil && group == holder, holder
}
