//go:build !faultclock

package worker

import (
	"errors"
	"time"
)

// Jumps tells whether the process's wall clock can be set.
const Jumps = false

func jump(time.Duration) error {
	return errors.New("this worker was built with Go's own clock: scripts/faults builds one whose clock can be set")
}
