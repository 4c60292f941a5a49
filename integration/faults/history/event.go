package history

import (
	"encoding/json"
	"fmt"
)

// Kind says what an event is.
type Kind string

// The kinds of events. An operation is an [Invoke] and at most one of the three completions; of one
// without a completion it is not known what became of it, as of one that ended as [Unknown].
const (
	// Invoke is written before an operation begins.
	Invoke Kind = "invoke"
	// OK is written after an operation that has taken effect.
	OK Kind = "ok"
	// Fail is written after an operation that has certainly not taken effect, and will not.
	Fail Kind = "fail"
	// Unknown is written after an operation that may have taken effect, or may do so later.
	Unknown Kind = "unknown"
	// Note is something seen, which is no operation.
	Note Kind = "note"
)

// Event is one line of a history. Its form as JSON is the contract with programs in other languages:
//
//	{"time":81234567890,"process":"p1","client":"c3","op":7,"kind":"invoke","name":"acquire"}
//	{"time":81234999999,"process":"p1","client":"c3","op":7,"kind":"ok","name":"acquire","result":{"token":4294967301}}
//	{"time":81235000000,"process":"p1","client":"c3","op":7,"kind":"note","name":"held"}
//
// An unknown field is ignored, and an absent one is its zero value.
type Event struct {
	// Time is in nanoseconds, of a monotonic clock that all processes of the machine share:
	// CLOCK_MONOTONIC, which is [Monotonic] here, time.monotonic_ns in Python, System.nanoTime in Java.
	// That of an invocation is read before the operation begins, that of a completion after it has
	// ended; a note says when its time is read.
	Time int64 `json:"time"`
	// Process is the name that whoever runs the laboratory gave to the process: faults are done to it.
	Process string `json:"process"`
	// Client does one operation at a time. Its name is unique among all processes of a history.
	Client string `json:"client"`
	// Op numbers the operations of a client from 1. A completion has that of its invocation; a note that of the
	// operation which it is about, and 0 if it is about none.
	Op   int64 `json:"op,omitempty"`
	Kind Kind  `json:"kind"`
	// Name is what is done, or seen: each workload says which names it uses, and with what arguments
	// and results.
	Name string `json:"name"`
	// Args is an object, of an invocation or a note.
	Args json.RawMessage `json:"args,omitempty"`
	// Result is an object, of a completion.
	Result json.RawMessage `json:"result,omitempty"`
	// Error says, for people, why an operation did not end as OK.
	Error string `json:"error,omitempty"`
}

// check returns what is wrong with an event that was read.
func (e *Event) check() error {
	switch e.Kind {
	case Invoke, OK, Fail, Unknown:
		if e.Op <= 0 {
			return fmt.Errorf("%s %q of client %q is of operation %d: they are numbered from 1", e.Kind, e.Name, e.Client, e.Op)
		}
		if e.Client == "" {
			return fmt.Errorf("%s %q names no client", e.Kind, e.Name)
		}
	case Note:
	default:
		return fmt.Errorf("event %q is of unknown kind %q: want invoke, ok, fail, unknown or note", e.Name, e.Kind)
	}
	if e.Name == "" {
		return fmt.Errorf("%s of client %q has no name", e.Kind, e.Client)
	}
	return nil
}

// decode reads an object of an event; absent is the zero value.
func decode(what string, raw json.RawMessage, v any) error {
	if len(raw) == 0 {
		return nil
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("%s %s: %w", what, raw, err)
	}
	return nil
}

// Into reads the arguments of an event into v, a pointer. Absent ones leave it as it is.
func (e *Event) Into(v any) error { return decode(e.Name+" arguments", e.Args, v) }
