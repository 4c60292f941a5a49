//go:build !linux

package stage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// tether starts processes, which end with their standard input.
type tether struct{}

func newTether() *tether { return &tether{} }

func (t *tether) close() {}

func (t *tether) start(cmd *exec.Cmd) error { return cmd.Start() }

func freeze(context.Context, *os.Process) error {
	return fmt.Errorf("stopping a process on this system: %w", errors.ErrUnsupported)
}

func thaw(*os.Process) error   { return nil }
func quit(p *os.Process) error { return p.Kill() }
