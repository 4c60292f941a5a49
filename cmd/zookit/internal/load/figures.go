package load

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/zookit/zookit/cmd/zookit/internal/output"
)

// tally is what one worker has measured of one kind of work. It belongs to that worker until it has ended.
type tally struct {
	took   []time.Duration // of what succeeded
	failed int
	why    error // of the first that failed
}

// figure is what was measured of one kind of work.
type figure struct {
	Work   string  `json:"work"`
	Count  int     `json:"count"`  // that succeeded
	Errors int     `json:"errors"` // that did not
	Rate   float64 `json:"perSecond"`
	// Half, and so many of a hundred, took no longer.
	Median millis `json:"p50Ms"`
	P95    millis `json:"p95Ms"`
	P99    millis `json:"p99Ms"`
	Most   millis `json:"maxMs"`
	Error  string `json:"error,omitempty"` // the first

	why error
}

// millis is a time in milliseconds, with fractions.
type millis float64

// figureOf adds up what the workers have measured in so long.
func figureOf(work string, tallies []*tally, in time.Duration) figure {
	f := figure{Work: work}
	var all []time.Duration
	for _, t := range tallies {
		all = append(all, t.took...)
		f.Errors += t.failed
		if f.why == nil && t.why != nil {
			f.why, f.Error = t.why, t.why.Error()
		}
	}
	slices.Sort(all)
	f.Count, f.Rate = len(all), float64(len(all))/in.Seconds()
	f.Median, f.P95, f.P99, f.Most = quantile(all, 0.5), quantile(all, 0.95), quantile(all, 0.99), quantile(all, 1)
	return f
}

// quantile is the time within which a part of all was done.
func quantile(sorted []time.Duration, part float64) millis {
	if len(sorted) == 0 {
		return 0
	}
	at := min(len(sorted)-1, int(part*float64(len(sorted))))
	return millis(float64(sorted[at].Microseconds()) / 1000)
}

// result is what a bench prints.
type result struct {
	Workers int      `json:"workers"`
	Clients int      `json:"clients"`
	Seconds float64  `json:"seconds"` // of each kind of work
	Bytes   int      `json:"bytes"`
	Work    []figure `json:"work"`
}

// Table implements [output.Document].
func (r *result) Table() output.Table {
	t := output.Table{Header: []string{"WORK", "COUNT", "ERRORS", "PER SECOND", "P50", "P95", "P99", "MAX"}}
	ms := func(m millis) string { return fmt.Sprintf("%.2f ms", m) }
	for _, f := range r.Work {
		t.Rows = append(t.Rows, []string{f.Work, fmt.Sprint(f.Count), fmt.Sprint(f.Errors), fmt.Sprintf("%.0f", f.Rate), ms(f.Median), ms(f.P95), ms(f.P99), ms(f.Most)})
	}
	return t
}

// Raw implements [output.Document]: a line for each kind of work, of its name, its number and how many a second.
func (r *result) Raw() []byte {
	var out strings.Builder
	for _, f := range r.Work {
		fmt.Fprintf(&out, "%s\t%d\t%.1f\n", f.Work, f.Count, f.Rate)
	}
	return []byte(out.String())
}
