package models

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/zookit/zookit/integration/faults/history"
)

// Rules of a queue.
const (
	RuleHandedOut = "what is handed out has been put"
	RuleDuplicate = "an id is put once, and no put is refused for one that the queue does not know"
	RuleAttempts  = "an item that is handed out again says so"
	RuleSpent     = "an item is acknowledged, or popped, once, and not handed out afterwards"
	RuleLost      = "an item that was put is handed out until it is acknowledged"
	RuleDue       = "a delayed item is not handed out before its time"
	RuleOrder     = "no item is passed over for one that comes after it"
	RuleDrained   = "a queue can be emptied"
)

// Operations of a queue. What is taken is held as well: an [Acquire] for each item, named by its value, follows a Take.
const (
	// Put is of one item, also if several were put together; its arguments are an [Item], its result a [PutResult].
	Put = "put"
	// Take leases items; its arguments are a [QueueArgs], its result a [TakeResult].
	Take = "take"
	// Pop takes one out; arguments and result are those of a Take.
	Pop = "pop"
	// Ack acknowledges an item, and Nack gives it back; their arguments are a [Settlement].
	Ack  = "ack"
	Nack = "nack"
)

// Notes of a queue.
const (
	// Popped is noted about a Pop with an unknown outcome: its arguments are the [Taken] that it concerns.
	Popped = "popped"
	// Drained is noted at the end, when the queue is empty, and Undrained if that did not come about; their arguments
	// are a [QueueArgs].
	Drained   = "drained"
	Undrained = "undrained"
	// Waiting is noted at the end of an item that is not due for long, since a clock was wrong when it was delayed; its
	// arguments are an [Item].
	Waiting = "waiting"
)

// Item is an item of a queue. Its value tells it from all others.
type Item struct {
	Queue    string `json:"queue,omitempty"`
	Value    string `json:"value"`
	Priority int    `json:"priority,omitempty"`
	// Delay is in nanoseconds.
	Delay int64 `json:"delay,omitempty"`
	// Named tells that the value is also its id, by which the queue knows it.
	Named bool `json:"named,omitempty"`
}

// PutResult is the result of a [Put].
type PutResult struct {
	// Duplicate tells that the queue knew the id, and has added nothing.
	Duplicate bool `json:"duplicate,omitempty"`
}

// QueueArgs names a queue of a run with several. The order of one whose name is not empty is that of arrival, also within a priority:
// one client at a time takes from it.
type QueueArgs struct {
	Queue string `json:"queue,omitempty"`
}

// Taken is an item that was handed out.
type Taken struct {
	Value string `json:"value"`
	// Attempt is how often it had been handed out then.
	Attempt int `json:"attempt"`
}

// TakeResult is the result of a [Take].
type TakeResult struct {
	Items []Taken `json:"items"`
}

// Settlement are the arguments of an [Ack]: the item, and which time of being handed out it settles.
type Settlement struct {
	Queue string `json:"queue,omitempty"`
	Taken
	// Delay is of a Nack, in nanoseconds.
	Delay int64 `json:"delay,omitempty"`
}

// delivery is an item being handed out.
type delivery struct {
	op      *history.Operation
	attempt int
	popped  bool
}

func (d *delivery) String() string {
	return fmt.Sprintf("attempt %d of %s (%s %d, %v to %v)", d.attempt, d.op.Client, d.op.Name, d.op.Op, duration(d.op.Invoked), duration(d.op.Completed))
}

// piece is all that a history tells of one item.
type piece struct {
	Item
	puts       []*history.Operation // that did not fail
	added      int                  // of them, those that say that they have added it
	in         int64                // when it was in the queue for certain; history.Never if that is not known
	deliveries []*delivery          // that are certain, by their attempts
	acks       map[int]history.Kind // by attempt: OK if one of them is
	doubtful   bool                 // it may have been popped
	waiting    bool
}

// line is one queue.
type line struct {
	name    string
	pieces  []*piece
	takes   []*history.Operation // and pops, in the order in which they began
	unknown int                  // pops of which nobody knows what they have taken
	drained bool
}

