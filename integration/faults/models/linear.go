package models

import (
	"fmt"
	"io"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/zookit/zookit/integration/faults/history"
)

// judging bounds what porcupine may think about one history.
const judging = 20 * time.Second

// RuleUndecided is a violation of the laboratory's own: porcupine did not come to an end.
const RuleUndecided = "the history can be judged"

// step is one operation for porcupine.
type step struct {
	op *history.Operation
	// input and output are what the model's Step gets. An output of nil is an unknown one.
	input, output any
}

// linear asks porcupine whether the operations can be put in an order, each between its beginning and its end,
// in which the model explains them.
func linear(rule string, model porcupine.Model, steps []step) []Violation {
	ids := map[string]int{}
	ops := make([]porcupine.Operation, 0, len(steps))
	for _, s := range steps {
		id, ok := ids[s.op.Client]
		if !ok {
			id = len(ids)
			ids[s.op.Client] = id
		}
		ops = append(ops, porcupine.Operation{
			ClientId: id, Input: s.input, Output: s.output, Call: s.op.Invoked, Return: s.op.Completed,
			Metadata: fmt.Sprintf("%s of %s, operation %d", s.op.Client, s.op.Process, s.op.Op),
		})
	}
	model.DescribeOperationMetadata = func(info any) string { return fmt.Sprint(info) }
	result, info := porcupine.CheckOperationsVerbose(model, ops, judging)
	picture := func(w io.Writer) error { return porcupine.Visualize(model, info, w) }
	switch result {
	case porcupine.Ok:
		return nil
	case porcupine.Illegal:
		return []Violation{{Rule: rule, Text: fmt.Sprintf("no order of the %d operations explains what they returned", len(ops)), Picture: picture}}
	default:
		return []Violation{{Rule: RuleUndecided, Text: fmt.Sprintf("%s: %d operations were not judged within %v", rule, len(ops), judging), Picture: picture}}
	}
}
