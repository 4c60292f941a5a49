package work

import (
	"errors"
	"fmt"
	"time"
)

// MaxLatencies is how many latencies a sample has at most.
const MaxLatencies = 500

// SettleTime is how long those who stand in line have to find out for whom they wait.
const SettleTime = 250 * time.Millisecond

// LongSettleTime is that of a line of 1,000 and more: it has not come about just now in reality, and who has joined it early has found out by
// then that it has become long.
const LongSettleTime = 1500 * time.Millisecond

// CrashTimeout is the session timeout of those that take part in "election.crash".
const CrashTimeout = 2 * time.Second

// ErrAbsent is for a work that a library lacks, and for a peer that is not installed.
var ErrAbsent = errors.New("absent")

// Spec says what to measure.
type Spec struct {
	Work string `json:"work"`
	// Path is the work's own: nobody else uses it, and it does not exist.
	Path    string `json:"path"`
	Clients int    `json:"clients,omitempty"`
	// Sessions is how many sessions the clients share; 0 is one each.
	Sessions int `json:"sessions,omitempty"`
	// Inflight is how many operations are under way at once, or items in a batch.
	Inflight int `json:"inflight,omitempty"`
	// Size of nodes and items, in bytes.
	Size int `json:"size,omitempty"`
	// Ops and Millis bound the measured part; 0 does not.
	Ops    int `json:"ops,omitempty"`
	Millis int `json:"millis,omitempty"`
	// Timeout of the sessions, in milliseconds; 0 is 10,000.
	Timeout int `json:"timeout,omitempty"`
	// Marks has the worker say when the measured part begins and ends; see the package.
	Marks bool `json:"marks,omitempty"`
}

// Sample is what came of a Spec.
type Sample struct {
	Ops     int     `json:"ops"`
	Seconds float64 `json:"seconds"`
	// CPU is the worker's user and system time in the measured part, in seconds.
	CPU float64 `json:"cpu"`
	// Latencies in microseconds, at most MaxLatencies.
	Latencies []float64 `json:"latencies_us,omitempty"`
	Grants    int       `json:"grants,omitempty"`
	// Allocs is how many objects the worker allocated in the measured part; workers that are not Go leave it out.
	Allocs uint64 `json:"allocs,omitempty"`
	// Syscalls is how many reads and writes the worker made in the measured part (syscr and syscw of
	// /proc/self/io do not have those of sockets on all kernels; 0 is unknown).
	Syscalls         uint64  `json:"syscalls,omitempty"`
	Heap             float64 `json:"heap,omitempty"`
	Goroutines       float64 `json:"goroutines,omitempty"`
	WaiterHeap       float64 `json:"waiter_heap,omitempty"`
	WaiterGoroutines float64 `json:"waiter_goroutines,omitempty"`
	Error            string  `json:"error"`
}

// SessionTimeout is Timeout with its default.
func (s Spec) SessionTimeout() time.Duration {
	if s.Timeout == 0 {
		return 10 * time.Second
	}
	return time.Duration(s.Timeout) * time.Millisecond
}

// SessionCount is Sessions with its default, at least one.
func (s Spec) SessionCount() int {
	n := max(1, s.Clients)
	if s.Sessions > 0 {
		n = min(n, s.Sessions)
	}
	return n
}

// Check tells what is wrong with a Spec.
func (s Spec) Check() error {
	switch {
	case s.Work == "":
		return errors.New("a spec without work: name one, such as \"lock.uncontended\"")
	case len(s.Path) < 2 || s.Path[0] != '/':
		return fmt.Errorf("path %q of work %q: give one like /bench/r17", s.Path, s.Work)
	case s.Ops < 0 || s.Millis < 0 || s.Clients < 0 || s.Inflight < 0 || s.Size < 0 || s.Sessions < 0 || s.Timeout < 0:
		return fmt.Errorf("a negative number in the spec of work %q: %+v", s.Work, s)
	}
	return nil
}

// Err is the sample's error; errors.Is(err, ErrAbsent) tells a work that the library lacks.
func (s Sample) Err() error {
	switch s.Error {
	case "":
		return nil
	case ErrAbsent.Error():
		return ErrAbsent
	}
	return errors.New(s.Error)
}