// ledger is all that a history tells of its queues.
type ledger struct {
	lines   map[string]*line
	names   []string
	pieces  map[string]*piece
	content map[*history.Operation][]*piece // of a take
	out     []Violation
}

func (l *ledger) violated(rule, format string, args ...any) {
	l.out = append(l.out, Violation{Rule: rule, Text: fmt.Sprintf(format, args...)})
}

func (l *ledger) line(name string) *line {
	if l.lines[name] == nil {
		l.lines[name] = &line{name: name}
		l.names = append(l.names, name)
	}
	return l.lines[name]
}

// Queues checks the history of queues; see the rules. [Exclusive] and [Tokens] check the leases.
func Queues(h *history.History) []Violation {
	l := &ledger{lines: map[string]*line{}, pieces: map[string]*piece{}, content: map[*history.Operation][]*piece{}}
	ops := h.Operations()
	for _, read := range []func(*history.Operation) error{l.readPut, l.readTake, l.readAck} {
		for _, o := range ops {
			if err := read(o); err != nil {
				return []Violation{{Rule: RuleHistory, Text: err.Error()}}
			}
		}
	}
	if err := l.readNotes(h); err != nil {
		return []Violation{{Rule: RuleHistory, Text: err.Error()}}
	}
	jumped := clockJumped(h)
	for _, name := range l.names {
		q := l.lines[name]
		for _, p := range q.pieces {
			slices.SortStableFunc(p.deliveries, func(a, b *delivery) int { return cmp.Compare(a.attempt, b.attempt) })
			if jumped && len(p.puts) > 1 {
				continue // ids are remembered by the clocks of consumers
			}
			l.checkPuts(p)
			l.checkAttempts(p)
			l.checkOnce(p)
			if !jumped {
				l.checkDue(p)
			}
		}
		l.checkLost(q)
		l.checkOrder(q)
	}
	return l.out
}

// clockJumped tells whether the wall clock of a process was set: delays go by it.
func clockJumped(h *history.History) bool {
	return slices.ContainsFunc(h.Notes(history.Fault), func(e history.Event) bool {
		var d history.Disturbance
		return e.Into(&d) == nil && d.Kind == "clock-jumped"
	})
}

func (l *ledger) readPut(o *history.Operation) error {
	if o.Name != Put {
		return nil
	}
	var it Item
	var res PutResult
	if err := o.ArgsInto(&it); err != nil {
		return err
	}
	if err := o.ResultInto(&res); err != nil {
		return err
	}
	p := l.pieces[it.Value]
	if p == nil {
		p = &piece{Item: it, in: history.Never, acks: map[int]history.Kind{}}
		l.pieces[it.Value] = p
		q := l.line(it.Queue)
		q.pieces = append(q.pieces, p)
	}
	switch {
	case o.Outcome == history.Fail:
		return nil
	case o.Outcome == history.OK && res.Duplicate:
		if !slices.ContainsFunc(p.puts, func(other *history.Operation) bool { return other.Invoked <= o.Completed }) {
			l.violated(RuleDuplicate, "%s was told at %v that the queue has %s, which nobody had put", o.Client, duration(o.Ended), it.Value)
		}
	case o.Outcome == history.OK:
		p.added++
	}
	if o.Outcome == history.OK {
		p.in = min(p.in, o.Completed)
	}
	p.puts = append(p.puts, o)
	return nil
}

func (l *ledger) readTake(o *history.Operation) error {
	if o.Name != Take && o.Name != Pop {
		return nil
	}
	var args QueueArgs
	var res TakeResult
	if err := o.ArgsInto(&args); err != nil {
		return err
	}
	if err := o.ResultInto(&res); err != nil {
		return err
	}
	q := l.line(args.Queue)
	q.takes = append(q.takes, o)
	for _, t := range res.Items {
		p := l.pieces[t.Value]
		if p == nil || !slices.ContainsFunc(p.puts, func(put *history.Operation) bool { return put.Invoked <= o.Completed }) {
			l.violated(RuleHandedOut, "%s got %q at %v", o.Client, t.Value, duration(o.Ended))
			continue
		}
		p.deliveries = append(p.deliveries, &delivery{op: o, attempt: t.Attempt, popped: o.Name == Pop})
		l.content[o] = append(l.content[o], p)
	}
	if o.Name != Pop || o.Outcome != history.Unknown {
		return nil
	}
	for _, n := range o.Notes {
		var t Taken
		if n.Name == Popped && n.Into(&t) == nil && l.pieces[t.Value] != nil {
			l.pieces[t.Value].doubtful = true
			return nil
		}
	}
	q.unknown++
	return nil
}

