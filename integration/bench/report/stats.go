package report

import (
	"math"
	"slices"
)

// Spread is a median, with the least and the greatest of the values.
type Spread struct {
	Median, Least, Greatest float64
	// N is how many values there were; without any the rest is no number.
	N int
}

// spreadOf leaves out what is no number.
func spreadOf(values []float64) Spread {
	sorted := slices.DeleteFunc(slices.Clone(values), func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
	slices.Sort(sorted)
	n := len(sorted)
	if n == 0 {
		return Spread{Median: math.NaN(), Least: math.NaN(), Greatest: math.NaN()}
	}
	return Spread{Median: (sorted[(n-1)/2] + sorted[n/2]) / 2, Least: sorted[0], Greatest: sorted[n-1], N: n}
}
