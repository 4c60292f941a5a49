//go:build !unix

package history

import "time"

var began = time.Now()

// Monotonic is, where there is no CLOCK_MONOTONIC, the time since the start of this process: no
// other process shares it.
func Monotonic() int64 { return int64(time.Since(began)) }
