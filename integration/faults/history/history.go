package history

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"
)

// Never is the end of an operation that has none: it may take effect at any time after its invocation.
const Never int64 = math.MaxInt64

// History is what all processes of a run have written, in the order of time.
type History struct {
	Events []Event
}

// Operation is an invocation with its completion.
type Operation struct {
	Process string
	Client  string
	// Op is the operation's number among those of its client.
	Op   int64
	Name string
	Args json.RawMessage
	// Invoked and Completed are the times between which it took effect, if it did. Completed is [Never]
	// of one that did not complete, whose Outcome is [Unknown], as that of its completion as Unknown is.
	Invoked, Completed int64
	// Outcome is OK, Fail or Unknown.
	Outcome Kind
	Result  json.RawMessage
	Error   string
	// Ended is when its completion was written; [Never] if none was.
	Ended int64
	// Notes are those about it, in the order of their times.
	Notes []Event
}

// ArgsInto reads the arguments into v, a pointer.
func (o *Operation) ArgsInto(v any) error { return decode(o.Name+" arguments", o.Args, v) }

// ResultInto reads the result into v, a pointer.
func (o *Operation) ResultInto(v any) error { return decode(o.Name+" result", o.Result, v) }

type key struct {
	client string
	op     int64
}

// Operations returns the operations in the order in which they began. An event of an operation that
// was never begun is left out: its client has been killed, and another was given the same name.
func (h *History) Operations() []*Operation {
	var out []*Operation
	byKey := map[key]*Operation{}
	for i := range h.Events {
		e := &h.Events[i]
		if e.Kind != Invoke {
			continue
		}
		o := &Operation{
			Process: e.Process, Client: e.Client, Op: e.Op, Name: e.Name, Args: e.Args,
			Invoked: e.Time, Completed: Never, Ended: Never, Outcome: Unknown,
		}
		byKey[key{e.Client, e.Op}] = o
		out = append(out, o)
	}
	for i := range h.Events {
		e := &h.Events[i]
		o := byKey[key{e.Client, e.Op}]
		if o == nil || e.Kind == Invoke {
			continue
		}
		switch e.Kind {
		case Note:
			o.Notes = append(o.Notes, *e)
			continue
		case OK, Fail:
			o.Completed = e.Time
		default:
		}
		o.Outcome, o.Result, o.Error, o.Ended = e.Kind, e.Result, e.Error, e.Time
	}
	slices.SortStableFunc(out, func(a, b *Operation) int { return cmp.Compare(a.Invoked, b.Invoked) })
	return out
}

// Notes returns the notes of a name that are about no operation, such as those about faults.
func (h *History) Notes(name string) []Event {
	var out []Event
	for _, e := range h.Events {
		if e.Kind == Note && e.Op == 0 && e.Name == name {
			out = append(out, e)
		}
	}
	return out
}

// Span is the time from the first event to the last, in nanoseconds.
func (h *History) Span() int64 {
	if len(h.Events) == 0 {
		return 0
	}
	return h.Events[len(h.Events)-1].Time - h.Events[0].Time
}
