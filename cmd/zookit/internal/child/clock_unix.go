//go:build unix

package child

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// now is the time of the clock that holder and guard share, and that nobody sets.
func now() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic(fmt.Sprintf("CLOCK_MONOTONIC: %v", err)) // every unix has it
	}
	return time.Duration(ts.Nano())
}

// shared is t by that clock, or a moment before.
func shared(t time.Time) time.Duration {
	at := now() // first, so that a pause in between makes it earlier
	return at + time.Until(t)
}
