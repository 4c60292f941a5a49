package run

import (
	"github.com/zookit/zookit/integration/bench/count"
	"github.com/zookit/zookit/integration/bench/work"
)

// Result is one sample of a peer in a row, and where it was taken.
type Result struct {
	Group string `json:"group"`
	Row   string `json:"row"`
	Peer  string `json:"peer"`
	// Round is from 1; a Result with Counts has round 0, and its times are of no use.
	Round  int           `json:"round"`
	Sample work.Sample   `json:"sample"`
	Counts *count.Counts `json:"counts,omitempty"`
	// Error is why there is no sample; "absent" if the peer lacks the work.
	Error string `json:"error,omitempty"`
}
