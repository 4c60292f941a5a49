//go:build faultclock

package worker

import "time"

// Jumps tells whether the process's wall clock can be set.
const Jumps = true

// jump has time.Now show another time of day from now on; the monotonic clock goes on as it did.
// JumpWall is in no Go: see package clock.
func jump(by time.Duration) error {
	time.JumpWall(by)
	return nil
}
