//go:build unix

package history

import "golang.org/x/sys/unix"

// Monotonic reads the machine's monotonic clock, CLOCK_MONOTONIC, in nanoseconds. All
// processes of a machine share it, and nothing sets it.
func Monotonic() int64 {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) // fails for an unknown clock only
	return ts.Nano()
}
