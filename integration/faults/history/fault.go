package history

import "time"

// Names of the notes that whoever does faults to processes writes. Checkers need to know of these; they are
// about no operation, and their arguments are a [Target].
const (
	// Stopped is noted right before a process is stopped (SIGSTOP): from then on it cannot notice
	// anything.
	Stopped = "stopped"
	// Continued is noted right before it goes on (SIGCONT).
	Continued = "continued"
	// Killed is noted right before a process is killed (SIGKILL): its sessions are left to expire.
	Killed = "killed"
	// Fault is noted right before any other fault begins, and Healed when it is over; their arguments are a
	// [Disturbance].
	Fault = "fault"
	// Healed is the end of a Fault.
	Healed = "healed"
	// Recovered is noted when, after faults, all servers are in step again and every client has got something
	// done: how long that takes is the servers' affair.
	Recovered = "recovered"
)

// Target names the process that something is done to.
type Target struct {
	Process string `json:"process"`
}

// Disturbance is a fault, for people and for the report that counts them.
type Disturbance struct {
	// Kind is what is counted: "server killed", "link cut".
	Kind string `json:"kind"`
	// Detail says to whom, how long.
	Detail string `json:"detail,omitempty"`
}

// thawing is how long a process that goes on is taken for one that may not have noticed yet.
const thawing = int64(time.Second)

// Stop is the time during which a process was stopped. To is [Never] if it was not continued.
type Stop struct {
	From, To int64
}

// Stops are those of each process, in the order of time.
type Stops map[string][]Stop

// Stops returns when each process was stopped.
func (h *History) Stops() Stops {
	out := Stops{}
	for _, e := range h.Events {
		var target Target
		if e.Kind != Note || e.Op != 0 || e.Name != Stopped && e.Name != Continued || e.Into(&target) != nil {
			continue
		}
		of := out[target.Process]
		switch {
		case e.Name == Stopped:
			out[target.Process] = append(of, Stop{e.Time, Never})
		case len(of) > 0:
			of[len(of)-1].To = e.Time
		}
	}
	return out
}

// Between tells whether the process was stopped at a time between two, and when first.
func (s Stops) Between(process string, from, to int64) (at int64, ok bool) {
	for _, stop := range s[process] {
		if stop.From <= to && stop.To >= from {
			return max(stop.From, from), true
		}
	}
	return 0, false
}

// Recent tells whether the process was stopped after the time since, and did not go on, or went on so shortly
// before the time at that it may not have noticed by then.
func (s Stops) Recent(process string, since, at int64) bool {
	for _, stop := range s[process] {
		if stop.From <= at && stop.To >= since && (stop.To == Never || stop.To > at-thawing) {
			return true
		}
	}
	return false
}
