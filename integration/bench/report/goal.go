package report

import (
	"fmt"
	"math"

	"github.com/zookit/zookit/integration/bench/peers"
)

// Kind is how a goal compares ours with theirs.
type Kind int

const (
	// Ratio: ours divided by theirs, of the same round.
	Ratio Kind = iota
	// Beyond: ours less theirs.
	Beyond
	// Alone: ours, compared with nobody's.
	Alone
)

// Goal is a figure to reach.
type Goal struct {
	// Title says what for.
	Title  string
	Metric Metric
	Kind   Kind
	// Row is of ours, Of of theirs; empty for the same.
	Row, Of string
	// Peers are those of whom the best counts.
	Peers []string
	// Bound is to be reached at least, or not to be exceeded.
	Bound   float64
	AtLeast bool
}

// Verdict is what came of a goal.
type Verdict struct {
	Goal
	// Rival is the peer that was the best; Ours and Theirs are the medians.
	Rival        string
	Ours, Theirs float64
	// Reached is the ratio, the difference, or ours, over the rounds.
	Reached Spread
}

// Judge compares.
func (g Goal) Judge(rs Results) Verdict {
	v := Verdict{Goal: g, Ours: rs.Of(g.Row, peers.Ours, g.Metric).Median, Theirs: math.NaN(), Reached: spreadOf(nil)}
	if g.Kind == Alone {
		v.Reached = rs.Of(g.Row, peers.Ours, g.Metric)
		return v
	}
	row := g.Of
	if row == "" {
		row = g.Row
	}
	for _, peer := range g.Peers {
		m := rs.Of(row, peer, g.Metric).Median
		if better := m > v.Theirs; math.IsNaN(v.Theirs) || (better == g.AtLeast && m != v.Theirs) {
			if !math.IsNaN(m) {
				v.Theirs, v.Rival = m, peer
			}
		}
	}
	ours, theirs := rs.values(g.Row, peers.Ours, g.Metric), rs.values(row, v.Rival, g.Metric)
	var reached []float64
	for round, a := range ours {
		if b, ok := theirs[round]; ok {
			if g.Kind == Beyond {
				reached = append(reached, a-b)
			} else {
				reached = append(reached, a/b)
			}
		}
	}
	v.Reached = spreadOf(reached)
	return v
}

// Met tells whether the goal is reached, by the median; known is false if nothing was measured.
func (v Verdict) Met() (met, known bool) {
	if v.Reached.N == 0 {
		return false, false
	}
	if v.AtLeast {
		return v.Reached.Median >= v.Bound, true
	}
	return v.Reached.Median <= v.Bound, true
}

// goal shortens the list of goals.
func goal(title string, m Metric, row string, sign string, bound float64, rivals ...string) Goal {
	return Goal{Title: title, Metric: m, Row: row, Peers: rivals, Bound: bound, AtLeast: sign == "≥"}
}

// of compares with another row of theirs.
func (g Goal) of(row string) Goal {
	g.Of = row
	return g
}

func (g Goal) kind(k Kind) Goal {
	g.Kind = k
	return g
}

const (
	gozk    = "go-zookeeper"
	kazoo   = "Kazoo"
	curator = "Curator"
	etcd    = "etcd"
)

// Goals are the figures that zookit is to reach.
func Goals() []Goal {
	all := []Goal{
		goal("pipelined gets, a server that costs nothing, 128 in flight", Rate, "stub get/128", "≥", 2, gozk),
		goal("pipelined gets, a server that costs nothing, 128 in flight", CPU, "stub get/128", "≤", 0.5, gozk),
		goal("pipelined gets, a server that costs nothing, 128 in flight", Allocs, "stub get/128", "≤", 10).kind(Alone),
		goal("pipelined gets, an ensemble, 128 in flight", Rate, "get/128", "≥", 1, gozk),
		goal("pipelined gets, an ensemble, 128 in flight", Rate, "get/128", "≥", 1.3, curator),
		goal("pipelined gets, an ensemble, 128 in flight", Rate, "get/128", "≥", 2, kazoo),
		goal("lock + unlock, uncontended; the limit is create + delete", Rate, "lock.uncontended", "≥", 0.95, gozk).of("lock.floor"),
		goal("lock + unlock, uncontended", Rate, "lock.uncontended", "≥", 1, gozk),
		goal("lock + unlock, uncontended", Rate, "lock.uncontended", "≥", 1.5, curator),
		goal("lock + unlock, uncontended", Rate, "lock.uncontended", "≥", 1.6, kazoo),
		goal("lock + unlock, uncontended", Rate, "lock.uncontended", "≥", 1, etcd),
	}
	for _, n := range []int{10, 50, 100} {
		title, row := fmt.Sprintf("hand-over, %d contenders", n), fmt.Sprintf("lock.handover/%d", n)
		all = append(all,
			goal(title, Rate, row, "≥", 1.1, gozk),
			goal(title, Rate, row, "≥", 2, curator),
			goal(title, Rate, row, "≥", 2, kazoo))
	}
	return append(all,
		goal("hand-over, 20 contenders", Rate, "lock.handover/20", "≥", 2, etcd),
		goal("hand-over in a line of 1,000", Received, "lock.drain/1000", "≤", 0.05, curator),
		goal("hand-over, from a line of 1,000 to one of 10,000", Received, "lock.drain/10000", "≤", 1.5, peers.Ours).of("lock.drain/1000"),
		goal("queue, batched put, 100 B", Rate, "queue.batch.put/100", "≥", 10, kazoo, curator).of("queue.single.put/100"),
		goal("queue, batched take with acknowledgement, 100 B", Rate, "queue.batch.take/100", "≥", 10, kazoo, curator).of("queue.single.take/100"),
		goal("queue, one at a time, leased, 100 B", Rate, "queue.single.take/100", "≥", 3, kazoo),
		goal("counter, 200 clients", Rate, "counter/200", "≥", 3, kazoo, curator),
		goal("resign to next leader acting; theirs is one quorum write", Latency, "election.resign/10", "≤", 2.5, gozk).of("quorum write"),
		goal("idle client, with all of its buffers", Heap, "idle", "≤", 300).kind(Alone),
		goal("idle client", Goroutines, "idle", "≤", 6).kind(Alone),
	)
}
