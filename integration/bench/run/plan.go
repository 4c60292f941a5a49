package run

import (
	"fmt"

	"github.com/zookit/zookit/integration/bench/work"
)

// Row is a work with its numbers.
type Row struct {
	// Name is unique.
	Name string
	work.Spec
	// CountOps is how many operations are made to count what they cost; 0 counts nothing.
	CountOps int
	// Only are the peers that the row is for; all if there are none.
	Only []string
	// Long rows are measured on demand only.
	Long bool
}

// Group is rows that are measured together, interleaved: ratios are of rows of one group.
type Group struct {
	Name string
	Rows []Row
	// Stub has the group measured against a server that costs nothing, instead of the ensemble.
	Stub bool
}

// brief is for how long rates are measured in each round, in milliseconds: on a machine that others use, too, many short rounds
// tell more than a few long ones.
const brief = 300

// warmth is how much longer, or how much more, is done to warm up.
const warmth = 3

// crowd is the greatest number of sessions that contenders have; they share them where they are more.
const crowd = 100

// Plan is all that is measured.
func Plan() []Group {
	return []Group{
		{Name: "stub", Stub: true, Rows: []Row{stubbed(1), stubbed(16), stubbed(128)}},
		{Name: "nodes", Rows: nodes()},
		{Name: "lock", Rows: []Row{
			{Name: "lock.floor", Spec: work.Spec{Work: "lock.floor", Millis: brief}, CountOps: 100, Only: []string{"go-zookeeper"}},
			{Name: "lock.uncontended", Spec: work.Spec{Work: "lock.uncontended", Millis: brief}, CountOps: 100},
		}},
		{Name: "handover", Rows: crowds("lock.handover", 500, 10, 20, 50, 100)},
		{Name: "drain", Rows: drains()},
		{Name: "election", Rows: append(crowds("election.resign", 100, 10),
			Row{Name: "quorum write", Spec: work.Spec{Work: "set", Inflight: 1, Size: 100, Millis: brief}, Only: []string{"go-zookeeper"}})},
		{Name: "election-growth", Rows: crowds("election.resign", 100, 100, 1000)},
		{Name: "crash", Rows: []Row{{Name: "election.crash", Spec: work.Spec{Work: "election.crash", Ops: 1}}}},
		{Name: "semaphore", Rows: crowds("semaphore", 200, 20)},
		{Name: "queue", Rows: queues(100)},
		{Name: "queue-10k", Rows: queues(10_000)},
		{Name: "queue-growth", Rows: queueGrowth()},
		{Name: "counter", Rows: crowds("counter", 2000, 1, 10, 200)},
		{Name: "config", Rows: configs()},
		{Name: "group", Rows: []Row{{
			Name: "group.join/1000", CountOps: 1000,
			Spec: work.Spec{Work: "group.join", Clients: 1000, Sessions: crowd, Size: 20},
		}}},
		{Name: "connect", Rows: []Row{{Name: "connect", Spec: work.Spec{Work: "connect", Ops: 20}, CountOps: 5}}},
		{Name: "idle", Rows: []Row{{Name: "idle", Spec: work.Spec{Work: "idle", Clients: 20}}}},
	}
}

func pipelined(name string, inflight int) Row {
	return Row{
		Name: fmt.Sprintf("%s/%d", name, inflight), CountOps: 1000,
		Spec: work.Spec{Work: name, Inflight: inflight, Size: 100, Millis: brief},
	}
}

func nodes() (rows []Row) {
	for _, name := range []string{"get", "set", "create"} {
		for _, inflight := range []int{1, 16, 128} {
			rows = append(rows, pipelined(name, inflight))
		}
	}
	return rows
}

func crowds(name string, countOps int, clients ...int) (rows []Row) {
	for _, n := range clients {
		rows = append(rows, Row{
			Name: fmt.Sprintf("%s/%d", name, n), CountOps: countOps,
			Spec: work.Spec{Work: name, Clients: n, Sessions: crowd, Millis: brief},
		})
	}
	return rows
}

// drains measure the grants at the head of a line that stays long.
func drains() (rows []Row) {
	for _, n := range []int{10, 100, 1000, 10_000} {
		ops := min(100, n/2)
		rows = append(rows, Row{
			Name: fmt.Sprintf("lock.drain/%d", n), CountOps: ops, Long: n > 1000,
			Spec: work.Spec{Work: "lock.drain", Clients: n, Sessions: crowd / 2, Ops: ops, Timeout: 30_000},
		})
	}
	return rows
}

func queues(size int) []Row {
	return []Row{
		{
			Name: fmt.Sprintf("queue.single.put/%d", size), CountOps: 100,
			Spec: work.Spec{Work: "queue.single.put", Size: size, Millis: brief},
		},
		{
			Name: fmt.Sprintf("queue.single.take/%d", size), CountOps: 100,
			Spec: work.Spec{Work: "queue.single.take", Size: size, Ops: 300},
		},
		{
			Name: fmt.Sprintf("queue.batch.put/%d", size), CountOps: 1000,
			Spec: work.Spec{Work: "queue.batch.put", Size: size, Inflight: batchOf(size), Ops: 3000},
		},
		{
			Name: fmt.Sprintf("queue.batch.take/%d", size), CountOps: 1000,
			Spec: work.Spec{Work: "queue.batch.take", Size: size, Inflight: batchOf(size), Ops: 3000},
		},
	}
}

// batchOf is how many items of a size fit into one request.
func batchOf(size int) int { return min(100, 500_000/size) }

func queueGrowth() (rows []Row) {
	for _, n := range []int{10, 100, 1000, 10_000} {
		rows = append(rows, Row{
			Name: fmt.Sprintf("queue.single.take/of %d", n), CountOps: n, Long: n > 1000,
			Spec: work.Spec{Work: "queue.single.take", Size: 100, Ops: n},
		})
	}
	return rows
}

func configs() (rows []Row) {
	for _, n := range []int{1, 10, 100, 1000, 10_000} {
		rows = append(rows, Row{
			Name: fmt.Sprintf("config.watch/%d", n), CountOps: 5, Long: n > 1000,
			Spec: work.Spec{Work: "config.watch", Clients: n, Sessions: crowd, Size: 100, Ops: 10},
		})
	}
	return rows
}

func stubbed(inflight int) Row {
	row := pipelined("get", inflight)
	row.Name = "stub " + row.Name
	return row
}