func (l *ledger) readAck(o *history.Operation) error {
	if o.Name != Ack || o.Outcome == history.Fail {
		return nil
	}
	var args Settlement
	if err := o.ArgsInto(&args); err != nil {
		return err
	}
	if p := l.pieces[args.Value]; p != nil && p.acks[args.Attempt] != history.OK {
		p.acks[args.Attempt] = o.Outcome
	}
	return nil
}

func (l *ledger) readNotes(h *history.History) error {
	for _, e := range h.Notes(Waiting) {
		var it Item
		if err := e.Into(&it); err != nil {
			return err
		}
		if p := l.pieces[it.Value]; p != nil {
			p.waiting = true
		}
	}
	for _, name := range []string{Drained, Undrained} {
		for _, e := range h.Notes(name) {
			var args QueueArgs
			if err := e.Into(&args); err != nil {
				return err
			}
			if name == Undrained {
				l.violated(RuleDrained, "%s at %v: %s", e.Client, duration(e.Time), e.Args)
			} else {
				l.line(args.Queue).drained = true
			}
		}
	}
	return nil
}

func (l *ledger) checkPuts(p *piece) {
	if p.added > 1 {
		l.violated(RuleDuplicate, "%s was added by %d puts", p.Value, p.added)
	}
}

// checkAttempts: no two have the same, and none that was asked for later has a smaller one.
func (l *ledger) checkAttempts(p *piece) {
	for i, a := range p.deliveries {
		for _, b := range p.deliveries[i+1:] {
			if a.attempt == b.attempt || b.op.Completed < a.op.Invoked {
				l.violated(RuleAttempts, "%s: %v and %v", p.Value, a, b)
			}
		}
	}
}

// checkOnce: what was acknowledged, or popped, is gone.
func (l *ledger) checkOnce(p *piece) {
	for i, d := range p.deliveries {
		if !d.popped && p.acks[d.attempt] != history.OK {
			continue
		}
		if later := p.deliveries[i+1:]; len(later) > 0 {
			l.violated(RuleSpent, "%s was gone with %v, and there is %v", p.Value, d, later[0])
		}
	}
}

func (l *ledger) checkDue(p *piece) {
	if p.Delay == 0 || len(p.deliveries) == 0 || len(p.puts) == 0 {
		return
	}
	const rounding = 2_000_000 // to milliseconds
	first := p.puts[0].Invoked
	for _, o := range p.puts {
		first = min(first, o.Invoked)
	}
	for _, d := range p.deliveries {
		if d.op.Completed < first+p.Delay-rounding {
			l.violated(RuleDue, "%s was put at %v for %v later, and handed out as %v", p.Value, duration(first), duration(p.Delay), d)
			return
		}
	}
}

// checkLost: what is not there any more has been taken out by somebody. A pop whose process died has taken out one at most,
// and nobody knows which.
func (l *ledger) checkLost(q *line) {
	if !q.drained {
		return
	}
	var missing []*piece
	for _, p := range q.pieces {
		gone := p.in == history.Never || len(p.acks) > 0 || p.doubtful || p.waiting ||
			slices.ContainsFunc(p.deliveries, func(d *delivery) bool { return d.popped })
		if !gone {
			missing = append(missing, p)
		}
	}
	if len(missing) <= q.unknown {
		return
	}
	for _, p := range missing {
		l.violated(RuleLost, "%s, in queue %q since %v, was handed out %d times, and is gone (one of %d; %d pops can have taken one)",
			p.Value, q.name, duration(p.in), len(p.deliveries), len(missing), q.unknown)
	}
}
