package report

import "github.com/zookit/zookit/integration/bench/run"

// figures are the columns of the long table.
var figures = []Metric{Rate, Quiet, Latency, Tail, CPU, Requests, Flights, Sent, Received, Allocs, Syscalls}

// memory are those of rows that measure what is kept.
var memory = []Metric{Heap, Goroutines, WaiterHeap, WaiterGo}

// Figures is the table of all that was measured, one line for each row and peer.
func Figures(rs Results) Table { return rs.tabulate(figures, []string{"failed"}) }

// Memory is the table of what idle clients and waiters keep.
func Memory(rs Results) Table { return rs.tabulate(memory, nil) }

func (rs Results) tabulate(metrics []Metric, last []string) Table {
	t := Table{Head: []string{"row", "library"}}
	for _, m := range metrics {
		name := m.Name
		if m.Unit != "" {
			name += ", " + m.Unit
		}
		t.Head = append(t.Head, name)
	}
	t.Head = append(t.Head, last...)
	seen := map[cell]bool{}
	for _, r := range rs.all {
		at := cell{r.Row, r.Peer}
		if seen[at] {
			continue
		}
		seen[at] = true
		line, found := []string{r.Row, r.Peer}, false
		for _, m := range metrics {
			s := rs.Of(r.Row, r.Peer, m)
			line, found = append(line, number(s.Median)), found || s.N > 0
		}
		why := rs.failure(at)
		if !found && (why == "" || why == "absent" || len(last) == 0) {
			continue
		}
		if len(last) > 0 {
			line = append(line, why)
		}
		t.Lines = append(t.Lines, line)
	}
	return t
}

// failure is the error of a peer in a row, if there is one.
func (rs Results) failure(at cell) string {
	for _, r := range rs.all {
		if r.Row == at.row && r.Peer == at.peer && r.Error != "" {
			return r.Error
		}
	}
	return ""
}

// Rows are the results of the given rows.
func (rs Results) Rows(keep func(r run.Result) bool) Results {
	var some []run.Result
	for _, r := range rs.all {
		if keep(r) {
			some = append(some, r)
		}
	}
	return NewResults(some)
}
