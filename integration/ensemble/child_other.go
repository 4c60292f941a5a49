//go:build !unix

package ensemble

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// tether starts children; on this system nothing ends them with this process.
type tether struct{}

func newTether() *tether { return &tether{} }

func (t *tether) close() {}

func (t *tether) start(cmd *exec.Cmd) (io.Closer, error) { return nil, cmd.Start() }

func freeze(context.Context, *os.Process) error {
	return fmt.Errorf("stopping a process on this system: %w", errors.ErrUnsupported)
}

func thaw(*os.Process) error {
	return fmt.Errorf("continuing a process on this system: %w", errors.ErrUnsupported)
}
