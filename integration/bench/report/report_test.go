package report

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/integration/bench/count"
	"github.com/zookit/zookit/integration/bench/peers"
	"github.com/zookit/zookit/integration/bench/run"
	"github.com/zookit/zookit/integration/bench/work"
)

// rated is a sample of so many operations in a second.
func rated(row, peer string, round, ops int) run.Result {
	return run.Result{Group: "g", Row: row, Peer: peer, Round: round, Sample: work.Sample{
		Ops: ops, Seconds: 1, CPU: 0.5, Latencies: []float64{200, 300, 100},
	}}
}

func counted(row, peer string, ops int, c count.Counts) run.Result {
	return run.Result{Group: "g", Row: row, Peer: peer, Sample: work.Sample{Ops: ops, Seconds: 9}, Counts: &c}
}

func TestSpread(t *testing.T) {
	t.Parallel()
	require.Equal(t, Spread{Median: 2, Least: 1, Greatest: 9, N: 3}, spreadOf([]float64{9, 1, 2}))
	require.Equal(t, Spread{Median: 3, Least: 1, Greatest: 9, N: 4}, spreadOf([]float64{9, 1, 2, 4}))
	require.Equal(t, 1, spreadOf([]float64{math.NaN(), math.Inf(1), 5}).N)
	none := spreadOf(nil)
	require.True(t, math.IsNaN(none.Median))
	require.Zero(t, none.N)
}

func TestRatiosAreOfTheSameRound(t *testing.T) {
	t.Parallel()
	// A machine that is ten times slower in the second round.
	rs := NewResults([]run.Result{
		rated("r", peers.Ours, 1, 2000), rated("r", gozk, 1, 1000),
		rated("r", gozk, 2, 100), rated("r", peers.Ours, 2, 190),
		rated("r", peers.Ours, 3, 2100), rated("r", gozk, 3, 1000),
		rated("r", peers.Ours, 4, 1), // theirs is missing
	})
	v := goal("t", Rate, "r", "≥", 2, gozk).Judge(rs)
	require.InDelta(t, 2, v.Reached.Median, 1e-9)
	require.InDelta(t, 1.9, v.Reached.Least, 1e-9)
	require.InDelta(t, 2.1, v.Reached.Greatest, 1e-9)
	require.Equal(t, 3, v.Reached.N)
	met, known := v.Met()
	require.True(t, met)
	require.True(t, known)
	v.Bound = 2.01
	met, _ = v.Met()
	require.False(t, met)
}

func TestTheBestOfSeveralPeersCounts(t *testing.T) {
	t.Parallel()
	rs := NewResults([]run.Result{
		rated("r", peers.Ours, 1, 1000), rated("r", kazoo, 1, 100), rated("r", curator, 1, 400),
	})
	v := goal("t", Rate, "r", "≥", 3, kazoo, curator, etcd).Judge(rs)
	require.Equal(t, curator, v.Rival)
	require.InDelta(t, 2.5, v.Reached.Median, 1e-9)
	// Of a cost the least is the best.
	v = goal("t", CPU, "r", "≤", 3, kazoo, curator).Judge(rs)
	require.Equal(t, curator, v.Rival)
	v = goal("t", CPU, "r", "≤", 3, curator, kazoo).Judge(rs)
	require.Equal(t, curator, v.Rival)
}

func TestOtherKindsOfGoals(t *testing.T) {
	t.Parallel()
	idle := func(peer string, heap, goroutines float64) run.Result {
		return run.Result{Group: "g", Row: "idle", Peer: peer, Round: 1, Sample: work.Sample{Heap: heap, Goroutines: goroutines}}
	}
	rs := NewResults([]run.Result{
		idle(peers.Ours, 3_200_000, 5), idle(gozk, 3_000_000, 3),
		rated("floor", gozk, 1, 1000), rated("lock", peers.Ours, 1, 970),
		counted("drain", peers.Ours, 10, count.Counts{Received: 5000}), counted("drain", curator, 10, count.Counts{Received: 250_000}),
	})
	v := goal("t", Heap, "idle", "≤", 300, gozk).kind(Beyond).Judge(rs)
	require.InDelta(t, 200, v.Reached.Median, 1e-9)
	v = goal("t", Goroutines, "idle", "≤", 6).kind(Alone).Judge(rs)
	require.InDelta(t, 5, v.Reached.Median, 1e-9)
	v = goal("t", Rate, "lock", "≥", 0.95, gozk).of("floor").Judge(rs)
	require.InDelta(t, 0.97, v.Reached.Median, 1e-9)
	v = goal("t", Received, "drain", "≤", 0.05, curator).Judge(rs)
	require.InDelta(t, 0.02, v.Reached.Median, 1e-9)
	v = goal("t", Rate, "drain", "≥", 1, curator).Judge(rs)
	_, known := v.Met()
	require.False(t, known, "times of what was counted are of no use")
}

