package models

import (
	"fmt"

	"github.com/zookit/zookit/integration/faults/history"
)

// Rules of registers.
const (
	RuleLinear   = "writes, and reads that a quorum has confirmed, are linearizable"
	RuleSession  = "a session's reads do not go back in time"
	RuleUnsought = "a node has what somebody has written"
)

// Operations of registers. Their arguments are a [RegisterArgs], their results a [RegisterResult].
const (
	Get = "get"
	Set = "set"
	// CAS is a set that demands a version.
	CAS = "cas"
	// Txn is a transaction: it checks the version of one register and sets another.
	Txn = "txn"
)

// How a [Get] is done.
const (
	// Plain reads what the connected server knows.
	Plain = "plain"
	// Synced reads after a sync.
	Synced = "synced"
	// Confirmed reads, in the same session, after a transaction that a quorum has committed.
	Confirmed = "confirmed"
)

// RegisterArgs are the arguments of an operation on registers.
type RegisterArgs struct {
	Key int `json:"key"`
	// How is of a Get.
	How string `json:"how,omitempty"`
	// Value is what is written: no two writes of a run have the same.
	Value string `json:"value,omitempty"`
	// Expect is the version that a CAS demands of Key, and a Txn of Check.
	Expect int32 `json:"expect,omitempty"`
	// Check is the other register of a Txn.
	Check int `json:"check,omitempty"`
}

// RegisterResult is the result of an operation on registers that was answered.
type RegisterResult struct {
	// Refused tells that the version was not the expected one, and nothing done.
	Refused bool `json:"refused,omitempty"`
	// Version is what Key has now; -1 if that is not known.
	Version int32 `json:"version"`
	// Value and Session are of a Get: what was read, and in which session.
	Value   string `json:"value,omitempty"`
	Session int64  `json:"session,omitempty"`
}

// cell is one register.
type cell struct {
	version int32
	value   string
}

// maxKeys is how many registers there can be.
const maxKeys = 4

type cells [maxKeys]cell

// request is what a register is asked.
type request struct {
	RegisterArgs
	name string
}

// Registers checks that writes and confirmed reads are linearizable, refusals included: a demand that was
// refused was not met. Reads of any kind return what was written, and do not go back within a session.
func Registers(h *history.History) []Violation {
	var out []Violation
	type look struct {
		client  string
		session int64
		key     int
	}
	newest := map[look]int32{}
	b := newBook()
	for _, o := range h.Operations() {
		if o.Name != Get && o.Name != Set && o.Name != CAS && o.Name != Txn {
			continue
		}
		e := entry{op: o, request: request{name: o.Name}}
		if err := o.ArgsInto(&e.RegisterArgs); err != nil || e.Key < 0 || e.Key >= maxKeys || e.Check < 0 || e.Check >= maxKeys {
			return append(out, Violation{Rule: RuleHistory, Text: fmt.Sprintf("%s %s: %v", o.Name, o.Args, err)})
		}
		if err := o.ResultInto(&e.result); err != nil {
			return append(out, Violation{Rule: RuleHistory, Text: err.Error()})
		}
		if o.Name == Get && o.Outcome == history.OK {
			k := look{o.Client, e.result.Session, e.Key}
			if e.result.Version < newest[k] {
				out = append(out, Violation{Rule: RuleSession, Text: fmt.Sprintf("%s read version %d of %d at %v, after version %d in the same session",
					o.Client, e.result.Version, e.Key, duration(o.Ended), newest[k])})
			}
			newest[k] = max(newest[k], e.result.Version)
		}
		b.enter(e)
	}
	out = append(out, b.unsought()...)
	return append(out, linear(RuleLinear, b.model(), b.steps())...)
}
