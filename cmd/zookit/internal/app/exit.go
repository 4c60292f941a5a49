package app

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/zookit/zookit/client"
)

// The exit statuses of the tool; they are stable. A command that is run under a grant passes
// its own on.
const (
	ExitFailed      = 1  // it did not work, and the message says why
	ExitUsage       = 64 // the command line, or a setting, is wrong
	ExitUnavailable = 69 // no server of the ensemble could be reached
	ExitUnhealthy   = 70 // servers were reached, and the ensemble is not healthy: zookit health
	ExitBusy        = 75 // not acquired: somebody else has it, or not in time
	ExitLost        = 76 // lost while the command was running
	ExitNoCommand   = 127
)

// Exit is an error with an exit status of its own.
type Exit struct {
	Code int
	Err  error // nil: nothing is to be said
}

// Error implements error.
func (e *Exit) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit status %d", e.Code)
	}
	return e.Err.Error()
}

// Unwrap returns the reason.
func (e *Exit) Unwrap() error { return e.Err }

// Usagef is an error of the command line.
func Usagef(format string, args ...any) error {
	return &Exit{Code: ExitUsage, Err: fmt.Errorf(format, args...)}
}

// Code is the exit status that an error makes.
func Code(err error) int {
	exit, ok := errors.AsType[*Exit](err)
	switch {
	case err == nil:
		return 0
	case ok:
		return exit.Code
	case errors.Is(err, client.ErrBadArgument), errors.Is(err, client.ErrBadPath):
		return ExitUsage
	case errors.Is(err, context.Canceled):
		return 130 // as after an interrupt, also of one who was waiting for a connection
	case errors.Is(err, client.ErrNotConnected):
		return ExitUnavailable
	}
	return ExitFailed
}

// Report says on w why the tool has failed, if there is anything to say.
func Report(w io.Writer, err error) {
	exit, ok := errors.AsType[*Exit](err)
	if err == nil || ok && exit.Err == nil {
		return
	}
	fmt.Fprintln(w, "zookit:", err)
}