func TestTables(t *testing.T) {
	t.Parallel()
	rs := NewResults([]run.Result{
		rated("r", peers.Ours, 1, 12_345), rated("r", gozk, 1, 1000),
		counted("r", peers.Ours, 100, count.Counts{Requests: 300, Flights: 200, Sent: 1000, Received: 2000}),
		{Group: "g", Row: "r", Peer: kazoo, Round: 0, Error: "broken"},
		{Group: "g", Row: "r", Peer: etcd, Round: 0, Error: "absent"},
	})
	goals := []Goal{
		goal("one", Rate, "r", "≥", 2, gozk), goal("two", Rate, "r", "≥", 20, gozk), goal("three", Rate, "r", "≥", 2, kazoo),
		goal("four", Requests, "r", "≤", 3).kind(Alone),
	}
	text := Verdicts(goals, rs).Text()
	require.Contains(t, text, "12,345/s")
	require.Contains(t, text, "go-zookeeper 1,000/s")
	require.Contains(t, text, "12.3")
	require.Contains(t, text, "≥ 2 ×")
	lines := strings.Split(strings.TrimSpace(text), "\n")
	require.Len(t, lines, 5)
	require.True(t, strings.HasSuffix(lines[1], "yes"), lines[1])
	require.True(t, strings.HasSuffix(lines[2], " no"), lines[2])
	require.True(t, strings.HasSuffix(lines[3], "not measured"), lines[3])
	require.True(t, strings.HasSuffix(lines[4], "yes"), lines[4])

	markdown := Figures(rs).Markdown()
	require.Contains(t, markdown, "| r | zookit | 12,345 | 100 | 200 | 300 | 40.5 | 3.00 | 2.00 | 10.0 | 20.0 | – | – |  |")
	require.Contains(t, markdown, "| Kazoo | – |")
	require.Contains(t, markdown, "| broken |")
	require.NotContains(t, markdown, "| etcd |", "what is absent needs no line")
	for line := range strings.Lines(markdown) {
		require.Equal(t, strings.Count(markdown[:strings.Index(markdown, "\n")], "|"), strings.Count(line, "|"))
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{0.123: "0.12", 9.999: "10.00", 12.34: "12.3", 123.4: "123", 1234567: "1,234,567", -3114: "-3,114", -100: "-100"} {
		require.Equal(t, want, number(v))
	}
	require.Equal(t, missing, number(math.NaN()))
}

func TestGrowthIsDrawn(t *testing.T) {
	t.Parallel()
	var all []run.Result
	for _, n := range []string{"1000", "10", "100"} {
		all = append(all,
			counted("lock.drain/"+n, peers.Ours, 10, count.Counts{Requests: 30, Received: 5000}),
			counted("lock.drain/"+n, "<other>", 10, count.Counts{Requests: 50, Received: 50_000}))
	}
	rs := NewResults(all)
	require.Equal(t, []Series{
		{peers.Ours, []Point{{10, 3}, {100, 3}, {1000, 3}}},
		{"<other>", []Point{{10, 5}, {100, 5}, {1000, 5}}},
	}, rs.series("lock.drain/", Requests))
	svg := Growth(rs)
	require.Contains(t, svg, "&lt;other&gt;")
	require.Equal(t, 4, strings.Count(svg, "<polyline"))
	require.NotContains(t, svg, "%!")
	require.NotContains(t, svg, "NaN")
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
	}
}

func TestGroupsThatAreMeasuredAgainReplaceTheOld(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "samples.json")
	none, err := ReadResults(file)
	require.NoError(t, err)
	require.Empty(t, none)
	old := []run.Result{rated("a", peers.Ours, 1, 1), rated("b", peers.Ours, 1, 1)}
	old[1].Group = "h"
	require.NoError(t, WriteResults(file, old))
	back, err := ReadResults(file)
	require.NoError(t, err)
	require.Equal(t, old, back)
	fresh := []run.Result{rated("c", peers.Ours, 1, 2)}
	require.Equal(t, []run.Result{old[1], fresh[0]}, Merge(back, fresh))
}

// Every goal is about rows that are measured.
func TestGoalsAreOfThePlan(t *testing.T) {
	t.Parallel()
	rows := map[string]string{}
	for _, g := range run.Plan() {
		for _, r := range g.Rows {
			rows[r.Name] = g.Name
		}
	}
	for _, g := range Goals() {
		require.Contains(t, rows, g.Row, g.Title)
		if g.Of != "" {
			require.Equal(t, rows[g.Row], rows[g.Of], "%s: a ratio is of one group", g.Title)
		}
	}
	names := map[string]bool{}
	for _, p := range peers.All() {
		names[p.Name] = true
	}
	for _, name := range []string{gozk, kazoo, curator, etcd} {
		require.Contains(t, names, name)
	}
}
