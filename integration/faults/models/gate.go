package models

import (
	"fmt"

	"github.com/anishathalye/porcupine"

	"github.com/zookit/zookit/integration/faults/history"
)

// RuleGate is the rule of a barrier.
const RuleGate = "a barrier is closed and opened by whom it says, and lets nobody through while it is closed"

// Operations of a barrier.
const (
	// CloseGate closes it, OpenGate opens it; their results are a [GateResult].
	CloseGate = "close"
	OpenGate  = "open"
	// PassGate waits until it is open.
	PassGate = "pass"
)

// GateResult is the result of closing or opening a barrier.
type GateResult struct {
	// Done tells that it was this call that did it.
	Done bool `json:"done"`
}

// gate is open at first.
var gate = porcupine.Model{
	Init: func() any { return false },
	Step: func(state, input, output any) (bool, any) {
		closed, name := state.(bool), input.(string)
		out, known := output.(GateResult)
		switch name {
		case CloseGate:
			return !known || out.Done == !closed, true
		case OpenGate:
			return !known || out.Done == closed, false
		default:
			return !closed, closed
		}
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%v → %+v", input, output) },
	DescribeState: func(state any) string {
		if state.(bool) {
			return "closed"
		}
		return "open"
	},
}

// Gate checks that closing, opening and waiting are linearizable.
func Gate(h *history.History) []Violation {
	var steps []step
	for _, o := range h.Operations() {
		switch {
		case o.Outcome == history.Fail || o.Name == PassGate && o.Outcome != history.OK:
			continue
		case o.Name == CloseGate || o.Name == OpenGate:
			var res GateResult
			if err := o.ResultInto(&res); err != nil {
				return []Violation{{Rule: RuleHistory, Text: err.Error()}}
			}
			if o.Outcome == history.OK {
				steps = append(steps, step{o, o.Name, res})
			} else {
				steps = append(steps, step{o, o.Name, nil})
			}
		case o.Name == PassGate:
			steps = append(steps, step{o, o.Name, GateResult{}})
		}
	}
	return linear(RuleGate, gate, steps)
}
