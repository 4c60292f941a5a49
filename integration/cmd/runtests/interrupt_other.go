//go:build !unix

package main

import (
	"os"
	"os/exec"
)

// interruptible ends cmd politely; the tests that it has started are left to their own timeout.
func interruptible(cmd *exec.Cmd) {
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
}
