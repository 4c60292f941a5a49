// Package report is what a run of the fault laboratory has found: numbers and violations, for people and for programs.
package report

import (
	"cmp"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/zookit/zookit/integration/faults/worker"
)

// Report is that of one run. Its methods are safe for concurrent use; its fields are to be read when the run is over.
type Report struct {
	Seeds     []uint64      `json:"seeds"`
	Command   string        `json:"command"`
	Began     time.Time     `json:"began"`
	Took      time.Duration `json:"took"`
	Provider  string        `json:"provider"`
	ZooKeeper string        `json:"zookeeper"`
	Stages    int           `json:"stages"`
	Servers   int           `json:"servers"`
	Processes int           `json:"processes"`
	Session   time.Duration `json:"session"`
	Rounds    int           `json:"rounds"`

	Works  []*Work       `json:"works"`
	Faults []*Fault      `json:"faults"`
	Absent []Absence     `json:"absent"`
	Counts worker.Counts `json:"counts"`
	// Started is how many worker processes were started.
	Started int `json:"started"`

	Violations []Violation `json:"violations"`
	// Troubles are what went wrong with the laboratory itself.
	Troubles []Violation `json:"troubles"`

	mu sync.Mutex
}

// Work is what was done of one workload.
type Work struct {
	Name    string `json:"name"`
	Doc     string `json:"doc"`
	Clients int    `json:"clients"` // of each stage
	OK      int    `json:"ok"`
	Failed  int    `json:"failed"`
	Unknown int    `json:"unknown"`
	Grants  int    `json:"grants"`
	// Violations is how many there were.
	Violations int `json:"violations"`
}

// Operations is how many were begun.
func (w *Work) Operations() int { return w.OK + w.Failed + w.Unknown }

// Fault is how often a fault was done.
type Fault struct {
	Kind string `json:"kind"`
	Doc  string `json:"doc"`
	// Single is how often by itself, and Mixed how often together with others.
	Single int `json:"single"`
	Mixed  int `json:"mixed"`
	// Missed is how often it was tried and there was nothing to break.
	Missed int `json:"missed"`
	// Longest is how long it took at most, done by itself, from its end until all went on.
	Longest time.Duration `json:"longest"`
}

// Absence is a fault that could not be done.
type Absence struct {
	Kind string `json:"kind"`
	Why  string `json:"why"`
}

// Violation is a promise that was not kept.
type Violation struct {
	Round  int    `json:"round"`
	Work   string `json:"work,omitempty"`
	Rule   string `json:"rule"`
	Text   string `json:"text"`
	Folder string `json:"folder"`
}

// AddWork adds what was done of a workload in a round.
func (r *Report) AddWork(w Work) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, to := range r.Works {
		if to.Name == w.Name {
			to.OK += w.OK
			to.Failed += w.Failed
			to.Unknown += w.Unknown
			to.Grants += w.Grants
			to.Violations += w.Violations
			return
		}
	}
	r.Works = append(r.Works, &w)
	slices.SortFunc(r.Works, func(a, b *Work) int { return cmp.Compare(a.Name, b.Name) })
}

// AddFault adds a fault that was done.
func (r *Report) AddFault(kind, doc string, mixed, missed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.fault(kind)
	f.Doc = doc
	switch {
	case missed:
		f.Missed++
	case mixed:
		f.Mixed++
	default:
		f.Single++
	}
}

// AddRecovery adds how long it took after a fault by itself until all went on.
func (r *Report) AddRecovery(kind string, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.fault(kind)
	f.Longest = max(f.Longest, took)
}

func (r *Report) fault(kind string) *Fault {
	for _, f := range r.Faults {
		if f.Kind == kind {
			return f
		}
	}
	f := &Fault{Kind: kind}
	r.Faults = append(r.Faults, f)
	slices.SortFunc(r.Faults, func(a, b *Fault) int { return cmp.Compare(a.Kind, b.Kind) })
	return f
}

// AddRound adds a round's counts.
func (r *Report) AddRound(c worker.Counts, started int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Rounds++
	r.Counts.Add(c)
	r.Started += started
}

// AddViolations adds what was not kept.
func (r *Report) AddViolations(vs ...Violation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Violations = append(r.Violations, vs...)
}

// AddTrouble adds what went wrong with the laboratory.
func (r *Report) AddTrouble(v Violation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Troubles = append(r.Troubles, v)
}

// FaultsDone is how many faults were done.
func (r *Report) FaultsDone() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, f := range r.Faults {
		n += f.Single + f.Mixed
	}
	return n
}

// JSON is the report for programs.
func (r *Report) JSON() ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return json.MarshalIndent(r, "", "  ")
}
