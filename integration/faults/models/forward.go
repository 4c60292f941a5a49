package models

import (
	"fmt"

	"github.com/zookit/zookit/integration/faults/history"
)

// RuleForward is the rule of who looks on.
const RuleForward = "nobody is shown what has been succeeded"

// Seen is what somebody who looks on has seen.
type Seen struct {
	// Look numbers the looks of a client: within one it does not go back.
	Look int64 `json:"look"`
	// Token grows with each thing that can be seen.
	Token int64 `json:"token"`
}

// Forward checks that the tokens in the notes of that name do not become smaller within one look of a client.
func Forward(h *history.History, name string) []Violation {
	type key struct {
		client string
		look   int64
	}
	var out []Violation
	last := map[key]int64{}
	for _, e := range h.Notes(name) {
		var s Seen
		if err := e.Into(&s); err != nil {
			return []Violation{{Rule: RuleHistory, Text: err.Error()}}
		}
		k := key{e.Client, s.Look}
		if s.Token < last[k] {
			out = append(out, Violation{Rule: RuleForward, Text: fmt.Sprintf("%s was shown %d at %v, after %d", e.Client, s.Token, duration(e.Time), last[k])})
		}
		last[k] = max(last[k], s.Token)
	}
	return out
}
