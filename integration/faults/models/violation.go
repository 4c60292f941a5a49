package models

import (
	"fmt"
	"io"
	"strings"
)

// Violation is a promise that was not kept.
type Violation struct {
	// Rule names what was promised, in few words: "one holder at a time".
	Rule string
	// Text says what was seen instead: who, when, with which tokens.
	Text string
	// Picture writes the history around it as a page of HTML; nil where there is none.
	Picture func(w io.Writer) error
}

// String returns the rule and what was seen.
func (v Violation) String() string { return v.Rule + ": " + v.Text }

// Lines puts violations under each other, each after a dash.
func Lines(vs []Violation) string {
	var b strings.Builder
	for _, v := range vs {
		fmt.Fprintf(&b, "- %s\n", v)
	}
	return b.String()
}
