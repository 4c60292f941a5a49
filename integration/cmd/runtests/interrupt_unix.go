//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// interruptible makes the end of cmd's context reach the tests that cmd has started,
// not cmd alone: go test would wait for them.
func interruptible(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
}
