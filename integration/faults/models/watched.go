package models

import (
	"fmt"

	"github.com/zookit/zookit/integration/faults/history"
)

// Rules of watches.
const (
	RuleMissed = "who follows a watch misses nothing"
	RuleEarly  = "an event is there before any read that shows what it is about"
)

// Notes of who follows a watch.
const (
	// Missed is noted at the end, if the view is not the truth though nothing changes any more; its arguments are a [Difference].
	Missed = "missed"
	// Settled is noted at the end otherwise.
	Settled = "settled"
	// Early is noted of a read that shows a change of which no event has told; its arguments are a [Glance].
	Early = "early"
)

// Difference is what differs between a view and the truth.
type Difference struct {
	Text string `json:"text"`
}

// Glance is a read that shows more than the events have told.
type Glance struct {
	Path string `json:"path"`
	// View and Read are transactions: the last that was known of, and the one that was read.
	View int64 `json:"view"`
	Read int64 `json:"read"`
}

// Watched checks the notes of those who follow watches.
func Watched(h *history.History) []Violation {
	var out []Violation
	for _, e := range h.Notes(Missed) {
		out = append(out, Violation{Rule: RuleMissed, Text: fmt.Sprintf("%s at %v: %s", e.Client, duration(e.Time), e.Args)})
	}
	for _, e := range h.Notes(Early) {
		out = append(out, Violation{Rule: RuleEarly, Text: fmt.Sprintf("%s at %v: %s", e.Client, duration(e.Time), e.Args)})
	}
	return out
}
