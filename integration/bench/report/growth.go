package report

import (
	"slices"
	"strconv"
	"strings"
)

// growth is what is drawn: rows that differ in the number at their end only.
var growth = []struct {
	title, prefix, x, per string
}{
	{"lock: one hand-over in a line", "lock.drain/", "contenders", "per grant"},
	{"election: resign, the next leads, join again", "election.resign/", "candidates", "per term"},
	{"queue: take and acknowledge one item", "queue.single.take/of ", "items in the queue", "per item"},
	{"settings: one change, seen by all", "config.watch/", "watchers", "per change"},
}

// Growth draws what a grant costs as a line grows: requests and bytes received.
func Growth(rs Results) string {
	var charts []Chart
	for _, g := range growth {
		for _, m := range []Metric{Requests, Received} {
			charts = append(charts, Chart{
				Title: g.title, X: g.x, Y: m.Name + " " + g.per,
				Series: rs.series(g.prefix, m),
			})
		}
	}
	return SVG(charts...)
}

// series are a figure's values in the rows of that prefix, one series for each peer.
func (rs Results) series(prefix string, m Metric) (all []Series) {
	seen := map[cell]bool{}
	for _, r := range rs.all {
		number, ok := strings.CutPrefix(r.Row, prefix)
		n, err := strconv.Atoi(number)
		if !ok || err != nil || seen[cell{r.Row, r.Peer}] {
			continue
		}
		seen[cell{r.Row, r.Peer}] = true
		v := rs.Of(r.Row, r.Peer, m)
		if v.N == 0 {
			continue
		}
		i := slices.IndexFunc(all, func(s Series) bool { return s.Name == r.Peer })
		if i < 0 {
			all = append(all, Series{Name: r.Peer})
			i = len(all) - 1
		}
		all[i].Points = append(all[i].Points, Point{float64(n), v.Median})
	}
	for _, s := range all {
		slices.SortFunc(s.Points, func(a, b Point) int { return int(a.X - b.X) })
	}
	return all
}
