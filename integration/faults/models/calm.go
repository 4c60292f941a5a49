package models

import (
	"time"

	"github.com/zookit/zookit/integration/faults/history"
)

// slack is what everything may take longer than sessions do.
const slack = 5 * time.Second

// calm is the time from which on nothing was done to anybody any more, and the servers had recovered from what was.
func calm(h *history.History) int64 {
	var last int64
	for _, e := range h.Events {
		if e.Kind != history.Note || e.Op != 0 {
			continue
		}
		switch e.Name {
		case history.Fault, history.Healed, history.Recovered, history.Stopped, history.Continued, history.Killed:
			last = max(last, e.Time)
		}
	}
	return last
}

// kills are the times at which processes were killed.
func kills(h *history.History) map[string]int64 {
	out := map[string]int64{}
	for _, e := range h.Notes(history.Killed) {
		var target history.Target
		if e.Into(&target) == nil {
			out[target.Process] = e.Time
		}
	}
	return out
}
